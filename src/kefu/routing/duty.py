"""What agents do: chosen by themselves, or what becomes of them when they do nothing, or are not heard of any more."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, ClassVar

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from kefu.accounts.audit import audit
from kefu.accounts.duty import LOST_AFTER_MS, SERVING, Duty
from kefu.accounts.models import Agent
from kefu.bus.telling import KEPT_MS, forget_told, tell
from kefu.jobs.queue import Lane, Taken, Work, again, again_alone, enqueue
from kefu.kit.clock import now_ms
from kefu.kit.db import Database
from kefu.log.log import Actor
from kefu.routing.assignment import give_back, lock_agent, withdraw_all
from kefu.sessions.held import holders
from kefu.sessions.models import Stint
from kefu.sessions.queue import unoffered
from kefu.sessions.work import AssignWaiting
from kefu.shops.models import Shop
from kefu.shops.service import is_auto

EVERY = timedelta(seconds=10)
# How long a lost agent may take to come back and find everything as it was.
GRACE_MS = 60_000
# Work that is so late was not done at all for a while, and nobody's sign of life was looked at.
LATE_MS = 30_000
# Whether there may be anything to do, by one statement: nearly always there is not. Somebody waits and is offered to
# nobody; who has sessions is silent; who is online does nothing; something told is to be forgotten.
ANYTHING = """
SELECT 1 WHERE EXISTS (SELECT 1 FROM sessions WHERE status = 'pending_manual' AND agent_id IS NULL)
    OR EXISTS (SELECT 1 FROM agents AS a WHERE last_seen_at <= $1 AND EXISTS (
        SELECT 1 FROM sessions WHERE agent_id = a.id AND status IN ('pending_manual', 'manual_live')))
    OR EXISTS (SELECT 1 FROM agents WHERE status = 'online' AND active_at < $2 AND last_seen_at > $3)
    OR EXISTS (SELECT 1 FROM tellings WHERE at < $4)
"""


@dataclass(frozen=True, slots=True)
class WatchDuty(Work):
    """See who does nothing and who is lost. Recurring."""

    kind: ClassVar[str] = "watch_duty"
    lane: ClassVar[Lane] = "talk"


@dataclass(frozen=True, slots=True)
class Figures:
    """An agent's day so far: times in seconds, None where there is nothing to take an average of."""

    processed_count: int
    avg_response_time: float | None
    avg_duration: float | None
    satisfaction_score: float | None


async def figures(tx: AsyncSession, agent_id: str, since: int) -> Figures:
    """Of the stints that ended since then; the reply times are of the first replies since then."""
    is_today, is_handled = Stint.ended_at >= since, Stint.ended_by != "session.agent_lost"
    handled = func.count().filter(is_today, is_handled)
    replied = func.avg(Stint.replied_at - Stint.started_at).filter(Stint.replied_at >= since)
    lasted = func.avg(Stint.ended_at - Stint.started_at).filter(is_today, is_handled)
    rated = func.avg(Stint.rating).filter(is_today)
    own = (Stint.agent_id == agent_id, Stint.ended_at.is_(None) | is_today)
    count, *averages = (await tx.execute(select(handled, replied, lasted, rated).where(*own))).one()
    response, duration, rating = (None if one is None else float(one) for one in averages)
    return Figures(count, _seconds(response), _seconds(duration), None if rating is None else round(rating, 2))


def _seconds(ms: float | None) -> float | None:
    return None if ms is None else round(ms / 1000, 1)


def shown(agent: Agent, now: int) -> Duty:
    """Offline is also who is not heard of."""
    is_here = now - (agent.last_seen_at or 0) < LOST_AFTER_MS
    status: Any = agent.status
    return status if is_here else "offline"


async def choose(tx: AsyncSession, actor: Actor, status: Duty, note: str) -> Agent:
    """The agent says what they do. Who takes no more customers loses the offers, and keeps whom they serve."""
    assert actor.id is not None
    await lock_agent(tx, actor.id)
    agent, now = await tx.get_one(Agent, actor.id), now_ms()
    before = {"status": shown(agent, now), "note": agent.status_note}
    audit(tx, "agent.status_changed", ("agent", agent.id), before, {"status": status, "note": note})
    _set(tx, agent, status, note, is_auto=False)
    agent.last_seen_at = agent.active_at = now
    if status in SERVING:
        await wake_assigner(tx)
    else:
        await withdraw_all(tx, agent.id, actor, "away")
    return agent


