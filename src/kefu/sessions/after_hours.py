"""What can be done while nobody serves: leave an e-mail address, and answer by mail later (spec H2)."""

from dataclasses import dataclass, replace
from typing import Any, ClassVar

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from kefu.jobs.queue import enqueue
from kefu.kit.errors import Conflict
from kefu.kit.i18n import Text
from kefu.kit.sealed import UNREADABLE
from kefu.log.log import SYSTEM, VISITOR, Entry, Fact
from kefu.sessions.models import Session
from kefu.sessions.service import Member, check_holder, locked, message, moved, record, repeated
from kefu.sessions.states import InvalidStatus, Move, Status
from kefu.sessions.work import SendAfterHoursMail, SendMailReply
from kefu.shops.hours import Hours, is_open
from kefu.shops.models import Shop


class InShift(Conflict):
    code = "IN_SHIFT"
    text: ClassVar[Text] = {
        "en": "We are here now: please ask for a person in the chat.",
        "zh": "人工客服现已在线，请直接在聊天中转人工。",
    }


class NoEmail(Conflict):
    code = "NO_EMAIL"
    text: ClassVar[Text] = {"en": "This visitor has left no e-mail address.", "zh": "该访客没有留下邮箱。"}


class EmailUnreadable(Conflict):
    """It is sealed with a key that is not among ours any more."""

    code = "EMAIL_UNREADABLE"
    text: ClassVar[Text] = {
        "en": "The visitor's e-mail address cannot be read any more. Please ask for it again.",
        "zh": "已无法读取该访客的邮箱，请重新询问访客。",
    }


@dataclass(frozen=True, slots=True)
class Letter:
    """What the visitor leaves. `message` may be empty."""

    email: str
    message: str
    client_msg_id: str


async def is_in_shift(tx: AsyncSession, name: str, otherwise: Hours, at: int) -> bool:
    """Whether the session's shop is served at `at`; `otherwise` holds for a shop without hours of its own."""
    query = select(Shop.hours).select_from(Session).outerjoin(Shop, Shop.id == Session.shop)
    hours = (await tx.execute(query.where(Session.name == name))).scalar_one_or_none()
    return is_open(Hours.model_validate(hours) if hours else otherwise, at)


async def defer(tx: AsyncSession, name: str, letter: Letter, *, in_shift: bool) -> Session:
    """The visitor leaves an address, and maybe a message; one mail to the team is on its way.

    A repeated client_msg_id changes nothing. Raises InShift, InvalidStatus (also when an address was left before).
    """
    session = await locked(tx, name)
    if await repeated(tx, name, letter.client_msg_id):
        return session
    reason = session.escalation_reason if session.status == Status.PENDING_MANUAL else "manual"
    left = moved(session, Move.DEFER, VISITOR, reason=reason, email=letter.email)
    if in_shift:
        raise InShift
    said = [message("user", VISITOR, letter.message)] if letter.message else []
    await record(tx, session, *said, replace(left, client_msg_id=letter.client_msg_id))
    await enqueue(tx, SendAfterHoursMail(name, session.episode))
    return session


async def reply_by_mail(tx: AsyncSession, name: str, member: Member, content: str, client_msg_id: str) -> Entry:
    """The agent who holds the session (or a lead) answers in the chat and by mail.

    A repeat returns the first entry. Raises InvalidStatus, NotHolder, NoEmail, EmailUnreadable.
    """
    session = await locked(tx, name)
    if known := await repeated(tx, name, client_msg_id):
        return known
    if session.status != Status.MANUAL_LIVE:
        raise InvalidStatus(status=session.status, move="message.posted")
    check_holder(session, member)
    if session.email is None:
        raise NoEmail
    if session.email == UNREADABLE:
        raise EmailUnreadable
    (posted,) = await record(tx, session, message("agent", member.actor, content, client_msg_id, by_mail=True))
    await enqueue(tx, SendMailReply(name, posted.seq))
    return posted


async def record_mail(tx: AsyncSession, name: str, type_: str, **facts: Any) -> None:
    """What became of a mail: `mail.sent` or `mail.failed`, for agents only."""
    session = await locked(tx, name)
    await record(tx, session, Fact(type_, SYSTEM, facts, audience="internal"))
