"""Who is given a session that waits: an offer by the system or by a lead, accepted, declined or let pass.

Whoever gives an agent a session locks the agent's row first and the session's after it, so that nobody ever has more
than they may and nobody waits for each other in a circle.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import ClassVar

from sqlalchemy.ext.asyncio import AsyncSession

from kefu.accounts.models import Agent
from kefu.jobs.queue import Lane, Taken, Work, enqueue, finish
from kefu.kit.clock import now_ms
from kefu.kit.db import Database
from kefu.kit.errors import Conflict
from kefu.kit.i18n import Text
from kefu.log.log import SYSTEM, Actor, Fact
from kefu.routing.rules import Routing
from kefu.routing.team import AgentFull, AgentNotFound, AgentOffline, Colleague, colleagues
from kefu.sessions import service
from kefu.sessions.held import lock_held
from kefu.sessions.models import Session
from kefu.sessions.service import Member, holder_of, locked, moved, record
from kefu.sessions.several import Outcome, for_each
from kefu.sessions.states import InvalidStatus, Move, Status
from kefu.shops.models import Shop

ASSIGNED = "session.assigned"
UNASSIGNED = "session.unassigned"
BATCH = 50


class NotAssigned(Conflict):
    code = "NOT_ASSIGNED"
    text: ClassVar[Text] = {
        "en": "This conversation is not offered to you any more.",
        "zh": "该会话已不再分配给您。",
    }


@dataclass(frozen=True, slots=True)
class ExpireOffer(Work):
    """Take the offer back that stands until `until` (ms), unless something came of it."""

    kind: ClassVar[str] = "expire_offer"
    lane: ClassVar[Lane] = "talk"

    session: str
    until: int


async def lock_agent(tx: AsyncSession, agent_id: str) -> Colleague:
    """The agent with what they have, who is given nothing else until the transaction ends. Raises AgentNotFound."""
    await tx.get(Agent, agent_id, with_for_update=True)
    found = await colleagues(tx, agent_id)
    if not found:
        raise AgentNotFound(agent_id=agent_id)
    return found[0]


async def take_over(tx: AsyncSession, name: str, member: Member) -> Session:
    """As `service.take_over`, within what the agent may have; a lead may go beyond. Raises AgentFull too."""
    agent = await lock_agent(tx, member.id)
    was_theirs = (await locked(tx, name)).agent_id == member.id
    session = await service.take_over(tx, name, member)
    if not (was_theirs or member.is_lead):
        _check_room(agent)
    return session


async def offer(tx: AsyncSession, name: str, agent_id: str, by: Actor) -> Session:
    """Offer a session that waits to the agent; an offer to another is withdrawn. To the same one it changes nothing.

    Raises AgentNotFound, AgentOffline, AgentFull, SessionNotFound, InvalidStatus.
    """
    agent = await lock_agent(tx, agent_id)
    session = await locked(tx, name)
    if session.status != Status.PENDING_MANUAL:
        raise InvalidStatus(status=session.status, move=ASSIGNED)
    if session.agent_id == agent_id:
        return session
    if not agent.is_on_duty(now_ms()):
        raise AgentOffline(agent=_ref(agent))
    _check_room(agent)
    if session.agent_id is not None:
        await withdraw(tx, session, by, "reassigned")
    routing = Routing.model_validate((await tx.get_one(Shop, session.shop)).routing)
    pause = timedelta(seconds=routing.accept_seconds)
    until = now_ms() + int(pause.total_seconds() * 1000)
    await record(tx, session, Fact(ASSIGNED, by, {"agent": _ref(agent), "until": until}, audience="internal"))
    await enqueue(tx, ExpireOffer(name, until), pause)
    return session


async def offer_several(tx: AsyncSession, names: list[str], agent_id: str, by: Actor) -> Outcome:
    """Offer many sessions to one agent, as long as they have room. Raises AgentNotFound."""
    await lock_agent(tx, agent_id)

    async def act(name: str) -> bool:
        was_theirs = (await locked(tx, name)).agent_id == agent_id
        await offer(tx, name, agent_id, by)
        return not was_theirs

    return await for_each(names, act)


async def decline(tx: AsyncSession, name: str, member: Member) -> Session:
    """The agent does not want what is offered to them. Raises SessionNotFound, NotAssigned."""
    session = await locked(tx, name)
    if session.status != Status.PENDING_MANUAL or session.agent_id != member.id:
        raise NotAssigned(session_name=name)
    await withdraw(tx, session, member.actor, "declined")
    return session


async def withdraw(tx: AsyncSession, session: Session, by: Actor, reason: str) -> None:
    """Take back the offer of the (locked) session."""
    facts = {"agent": holder_of(session), "reason": reason}
    await record(tx, session, Fact(UNASSIGNED, by, facts, audience="internal"))


async def expire_offer(db: Database, job: Taken) -> None:
    """Handles `ExpireOffer`."""
    work = ExpireOffer(**job.payload)
    async with db.write() as tx:
        session = await locked(tx, work.session)
        if session.status == Status.PENDING_MANUAL and session.assigned_until == work.until:
            await withdraw(tx, session, SYSTEM, "timeout")
        await finish(tx, job.id)


async def withdraw_all(tx: AsyncSession, agent_id: str, by: Actor, reason: str) -> int:
    """Take back what is offered to the agent, whose row is locked: at most BATCH; how many there were."""
    offered = await lock_held(tx, agent_id, Status.PENDING_MANUAL, BATCH)
    for session in offered:
        await withdraw(tx, session, by, reason)
    return len(offered)


async def give_back(tx: AsyncSession, agent_id: str) -> int:
    """The agent, whose row is locked, is lost: their customers wait for another one, and offers are taken back.

    At most BATCH of each; how many there were.
    """
    served = await lock_held(tx, agent_id, Status.MANUAL_LIVE, BATCH)
    for session in served:
        await record(tx, session, moved(session, Move.LOSE_AGENT, SYSTEM, agent=holder_of(session)))
    return len(served) + await withdraw_all(tx, agent_id, SYSTEM, "lost")


def _check_room(agent: Colleague) -> None:
    if agent.room < 1:
        raise AgentFull(agent=_ref(agent), max_sessions=agent.max_sessions)


def _ref(agent: Colleague) -> dict[str, str]:
    return {"id": agent.id, "name": agent.name}