async def sign_of_life(tx: AsyncSession, agent: Agent, *, active: bool) -> None:
    """The agent, whose row is locked, is there, and with `active` has just done something."""
    now = now_ms()
    has_come = shown(agent, now) == "offline"
    agent.last_seen_at = now
    if active:
        agent.active_at = now
        if agent.is_auto:
            _set(tx, agent, "online", "", is_auto=False)
    if has_come and agent.status in SERVING:
        await wake_assigner(tx)


async def expect(tx: AsyncSession, agent_id: str) -> None:
    """The agent, whose row is locked, was given a session unasked: they have the whole grace to come for it."""
    agent = await tx.get_one(Agent, agent_id)
    agent.last_seen_at = max(agent.last_seen_at or 0, now_ms() - LOST_AFTER_MS)


async def wake_assigner(tx: AsyncSession) -> None:
    """Somebody may have room now."""
    if (await tx.execute(select(Shop.id).where(is_auto()).limit(1))).first() is not None:
        await enqueue(tx, AssignWaiting())


async def watch_duty(db: Database, busy_after: timedelta, job: Taken) -> None:
    """Handles `WatchDuty`."""
    if now_ms() - job.run_at > LATE_MS:
        await _begin_grace(db)
    if not await _is_anything(db, busy_after):
        await again_alone(db, job, EVERY)
        return
    for agent_id in await _lost(db):
        while await _give_some_back(db, agent_id):
            pass
    async with db.write() as tx:
        await _make_busy(tx, busy_after)
        await _see_to_offers(tx)
        await forget_told(tx)
        await again(tx, job, EVERY)


async def _is_anything(db: Database, busy_after: timedelta) -> bool:
    now = now_ms()
    idle = now - int(busy_after.total_seconds() * 1000)
    return bool(await db.fetch(ANYTHING, now - LOST_AFTER_MS - GRACE_MS, idle, now - LOST_AFTER_MS, now - KEPT_MS))


async def _give_some_back(db: Database, agent_id: str) -> bool:
    """Whether there may be more. Who has come back meanwhile keeps everything."""
    async with db.write() as tx:
        agent = await tx.get_one(Agent, agent_id, with_for_update=True)
        is_lost = agent.last_seen_at is not None and now_ms() - agent.last_seen_at >= LOST_AFTER_MS + GRACE_MS
        return is_lost and await give_back(tx, agent_id) > 0


async def _lost(db: Database) -> list[str]:
    """Who has sessions, or offers, and was not heard of for so long that they are lost."""
    before = now_ms() - LOST_AFTER_MS - GRACE_MS
    async with db.read() as tx:
        silent = select(Agent.id).where(Agent.id.in_(await holders(tx)), Agent.last_seen_at <= before)
        return list(await tx.scalars(silent))


async def _begin_grace(db: Database) -> None:
    """Nobody could give a sign of life while everything stood still: all who have sessions get the whole grace."""
    async with db.write() as tx:
        silent = select(Agent).where(Agent.id.in_(await holders(tx)), Agent.last_seen_at < now_ms() - LOST_AFTER_MS)
        for agent in await tx.scalars(silent.order_by(Agent.id).with_for_update()):
            agent.last_seen_at = now_ms() - LOST_AFTER_MS


async def _make_busy(tx: AsyncSession, after: timedelta) -> None:
    """Who does nothing for so long is busy with something else. A row that somebody holds is changing now: later."""
    now = now_ms()
    idle = select(Agent).where(Agent.status == "online", Agent.active_at < now - int(after.total_seconds() * 1000))
    idle = idle.where(Agent.last_seen_at > now - LOST_AFTER_MS).with_for_update(skip_locked=True)
    for agent in await tx.scalars(idle):
        _set(tx, agent, "busy", "", is_auto=True)


async def _see_to_offers(tx: AsyncSession) -> None:
    """Whatever made room without a word, such as a higher `max_sessions`, is found here."""
    if await unoffered(tx, now_ms(), 1):
        await enqueue(tx, AssignWaiting())


def _set(tx: AsyncSession, agent: Agent, status: Duty, note: str, *, is_auto: bool) -> None:
    agent.status, agent.status_note, agent.status_at, agent.is_auto = status, note, now_ms(), is_auto
    tell(tx, agent.id, "agent.status", status=status, status_note=note, is_auto=is_auto)
