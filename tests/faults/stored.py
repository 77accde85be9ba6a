"""What the database holds, read after the fact."""

from typing import Any

from sqlalchemy import func, select

from faults.checker import Found, Seen
from faults.people import Told
from faults.waiting import until
from kefu.jobs.models import Job
from kefu.kit.db import Database
from kefu.log.log import Entry, read
from kefu.sessions.models import Session, stream_of

EVERYTHING = 1_000_000


async def found(
    db: Database, told: Told, seen: list[Seen], prefix: str = "", feed: list[dict[str, Any]] | None = None
) -> Found:
    """`prefix`: of the names of the sessions that are looked at."""
    async with db.read() as tx:
        chosen = select(Session).where(Session.name.startswith(prefix, autoescape=True))
        sessions = {session.name: session for session in await tx.scalars(chosen)}
        logs: dict[str, list[Entry]] = {
            name: await read(tx, stream_of(name), public_only=False, limit=EVERYTHING) for name in sessions
        }
    return Found(told.acks, sessions, logs, seen, await _jobs(db), told.shouted, told.races, feed)


async def until_idle(db: Database, seconds: float) -> float:
    """Wait until no job is left; returns the seconds that took. Raises TimeoutError."""

    async def is_idle() -> bool:
        return await _jobs(db) == 0

    return await until(is_idle, seconds)


async def _jobs(db: Database) -> int:
    """How many visitors wait for; recurring work is never done, and the bulk is for a worker, who may not be there."""
    async with db.read() as tx:
        return await tx.scalar(select(func.count()).where(Job.key.is_(None), Job.lane == "talk")) or 0
