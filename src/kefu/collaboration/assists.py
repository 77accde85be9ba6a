"""Asking a colleague about a session that stays where it is: one question, one answer, both in the log."""

from dataclasses import dataclass
from typing import ClassVar, Literal

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from kefu.accounts.models import Agent, key_of
from kefu.bus.telling import tell
from kefu.collaboration.models import Assist
from kefu.kit.errors import Conflict, Forbidden, NotFound
from kefu.kit.i18n import Text
from kefu.kit.ids import new_id
from kefu.log.log import Fact
from kefu.sessions.guests import let_in
from kefu.sessions.service import Member, locked, record, repeated

REQUESTED, ANSWERED = "assist.requested", "assist.answered"
SHOWN = 100
AssistStatus = Literal["pending", "answered"]


class AssistantNotFound(NotFound):
    code = "ASSISTANT_NOT_FOUND"
    text: ClassVar[Text] = {"en": "There is no such colleague who could answer.", "zh": "找不到可以协助的同事。"}


class AssistToSelf(Conflict):
    code = "ASSIST_TO_SELF"
    text: ClassVar[Text] = {"en": "You cannot ask yourself.", "zh": "不能向自己请求协助。"}


class AssistNotFound(NotFound):
    code = "REQUEST_NOT_FOUND"
    text: ClassVar[Text] = {"en": "There is no such question.", "zh": "找不到该协助请求。"}


class NotAsked(Forbidden):
    code = "PERMISSION_DENIED"
    text: ClassVar[Text] = {"en": "This question is for somebody else.", "zh": "该协助请求不是发给您的。"}


class AlreadyAnswered(Conflict):
    code = "ALREADY_ANSWERED"
    text: ClassVar[Text] = {"en": "This question has its answer already.", "zh": "该协助请求已回答。"}


@dataclass(frozen=True, slots=True)
class Question:
    """`assistant`: a username. `client_msg_id`: makes it repeatable."""

    session: str
    assistant: str
    text: str
    client_msg_id: str | None = None


async def ask(tx: AsyncSession, member: Member, username: str, question: Question) -> Assist:
    """A repeated client_msg_id returns what it made. Raises SessionNotFound, AssistantNotFound, AssistToSelf."""
    session = await locked(tx, question.session)
    if known := await repeated(tx, question.session, question.client_msg_id):
        return await _find(tx, known.facts.get("assist_id", ""))
    assistant = await _assistant(tx, question.assistant)
    if assistant.id == member.id:
        raise AssistToSelf
    to = {"id": assistant.id, "username": assistant.username, "name": assistant.name}
    facts = {"assist_id": new_id("assist"), "assistant": to, "question": question.text}
    asked = Fact(REQUESTED, member.actor, facts, audience="internal", client_msg_id=question.client_msg_id)
    (event,) = await record(tx, session, asked)
    assist = Assist(
        id=facts["assist_id"],
        session=question.session,
        requester_id=member.id,
        requester=username,
        requester_name=member.name,
        assistant_id=assistant.id,
        assistant=assistant.username,
        assistant_name=assistant.name,
        question=question.text,
        created_at=event.at,
    )
    tx.add(assist)
    await tx.flush()
    await let_in(tx, question.session, assistant.id, "assist")
    _tell(tx, assist)
    return assist


async def answer(tx: AsyncSession, assist_id: str, member: Member, text: str) -> Assist:
    """Who was asked answers, once; the same answer again changes nothing.

    Raises AssistNotFound, NotAsked, AlreadyAnswered.
    """
    assist = await _find(tx, assist_id)
    if assist.assistant_id != member.id:
        raise NotAsked
    session = await locked(tx, assist.session)
    await tx.refresh(assist)
    if assist.answer == text:
        return assist
    if assist.answered_at is not None:
        raise AlreadyAnswered
    facts = {"assist_id": assist_id, "answer": text}
    (event,) = await record(tx, session, Fact(ANSWERED, member.actor, facts, audience="internal"))
    assist.answer, assist.answered_at = text, event.at
    _tell(tx, assist)
    return assist


@dataclass(frozen=True, slots=True)
class Assists:
    """The newest of each side, the newest first; `received_pending`: how many wait for this agent's answer."""

    received: list[Assist]
    sent: list[Assist]
    received_count: int
    sent_count: int
    received_pending: int


async def assists_of(tx: AsyncSession, agent_id: str, status: AssistStatus | None) -> Assists:
    received, sent = Assist.assistant_id == agent_id, Assist.requester_id == agent_id
    is_open = Assist.answered_at.is_(None)
    wanted = [] if status is None else [is_open if status == "pending" else Assist.answered_at.is_not(None)]
    return Assists(
        received=await _newest(tx, received, *wanted),
        sent=await _newest(tx, sent, *wanted),
        received_count=await _count(tx, received, *wanted),
        sent_count=await _count(tx, sent, *wanted),
        received_pending=await _count(tx, received, is_open),
    )


async def _newest(tx: AsyncSession, *where: ColumnElement[bool]) -> list[Assist]:
    query = select(Assist).where(*where).order_by(Assist.created_at.desc(), Assist.id).limit(SHOWN)
    return list(await tx.scalars(query))


async def _count(tx: AsyncSession, *where: ColumnElement[bool]) -> int:
    return (await tx.execute(select(func.count()).select_from(Assist).where(*where))).scalar_one()


async def _find(tx: AsyncSession, assist_id: str) -> Assist:
    assist = await tx.get(Assist, assist_id)
    if assist is None:
        raise AssistNotFound(assist_id=assist_id)
    return assist


async def _assistant(tx: AsyncSession, username: str) -> Agent:
    """Somebody who may answer. Raises AssistantNotFound."""
    query = select(Agent).where(Agent.username_key == key_of(username), Agent.is_active)
    found = (await tx.execute(query)).scalar_one_or_none()
    if found is None or "sessions.annotate" not in found.permissions:
        raise AssistantNotFound(username=username)
    return found


def _tell(tx: AsyncSession, assist: Assist) -> None:
    for agent_id in (assist.requester_id, assist.assistant_id):
        tell(
            tx,
            agent_id,
            "assist.changed",
            assist_id=assist.id,
            session=assist.session,
            status="pending" if assist.answered_at is None else "answered",
            requester={"id": assist.requester_id, "name": assist.requester_name},
            assistant={"id": assist.assistant_id, "name": assist.assistant_name},
        )
