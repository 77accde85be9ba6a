"""Offers those who wait in shops that assign by themselves, the first of the queue first, while anybody has room."""

import asyncio
from contextlib import suppress

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from kefu.jobs.queue import Taken, finish_alone
from kefu.kit.clock import now_ms
from kefu.kit.db import Database
from kefu.kit.errors import Conflict, NotFound
from kefu.log.log import SYSTEM, read_last
from kefu.routing.assignment import UNASSIGNED, lock_agent, offer
from kefu.routing.rules import Wait, best
from kefu.routing.team import Colleague, colleagues
from kefu.sessions.models import Session, Stint, stream_of
from kefu.sessions.priority import order, words_of
from kefu.sessions.service import locked
from kefu.sessions.states import Status
from kefu.shops.models import Shop
from kefu.shops.service import is_auto

LOOKED_AT = 50
AT_ONCE = 200
DAY_MS = 86_400_000
PASSED = {"timeout", "declined"}


class Assigner:
    """Handles `AssignWaiting`. Of several that are due in one process the first does all the work."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._gate = asyncio.Lock()

    async def __call__(self, job: Taken) -> None:
        async with self._gate:
            for _ in range(AT_ONCE):
                if not await self._offer_next():
                    break
        await finish_alone(self._db, job.id)

    async def _offer_next(self) -> bool:
        """Whether there was somebody to offer to somebody; what changes meanwhile is looked at again."""
        async with self._db.read() as tx:
            choice = await _choose(tx)
        if choice is None:
            return False
        wait, agent = choice
        with suppress(Conflict, NotFound):
            async with self._db.write() as tx:
                await lock_agent(tx, agent.id)
                if (await locked(tx, wait.session)).agent_id is None:
                    await offer(tx, wait.session, agent.id, SYSTEM)
        return True


async def _choose(tx: AsyncSession) -> tuple[Wait, Colleague] | None:
    now = now_ms()
    waits = await _unoffered(tx, now)
    team = [one for one in await colleagues(tx) if one.is_on_duty(now) and one.room > 0] if waits else []
    if not team:
        return None
    busy_until = await _busy_until(tx, [one.id for one in team], now)
    for session in waits:
        wait = await _wait(tx, session)
        if agent := best(wait, team, busy_until):
            return wait, agent
    return None


async def _unoffered(tx: AsyncSession, now: int) -> list[Session]:
    waits = select(Session).join(Shop, Shop.id == Session.shop).where(is_auto())
    waits = waits.where(Session.status == Status.PENDING_MANUAL.value, Session.agent_id.is_(None))
    return list(await tx.scalars(waits.order_by(*order(now)).limit(LOOKED_AT)))


async def _wait(tx: AsyncSession, session: Session) -> Wait:
    tags = {session.shop, session.escalation_reason or "", *words_of(session.urgent_words)}
    withdrawn = await read_last(tx, stream_of(session.name), LOOKED_AT, types=(UNASSIGNED,), public_only=False)
    since = session.escalated_at or 0
    passed = {one.facts["agent"]["id"] for one in withdrawn if one.at >= since and one.facts["reason"] in PASSED}
    served = select(Stint.agent_id).join(Session, Session.name == Stint.session)
    served = served.where(Session.visitor_id == session.visitor_id, Session.visitor_id != "")
    last = await tx.scalar(served.order_by(Stint.started_at.desc()).limit(1))
    return Wait(session.name, session.locale, frozenset(tags), last, frozenset(passed))


async def _busy_until(tx: AsyncSession, agents: list[str], now: int) -> dict[str, int]:
    """When each of them last had a session, within a day: who has not had one for so long is idle enough."""
    until = func.coalesce(Stint.ended_at, now)
    recent = select(Stint.agent_id, func.max(until)).where(Stint.agent_id.in_(agents), until > now - DAY_MS)
    return dict((await tx.execute(recent.group_by(Stint.agent_id))).all())
