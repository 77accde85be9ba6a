"""What can be done to a session.

Every command locks the session's row first, checks, and writes the row, the facts and the work together.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from kefu.accounts.audit import audit
from kefu.files import service as files
from kefu.files.models import File
from kefu.jobs.queue import enqueue
from kefu.kit.clock import now_ms
from kefu.kit.errors import Conflict, Forbidden, NotFound, NotSignedIn
from kefu.kit.i18n import Locale, Text
from kefu.kit.ids import new_id
from kefu.log.log import VISITOR, Actor, Entry, Fact, append, entry, find_client_message
from kefu.sessions.consequences import enqueue_consequences
from kefu.sessions.episodes import keep
from kefu.sessions.fold import blank, fold
from kefu.sessions.models import Session, stream_of
from kefu.sessions.reading import Seen, mark_read, unseen
from kefu.sessions.states import RAISES_EPOCH, InvalidStatus, Move, Status, move
from kefu.sessions.tagged import keep_tags
from kefu.sessions.transfers import keep_requests, overtaken
from kefu.sessions.work import AnswerVisitor, DraftInShadow
from kefu.shops.service import is_shadow

# The event that says where on the shop's pages a session was opened.
CAME_FROM = "page.came_from"
# What the visitor said of themselves before the first word.
INTRODUCED = "visitor.introduced"
# What people wrote, in the facts of events.
WORDS = {"content", "question", "answer", "note", "details", "last"}
NICKNAMES: Text = {"en": "Visitor", "zh": "访客"}


class SessionNotFound(NotFound):
    code = "SESSION_NOT_FOUND"
    text: ClassVar[Text] = {"en": "There is no such conversation.", "zh": "找不到该会话。"}


class AlreadyTaken(Conflict):
    """`agent`: `{id, name}` of who has it."""

    code = "ALREADY_TAKEN"
    text: ClassVar[Text] = {
        "en": "{agent[name]} has this conversation already.",
        "zh": "该会话已由【{agent[name]}】接入。",
    }


class AssignedToOther(Conflict):
    """`agent`: `{id, name}` of to whom it is offered."""

    code = "ASSIGNED_TO_OTHER"
    text: ClassVar[Text] = {
        "en": "This conversation is offered to {agent[name]} at this moment.",
        "zh": "该会话已分配给【{agent[name]}】。",
    }


class ManualInProgress(Conflict):
    code = "MANUAL_IN_PROGRESS"
    text: ClassVar[Text] = {"en": "A person is serving this conversation already.", "zh": "人工客服正在服务该会话。"}


class NotHolder(Forbidden):
    code = "NOT_HOLDER"
    text: ClassVar[Text] = {"en": "You do not hold this conversation.", "zh": "该会话不由您负责。"}


class SessionMerged(Conflict):
    """`into`: the session in which this one goes on."""

    code = "SESSION_MERGED"
    text: ClassVar[Text] = {
        "en": "This conversation goes on in another one.",
        "zh": "该会话已合并到另一个会话中继续。",
    }


class Stale(Conflict):
    """The session moved on since this write began; nothing was written. `epoch`: what it is now, where it was read."""

    code = "STALE_EPOCH"
    text: ClassVar[Text] = {"en": "The conversation has moved on.", "zh": "会话状态已变化。"}


class IdentityChanged(NotSignedIn):
    code = "IDENTITY_CHANGED"
    text: ClassVar[Text] = {
        "en": "Somebody else is signed in to this conversation since, or nobody is.",
        "zh": "该会话的登录身份已变更或已退出。",
    }


@dataclass(frozen=True, slots=True)
class Member:
    """The agent who acts. `is_lead`: may act on sessions that others hold."""

    id: str
    name: str
    is_lead: bool = False

    @property
    def actor(self) -> Actor:
        return Actor("agent", self.id, self.name)


@dataclass(frozen=True, slots=True)
class Reply:
    """What an agent writes. `files`: ids of what they uploaded for it; with some, `content` may be empty."""

    content: str
    client_msg_id: str | None = None
    files: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Opening:
    """`visitor_id`: of the visitor's earlier sessions; a new one when they have none.

    `customer`: who they are, as `Session.customer` has it. `page`: what they look at on the shop's page.
    `came_from`: `{page, referrer}`, where on the shop's pages they are, if that may be counted. `introduction`: what
    they said of themselves before the first word (`shops.look.told`). `invitation`: what they answer
    (`shops.invitations.answered`).
    """

    name: str
    shop: str
    locale: Locale
    visitor_id: str = ""
    customer: dict[str, Any] | None = None
    page: dict[str, Any] | None = None
    came_from: dict[str, str] | None = None
    introduction: dict[str, Any] | None = None
    invitation: dict[str, str] | None = None


async def locked(tx: AsyncSession, name: str) -> Session:
    """The session's row, locked until the transaction ends. Raises SessionNotFound."""
    row = (await tx.execute(select(Session).where(Session.name == name).with_for_update())).scalar_one_or_none()
    if row is None:
        raise SessionNotFound(session_name=name)
    return row


