"""Sessions in which nothing happens any more are closed by the system (spec S6); a message reopens them."""

from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from kefu.jobs.queue import Taken, again
from kefu.kit.clock import now_ms
from kefu.kit.db import Database
from kefu.log.log import SYSTEM
from kefu.sessions.models import Session
from kefu.sessions.service import moved, record
from kefu.sessions.states import Move, Status

EVERY = timedelta(minutes=1)
BATCH = 50
# Who left an address is owed an answer, after however long a weekend.
OPEN = [status.value for status in Status if status not in {Status.CLOSED, Status.AFTER_HOURS_EMAIL}]


async def close_idle(db: Database, after: timedelta, job: Taken) -> None:
    """Handles `CloseIdle`: closes every session without an event for `after`, a batch in each transaction."""
    before = now_ms() - int(after.total_seconds() * 1000)
    while True:
        async with db.write() as tx:
            if await close_some(tx, before) < BATCH:
                await again(tx, job, EVERY)
                return


async def close_some(tx: AsyncSession, before: int) -> int:
    """Close at most BATCH sessions whose last event is older than `before` (ms); how many there were.

    The rows are locked, and looked at again under the lock. One that somebody holds is left out: it is changing now, or
    another worker closes it. In no order: the sessions by their age would begin with all that were ever closed.
    """
    idle = select(Session).where(Session.status.in_(OPEN), Session.updated_at < before)
    sessions = (await tx.scalars(idle.limit(BATCH).with_for_update(skip_locked=True))).all()
    for session in sessions:
        await record(tx, session, moved(session, Move.CLOSE, SYSTEM, reason="idle"))
    return len(sessions)
