"""The session row is the fold of its events.

Commands change a row only through here, so folding the log again gives the same row.
"""

from collections.abc import Iterable
from typing import Any

from kefu.log.log import Entry
from kefu.sessions.models import Session
from kefu.sessions.states import Status

PREVIEW = 80


def blank(name: str) -> Session:
    """A session to which nothing has happened yet."""
    return Session(
        name=name,
        seq=0,
        epoch=0,
        status=Status.BOT_ACTIVE.value,
        message_count=0,
        visitor_message_count=0,
        ai_fail_count=0,
        escalation_count=0,
        last_visitor_seq=0,
        answered_seq=0,
        is_vip=False,
    )


def fold_all(name: str, entries: Iterable[Entry]) -> Session:
    session = blank(name)
    for one in entries:
        fold(session, one)
    return session


def fold(session: Session, event: Entry) -> None:
    """Apply one event to the row. Events must come in order of seq."""
    facts = event.facts
    session.seq = event.seq
    session.updated_at = event.at
    match event.type:
        case "session.opened":
            _opened(session, facts, event.at)
        case "message.posted":
            _posted(session, facts, event)
        case "session.escalated":
            session.escalation_reason = facts["reason"]
            session.escalation_details = facts["details"]
            session.escalation_severity = facts["severity"]
            session.escalated_at = event.at
            session.escalation_count += 1
        case "session.taken_over" | "session.transferred":
            session.agent_id, session.agent_name = facts["agent"]["id"], facts["agent"]["name"]
            session.manual_started_at = event.at
        case "session.released":
            _leave_agent(session, event.at)
        case "session.agent_lost":
            _leave_agent(session, event.at)
            session.escalated_at = event.at
        case "session.closed":
            _leave_agent(session, event.at)
            session.closed_at = event.at
        case "session.reopened":
            session.closed_at = None
            session.ai_fail_count = 0
        case _:
            pass
    if "to" in facts and event.type.startswith("session."):
        session.status, session.epoch = facts["to"], facts["epoch"]


def _opened(session: Session, facts: dict[str, Any], at: int) -> None:
    session.shop, session.locale = facts["shop"], facts["locale"]
    session.conversation_id, session.nickname = facts["conversation_id"], facts["nickname"]
    session.created_at = at


def _posted(session: Session, facts: dict[str, Any], event: Entry) -> None:
    session.message_count += 1
    session.last_role = facts["role"]
    session.last_text = facts["content"][:PREVIEW]
    session.last_message_at = event.at
    if facts["role"] == "user":
        session.visitor_message_count += 1
        session.last_visitor_seq = event.seq
    if facts["role"] == "assistant":
        session.answered_seq = max(session.answered_seq, facts["reply_to"])
        session.ai_fail_count = 0 if facts["answered"] else session.ai_fail_count + 1


def _leave_agent(session: Session, at: int) -> None:
    if session.agent_id is not None:
        session.manual_ended_at = at
    session.agent_id = session.agent_name = session.manual_started_at = None