def check_epoch(session: Session, identity_epoch: int) -> None:
    """Raises IdentityChanged for a token of an earlier identity than the session has."""
    if session.identity_epoch != identity_epoch:
        raise IdentityChanged


def refuse_merged(session: Session) -> None:
    """Raises SessionMerged for one that goes on in another."""
    if session.merged_into:
        raise SessionMerged(into=session.merged_into)


async def record(tx: AsyncSession, session: Session, *facts: Fact) -> list[Entry]:
    """Give the facts their places in the log, fold them into the (locked) row and write both.

    Behind them stands the end of a request that they overtook (`transfers.py`).
    """
    facts = (*facts, *await overtaken(tx, session, facts))
    at = max(now_ms(), session.updated_at or 0)
    entries = [entry(stream_of(session.name), session.seq + n, fact, at) for n, fact in enumerate(facts, 1)]
    for one, fact in zip(entries, facts, strict=True):
        fold(session, one)
        _audit(tx, session, one, fact)
    await append(tx, entries)
    await keep(tx, session, entries)
    await keep_requests(tx, session, entries)
    await keep_tags(tx, session, entries)
    await enqueue_consequences(tx, session, entries)
    return entries


def _audit(tx: AsyncSession, session: Session, event: Entry, fact: Fact) -> None:
    """What agents do to a session is audited here, once for all. What people wrote stands in the log, under the seq."""
    if fact.actor.kind == "agent" and fact.type != "message.posted":
        told = {name: value for name, value in fact.payload.items() if name not in WORDS}
        audit(tx, fact.type, ("session", session.name), after={"seq": event.seq, **told})


def moved(session: Session, what: Move, actor: Actor, **facts: Any) -> Fact:
    """The fact of a move from where the session stands.

    Raises InvalidStatus for a move that is not in the table, SessionMerged where nothing moves any more.
    """
    refuse_merged(session)
    came_from = Status(session.status)
    to = move(came_from, what)
    epoch = session.epoch + (what in RAISES_EPOCH)
    return Fact(what.value, actor, {**facts, "from": came_from.value, "to": to.value, "epoch": epoch})


def message(role: str, actor: Actor, content: str, client_msg_id: str | None = None, **facts: Any) -> Fact:
    return Fact("message.posted", actor, {"role": role, "content": content, **facts}, client_msg_id=client_msg_id)


def with_files(taken: Sequence[File]) -> dict[str, Any]:
    """What a message says of the files that it takes along; nothing when there are none."""
    return {"files": [files.facts_of(one) for one in taken]} if taken else {}


async def open_session(tx: AsyncSession, opening: Opening) -> Session:
    """A new session in which the bot is active.

    Raises sqlalchemy.exc.IntegrityError when the name was taken at this moment.
    """
    session = blank(opening.name)
    suffix = new_id("v")[-4:]
    facts = {
        "shop": opening.shop,
        "locale": opening.locale,
        "conversation_id": new_id("conv"),
        "visitor_id": opening.visitor_id or new_id("visitor"),
        "nickname": f"{NICKNAMES[opening.locale]} {suffix}",
    }
    tx.add(session)
    page = [page_shown(opening.page)] if opening.page else []
    told = _told(INTRODUCED, opening.introduction)
    whose = identity_of(opening, facts["visitor_id"])
    came = _told(CAME_FROM, opening.came_from) + _told("invitation.answered", opening.invitation)
    await record(tx, session, Fact("session.opened", VISITOR, facts), *told, *whose, *page, *came)
    return session


def _told(what: str, facts: dict[str, Any] | None) -> list[Fact]:
    return [Fact(what, VISITOR, facts, audience="internal")] if facts else []


def page_shown(card: dict[str, Any] | None) -> Fact:
    return Fact("page.shown", VISITOR, {"card": card}, audience="internal")


def identity_of(origin: Session | Opening, visitor_id: str) -> list[Fact]:
    """What says in the log of a new session whose it is, as in the one from which it comes."""
    facts = {"customer": origin.customer, "visitor_id": visitor_id, "identity_epoch": 1}
    return [Fact("session.identified", VISITOR, facts, audience="internal")] if origin.customer else []


async def repeated(tx: AsyncSession, name: str, client_msg_id: str | None) -> Entry | None:
    """What this sender's id was stored as, when it was."""
    return await find_client_message(tx, stream_of(name), client_msg_id) if client_msg_id else None


async def post_by_visitor(
    tx: AsyncSession, name: str, content: str, client_msg_id: str | None, file_ids: Sequence[str] = ()
) -> tuple[Entry, Session]:
    """The visitor writes, whatever the state: a closed session is reopened, an active bot is asked to answer.

    A repeated client_msg_id returns the first entry and changes nothing. Raises SessionMerged, FileNotAvailable.
    """
    session = await locked(tx, name)
    if known := await repeated(tx, name, client_msg_id):
        return known, session
    if session.status == Status.CLOSED:
        await record(tx, session, moved(session, Move.REOPEN, VISITOR))
    taken = await files.take(tx, name, files.VISITOR, file_ids)
    (posted,) = await record(tx, session, message("user", VISITOR, content, client_msg_id, **with_files(taken)))
    files.sent(taken, posted.seq)
    if session.status == Status.BOT_ACTIVE:
        await enqueue(tx, AnswerVisitor(name, posted.seq, session.epoch))
    return posted, session


