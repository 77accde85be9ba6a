"""What can be done about a transfer.

Every command locks the session's row, and before it, to give somebody a session, the row of that agent. What it writes
are facts; `sessions/transfers.py` keeps the requests by them.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import ClassVar, Literal

from sqlalchemy.ext.asyncio import AsyncSession

from kefu.jobs.queue import Lane, Taken, Work, enqueue, finish
from kefu.kit.clock import now_ms
from kefu.kit.db import Database
from kefu.kit.errors import Conflict, Forbidden, Invalid, KefuError, NotFound
from kefu.kit.i18n import Text
from kefu.kit.ids import new_id
from kefu.log.log import SYSTEM, Fact
from kefu.routing.assignment import lock_agent
from kefu.routing.duty import expect
from kefu.routing.team import AgentFull, AgentNotFound, AgentOffline, Colleague, colleagues
from kefu.sessions.guests import let_in
from kefu.sessions.models import Session, TransferRequest
from kefu.sessions.service import Member, Stale, check_holder, holder_of, locked, moved, record
from kefu.sessions.states import InvalidStatus, Move, Status, move
from kefu.sessions.transfers import REQUESTED, ended, open_request

Answer = Literal["accepted", "declined"]


class ReasonRequired(Invalid):
    code = "REASON_REQUIRED"
    text: ClassVar[Text] = {"en": "Please say why you transfer the conversation.", "zh": "请填写转接原因。"}


class TransferToHolder(Conflict):
    code = "TRANSFER_TO_HOLDER"
    text: ClassVar[Text] = {
        "en": "{agent[name]} has this conversation already.",
        "zh": "该会话已由 {agent[name]} 负责。",
    }


class TransferPending(Conflict):
    code = "TRANSFER_PENDING"
    text: ClassVar[Text] = {
        "en": "{agent[name]} has been asked already and has not answered yet.",
        "zh": "已向 {agent[name]} 发出转接请求，尚未回应。",
    }


class RequestNotFound(NotFound):
    code = "REQUEST_NOT_FOUND"
    text: ClassVar[Text] = {"en": "There is no such transfer request.", "zh": "找不到该转接请求。"}


class NotForYou(Forbidden):
    code = "PERMISSION_DENIED"
    text: ClassVar[Text] = {"en": "This transfer request is not yours.", "zh": "这不是您的转接请求。"}


class RequestExpired(Conflict):
    code = "REQUEST_EXPIRED"
    text: ClassVar[Text] = {"en": "The transfer request has expired.", "zh": "该转接请求已过期。"}


class RequestEnded(Conflict):
    """`status`: accepted, declined or cancelled."""

    code = "REQUEST_ENDED"
    text: ClassVar[Text] = {"en": "The transfer request is over: {status}.", "zh": "该转接请求已结束（{status}）。"}


class SessionAlreadyTaken(Conflict):
    """`agent`: `{id, name}` of who has it."""

    code = "SESSION_ALREADY_TAKEN"
    text: ClassVar[Text] = {
        "en": "{agent[name]} has this conversation now.",
        "zh": "该会话现由【{agent[name]}】负责。",
    }


@dataclass(frozen=True, slots=True)
class Wish:
    """`lasts`: how long the colleague has to answer. `is_forced`: do not ask them.

    `epoch`: of the session as the agent saw it, if they say.
    """

    to_agent_id: str
    reason: str
    note: str
    lasts: timedelta
    is_forced: bool = False
    epoch: int | None = None


@dataclass(frozen=True, slots=True)
class ExpireTransfer(Work):
    """End the request when nobody answered in time."""

    kind: ClassVar[str] = "expire_transfer"
    lane: ClassVar[Lane] = "bulk"

    request_id: str


async def request_transfer(tx: AsyncSession, name: str, member: Member, wish: Wish) -> TransferRequest:
    """Ask a colleague to take the session, or, as a lead who forces it, give it to them at once.

    Repeating it while they are asked changes nothing. Raises SessionNotFound, Stale, InvalidStatus, NotHolder,
    Forbidden, TransferToHolder, TransferPending, AgentNotFound, AgentOffline, AgentFull.
    """
    if wish.is_forced and not member.is_lead:
        raise Forbidden
    if wish.is_forced:
        await lock_agent(tx, wish.to_agent_id)
    session = await locked(tx, name)
    if wish.epoch not in {None, session.epoch}:
        raise Stale(epoch=session.epoch)
    move(Status(session.status), Move.TRANSFER)
    check_holder(session, member)
    if wish.to_agent_id == session.agent_id:
        raise TransferToHolder(agent=holder_of(session))
    before = await open_request(tx, name)
    if before and not wish.is_forced and before.expires_at > now_ms():
        if (before.to_agent_id, before.requested_by) == (wish.to_agent_id, member.id):
            return before
        raise TransferPending(agent=_target(before))
    target = await _colleague(tx, wish.to_agent_id)
    if not wish.is_forced:
        _check_free(target)
    if before:
        reason = "transferred" if wish.is_forced else "timeout"
        await record(tx, session, ended(before.id, "expired", SYSTEM, reason=reason))
    return await _ask(tx, session, member, target, wish)


async def _ask(tx: AsyncSession, session: Session, member: Member, target: Colleague, wish: Wish) -> TransferRequest:
    request_id, to = new_id("transfer"), {"id": target.id, "name": target.name}
    facts = {
        "request_id": request_id,
        "from_agent": holder_of(session),
        "to_agent": to,
        "reason": wish.reason,
        "note": wish.note,
        "forced": wish.is_forced,
        "lasts_seconds": int(wish.lasts.total_seconds()),
    }
    asked = Fact(REQUESTED, member.actor, facts, audience="internal")
    if wish.is_forced:
        given = moved(session, Move.TRANSFER, member.actor, agent=to, from_agent=holder_of(session))
        await record(tx, session, asked, ended(request_id, "accepted", member.actor), given)
        await expect(tx, target.id)
    else:
        await record(tx, session, asked)
        await let_in(tx, session.name, target.id, "transfer", wish.lasts)
        await enqueue(tx, ExpireTransfer(request_id), wish.lasts)
    return await tx.get_one(TransferRequest, request_id)


async def respond(tx: AsyncSession, request_id: str, member: Member, answer: Answer, note: str) -> Session:
    """The colleague takes the session, or does not. Repeating the same answer changes nothing.

    Raises RequestNotFound, NotForYou, AgentFull, and what a request that is over says: RequestExpired, RequestEnded,
    SessionAlreadyTaken, InvalidStatus.
    """
    await lock_agent(tx, member.id)
    session, request = await _locked_request(tx, request_id)
    if request.to_agent_id != member.id:
        raise NotForYou
    if request.status == answer and not request.is_forced:
        return session
    if request.status != "pending":
        raise _over(session, request)
    if request.expires_at <= now_ms():
        raise RequestExpired
    facts = [ended(request_id, answer, member.actor, note=note)]
    if answer == "accepted":
        await _check_room(tx, member)
        agent = {"id": member.id, "name": member.name}
        facts.append(moved(session, Move.TRANSFER, member.actor, agent=agent, from_agent=holder_of(session)))
    await record(tx, session, *facts)
    return session


async def cancel(tx: AsyncSession, request_id: str, member: Member) -> TransferRequest:
    """Who asked, the holder or a lead takes the request back. Repeating it changes nothing.

    Raises RequestNotFound, NotForYou, and what a request that is over says.
    """
    session, request = await _locked_request(tx, request_id)
    if not (member.is_lead or member.id in {request.requested_by, request.from_agent_id}):
        raise NotForYou
    if request.status == "pending":
        await record(tx, session, ended(request_id, "cancelled", member.actor))
    elif request.status != "cancelled":
        raise _over(session, request)
    return request


async def expire_transfer(db: Database, job: Taken) -> None:
    """Handles `ExpireTransfer`. A request that was answered stays as it is."""
    async with db.write() as tx:
        session, request = await _locked_request(tx, job.payload["request_id"])
        if request.status == "pending":
            await record(tx, session, ended(request.id, "expired", SYSTEM, reason="timeout"))
        await finish(tx, job.id)


async def _locked_request(tx: AsyncSession, request_id: str) -> tuple[Session, TransferRequest]:
    """The request as it stands under the lock of its session. Raises RequestNotFound."""
    request = await tx.get(TransferRequest, request_id)
    if request is None:
        raise RequestNotFound(request_id=request_id)
    session = await locked(tx, request.session)
    await tx.refresh(request)
    return session, request


def _over(session: Session, request: TransferRequest) -> KefuError:
    """Why nothing can be done with a request that is over."""
    if request.status != "expired":
        return RequestEnded(status=request.status)
    if request.ended_by == "timeout":
        return RequestExpired()
    if session.status == Status.MANUAL_LIVE:
        return SessionAlreadyTaken(agent=holder_of(session))
    return InvalidStatus(status=session.status, move=Move.TRANSFER.value)


def _target(request: TransferRequest) -> dict[str, str]:
    return {"id": request.to_agent_id, "name": request.to_agent_name}


async def _colleague(tx: AsyncSession, agent_id: str) -> Colleague:
    """Raises AgentNotFound, also for somebody who may not serve."""
    found = next((one for one in await colleagues(tx, agent_id) if one.may_serve), None)
    if found is None:
        raise AgentNotFound(agent_id=agent_id)
    return found


def _check_free(target: Colleague) -> None:
    """Raises AgentOffline or AgentFull."""
    agent = {"id": target.id, "name": target.name}
    if not target.is_on_duty(now_ms()):
        raise AgentOffline(agent=agent)
    if target.room < 1:
        raise AgentFull(agent=agent, max_sessions=target.max_sessions)


async def _check_room(tx: AsyncSession, member: Member) -> None:
    """Under the agent's lock, so that of two sessions for the last place they get one. Raises AgentFull."""
    target = await _colleague(tx, member.id)
    if target.room < 1:
        raise AgentFull(agent={"id": target.id, "name": target.name}, max_sessions=target.max_sessions)
