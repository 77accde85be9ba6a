"""The session row is the fold of its events.

Commands change a row only through here, so folding the log again gives the same row.
"""

from collections.abc import Callable, Iterable
from typing import Any

from kefu.files.service import in_words
from kefu.log.log import Entry
from kefu.sessions.models import Session
from kefu.sessions.priority import words_in
from kefu.sessions.states import Status

PREVIEW = 80
# Where a person serves, or is to.
SERVED = {Status.PENDING_MANUAL, Status.MANUAL_LIVE, Status.AFTER_HOURS_EMAIL}


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
        urgent_words=0,
        reminded=0,
        episode=0,
        visitor_id="",
        last_visitor_seq=0,
        answered_seq=0,
        is_vip=False,
        tags=[],
        identity_epoch=0,
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
    if begins_episode(facts):
        session.episode += 1
    if change := CHANGES.get(event.type):
        change(session, facts, event)
    if "to" in facts and event.type.startswith("session."):
        session.status, session.epoch = facts["to"], facts["epoch"]


def begins_episode(facts: dict[str, Any]) -> bool:
    """Whether a person is asked for, or steps in, where the bot was alone."""
    return facts.get("from") == Status.BOT_ACTIVE and facts.get("to") in SERVED


def _opened(session: Session, facts: dict[str, Any], event: Entry) -> None:
    session.shop, session.locale = facts["shop"], facts["locale"]
    session.conversation_id, session.nickname = facts["conversation_id"], facts["nickname"]
    session.visitor_id = facts.get("visitor_id", "")
    session.created_at = event.at


def _posted(session: Session, facts: dict[str, Any], event: Entry) -> None:
    session.message_count += 1
    session.last_role = facts["role"]
    session.last_text = in_words(facts)[:PREVIEW]
    session.last_message_at = event.at
    if facts["role"] == "user":
        session.visitor_message_count += 1
        session.urgent_words |= words_in(facts["content"])
        session.last_visitor_seq = event.seq
    if facts["role"] == "agent":
        session.replied_at = session.replied_at or event.at
    if facts.get("by_mail"):
        session.mail_status = "sending"
    if facts["role"] == "assistant":
        _answered(session, facts, event)


def _answered(session: Session, facts: dict[str, Any], _: Entry) -> None:
    """By the bot: what it said, or what was withheld."""
    session.answered_seq = max(session.answered_seq, facts["reply_to"])
    session.ai_fail_count = 0 if facts["answered"] else session.ai_fail_count + 1


def _escalated(session: Session, facts: dict[str, Any], event: Entry) -> None:
    session.escalation_reason = facts["reason"]
    session.escalation_details = facts["details"]
    session.escalation_severity = facts["severity"]
    session.escalated_at = event.at
    session.escalation_count += 1
    session.reminded = 0


def _given(session: Session, facts: dict[str, Any], event: Entry) -> None:
    session.agent_id, session.agent_name = facts["agent"]["id"], facts["agent"]["name"]
    session.manual_started_at, session.replied_at, session.assigned_until = event.at, None, None


def _assigned(session: Session, facts: dict[str, Any], _: Entry) -> None:
    session.agent_id, session.agent_name = facts["agent"]["id"], facts["agent"]["name"]
    session.assigned_until = facts["until"]


def _unassigned(session: Session, _: dict[str, Any], __: Entry) -> None:
    session.agent_id = session.agent_name = session.assigned_until = None


def _reminded(session: Session, facts: dict[str, Any], _: Entry) -> None:
    session.reminded = facts["minutes"]


def _left(session: Session, _: dict[str, Any], event: Entry) -> None:
    if session.manual_started_at is not None:
        session.manual_ended_at = event.at
    session.agent_id = session.agent_name = session.assigned_until = None
    session.manual_started_at = session.replied_at = None


def _released(session: Session, facts: dict[str, Any], event: Entry) -> None:
    _left(session, facts, event)
    session.urgent_words = 0


def _deferred(session: Session, facts: dict[str, Any], _: Entry) -> None:
    session.agent_id = session.agent_name = session.assigned_until = None
    session.email, session.mail_status = facts.get("email"), "sending"


def _mailed(session: Session, _: dict[str, Any], __: Entry) -> None:
    session.mail_status = "sent"


def _not_mailed(session: Session, _: dict[str, Any], __: Entry) -> None:
    """A mail that somebody got counts as sent, whoever else refused it."""
    if session.mail_status == "sending":
        session.mail_status = "failed"


def _lost(session: Session, facts: dict[str, Any], event: Entry) -> None:
    _left(session, facts, event)
    session.escalated_at, session.reminded = event.at, 0


def _closed(session: Session, facts: dict[str, Any], event: Entry) -> None:
    _released(session, facts, event)
    session.closed_at = event.at


def _reopened(session: Session, _: dict[str, Any], __: Entry) -> None:
    session.closed_at = None
    session.ai_fail_count = 0


def _merged_into(session: Session, facts: dict[str, Any], _: Entry) -> None:
    session.merged_into = facts["into"]


def _split_from(session: Session, facts: dict[str, Any], _: Entry) -> None:
    last = facts["last"]
    session.last_role, session.last_text, session.last_message_at = last["role"], last["text"], last["at"]


def _tagged(session: Session, facts: dict[str, Any], _: Entry) -> None:
    session.tags = [*session.tags, facts["tag"]]


def _untagged(session: Session, facts: dict[str, Any], _: Entry) -> None:
    session.tags = [tag for tag in session.tags if tag != facts["tag"]]


def _rated(session: Session, facts: dict[str, Any], _: Entry) -> None:
    session.rating = facts["score"]


def _introduced(session: Session, facts: dict[str, Any], _: Entry) -> None:
    session.nickname = facts.get("name", session.nickname)


def _identified(session: Session, facts: dict[str, Any], event: Entry) -> None:
    session.visitor_id = facts["visitor_id"]
    _described(session, facts, event)
    _signed_out(session, facts, event)


def _described(session: Session, facts: dict[str, Any], _: Entry) -> None:
    customer = session.customer = facts["customer"]
    if customer["verified_by"] == "token" and customer["name"]:
        session.nickname = customer["name"]


def _signed_out(session: Session, facts: dict[str, Any], _: Entry) -> None:
    session.identity_epoch = facts["identity_epoch"]


CHANGES: dict[str, Callable[[Session, dict[str, Any], Entry], None]] = {
    "session.opened": _opened,
    "message.posted": _posted,
    "answer.withheld": _answered,
    "session.escalated": _escalated,
    "session.taken_over": _given,
    "session.transferred": _given,
    "session.agent_lost": _lost,
    "session.assigned": _assigned,
    "session.unassigned": _unassigned,
    "session.returned": _released,
    "session.deferred": _deferred,
    "mail.sent": _mailed,
    "mail.failed": _not_mailed,
    "session.released": _released,
    "session.closed": _closed,
    "session.reopened": _reopened,
    "session.merged_into": _merged_into,
    "session.split_from": _split_from,
    "queue.reminded": _reminded,
    "session.rated": _rated,
    "visitor.introduced": _introduced,
    "session.identified": _identified,
    "session.signed_out": _signed_out,
    "customer.described": _described,
    "tag.added": _tagged,
    "tag.removed": _untagged,
}
