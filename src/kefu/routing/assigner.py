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
from kefu.sessions.held import last_agent
from kefu.sessions.models import Session, Stint, stream_of
from kefu.sessions.priority import words_of
from kefu.sessions.queue import unoffered
from kefu.sessions.service import locked

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
                session = await locked(tx, wait.session)
                # Meanwhile another process may have offered it, and they may have let it pass.
                if session.agent_id is None and agent.id not in await _passed(tx, session):
                    await offer(tx, wait.session, agent.id, SYSTEM)
        return True


async def _choose(tx: AsyncSession) -> tuple[Wait, Colleague] | None:
    now = now_ms()
    waits = await unoffered(tx, now, LOOKED_AT)
    team = [one for one in await colleagues(tx) if one.is_on_duty(now) and one.room > 0] if waits else []
    if not team:
        return None
    busy_until = await _busy_until(tx, [one.id for one in team], now)
    for session in waits:
        wait = await _wait(tx, session)
        if agent := best(wait, team, busy_until):
            return wait, agent
    return None


async def _wait(tx: AsyncSession, session: Session) -> Wait:
    tags = {session.shop, session.escalation_reason or "", *words_of(session.urgent_words)}
    last = await last_agent(tx, session.visitor_id)
    return Wait(session.name, session.locale, frozenset(tags), last, await _passed(tx, session))


async def _passed(tx: AsyncSession, session: Session) -> frozenset[str]:
    """Who let it pass in this wait."""
    withdrawn = await read_last(tx, stream_of(session.name), LOOKED_AT, types=(UNASSIGNED,), public_only=False)
    since = session.escalated_at or 0
    return frozenset(one.facts["agent"]["id"] for one in withdrawn if one.at >= since and one.facts["reason"] in PASSED)


async def _busy_until(tx: AsyncSession, agents: list[str], now: int) -> dict[str, int]:
    """When each of them last had a session, within a day: who has not had one for so long is idle enough."""
    until = func.coalesce(Stint.ended_at, now)
    recent = select(Stint.agent_id, func.max(until)).where(Stint.agent_id.in_(agents), until > now - DAY_MS)
    return dict((await tx.execute(recent.group_by(Stint.agent_id))).all())
