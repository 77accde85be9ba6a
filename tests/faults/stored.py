"""What the database holds, read after the fact."""

import asyncio

from sqlalchemy import func, select

from faults.checker import Found, Seen
from faults.people import Told
from kefu.jobs.models import Job
from kefu.kit.db import Database
from kefu.log.log import Entry, read
from kefu.sessions.models import Session, stream_of

EVERYTHING = 1_000_000


async def found(db: Database, told: Told, seen: list[Seen]) -> Found:
    async with db.read() as tx:
        sessions = {session.name: session for session in await tx.scalars(select(Session))}
        logs: dict[str, list[Entry]] = {
            name: await read(tx, stream_of(name), public_only=False, limit=EVERYTHING) for name in sessions
        }
        jobs = await tx.scalar(select(func.count()).select_from(Job)) or 0
    return Found(told.acks, sessions, logs, seen, jobs)


async def until_idle(db: Database, seconds: float) -> float:
    """Wait until no job is left; returns the seconds that took. Raises TimeoutError."""
    began = asyncio.get_running_loop().time()
    async with asyncio.timeout(seconds):
        while True:
            async with db.read() as tx:
                if not await tx.scalar(select(func.count()).select_from(Job)):
                    return asyncio.get_running_loop().time() - began
            await asyncio.sleep(0.1)