async def post_by_agent(tx: AsyncSession, name: str, member: Member, reply: Reply, seen: Seen | None = None) -> Entry:
    """The agent who holds the session (or a lead) writes to the visitor.

    With `seen` only in knowledge of what others wrote (spec S5): it moves the agent's read mark, and a reply that was
    forced leaves `reply.forced` beside it. A repeat returns the first entry, whatever came since.

    Raises SessionMerged, InvalidStatus, NotHolder, StaleView, FileNotAvailable.
    """
    session = await locked(tx, name)
    if known := await repeated(tx, name, reply.client_msg_id):
        return known
    check_serving(session, member)
    taken = await files.take(tx, name, member.id, reply.files)
    facts = [message("agent", member.actor, reply.content, reply.client_msg_id, **with_files(taken))]
    if seen is not None:
        if missed := await unseen(tx, session, member.id, seen):
            facts.append(_forced(session, member, seen, missed))
        if seen.seq:
            await mark_read(tx, session, member.actor, seen.seq)
    posted, *_ = await record(tx, session, *facts)
    files.sent(taken, posted.seq)
    if await is_shadow(tx, session.shop):
        await enqueue(tx, DraftInShadow(name, posted.seq))
    return posted


def _forced(session: Session, member: Member, seen: Seen, missed: int) -> Fact:
    """Who sent without reading, and which message; it stands right behind that message."""
    payload = {"seen_seq": seen.seq, "missed": missed, "message_seq": session.seq + 1}
    return Fact("reply.forced", member.actor, payload, audience="internal")


def may_answer(session: Session, work: AnswerVisitor) -> bool:
    """Whether an answer begun for `work` may still be given."""
    return (
        session.status == Status.BOT_ACTIVE
        and session.epoch == work.epoch
        and session.last_visitor_seq == work.seq
        and session.answered_seq < work.seq
    )


async def escalate(
    tx: AsyncSession, name: str, actor: Actor, reason: str, details: str = "", *, in_shift: bool = True
) -> Session:
    """Ask for a person. Idempotent while one is awaited: the wait clock is kept.

    Out of hours the session stays as it is: the visitor is offered to leave an address (`after_hours.defer`).

    Raises ManualInProgress, InvalidStatus.
    """
    session = await locked(tx, name)
    if session.status == Status.PENDING_MANUAL:
        return session
    if session.status == Status.MANUAL_LIVE:
        raise ManualInProgress(agent=holder_of(session))
    severity = "high" if reason in {"manual", "user_request", "vip", "keyword"} else "low"
    asked = moved(session, Move.ESCALATE, actor, reason=reason, details=details, severity=severity)
    if in_shift:
        await record(tx, session, asked)
    return session


async def take_over(tx: AsyncSession, name: str, member: Member) -> Session:
    """The agent steps in; one winner. Repeating it by the holder changes nothing.

    Raises AlreadyTaken, AssignedToOther, InvalidStatus.
    """
    session = await locked(tx, name)
    if session.status == Status.MANUAL_LIVE:
        if session.agent_id == member.id:
            return session
        raise AlreadyTaken(agent=holder_of(session))
    if session.agent_id not in {None, member.id} and not member.is_lead:
        raise AssignedToOther(agent=holder_of(session))
    agent = {"id": member.id, "name": member.name}
    await record(tx, session, moved(session, Move.TAKE_OVER, member.actor, agent=agent))
    return session


async def release(tx: AsyncSession, name: str, member: Member, reason: str) -> Session:
    """Give the session back to the bot. Raises InvalidStatus, NotHolder."""
    session = await locked(tx, name)
    fact = moved(session, Move.RELEASE, member.actor, reason=reason)
    check_holder(session, member)
    await record(tx, session, fact)
    return session


async def close(tx: AsyncSession, name: str, member: Member, reason: str) -> Session:
    """End the session. One that somebody holds is closed by the holder or a lead. Raises InvalidStatus, NotHolder."""
    session = await locked(tx, name)
    fact = moved(session, Move.CLOSE, member.actor, reason=reason)
    if session.agent_id is not None:
        check_holder(session, member)
    await record(tx, session, fact)
    return session


def check_serving(session: Session, member: Member) -> None:
    """Whether the member may write to the visitor now. Raises SessionMerged, InvalidStatus, NotHolder."""
    refuse_merged(session)
    if session.status != Status.MANUAL_LIVE:
        raise InvalidStatus(status=session.status, move="message.posted")
    check_holder(session, member)


def holder_of(session: Session) -> dict[str, str | None]:
    return {"id": session.agent_id, "name": session.agent_name}


def check_holder(session: Session, member: Member) -> None:
    """Raises NotHolder for whom the session is neither theirs nor, as a lead, to decide."""
    if session.agent_id != member.id and not member.is_lead:
        raise NotHolder(agent=holder_of(session))
