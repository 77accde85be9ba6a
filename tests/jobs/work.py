"""Work of these tests, and what stands in the table."""

from dataclasses import dataclass
from datetime import timedelta
from typing import ClassVar

from sqlalchemy import select, update

from kefu.jobs.models import Job
from kefu.jobs.queue import Lane, Taken, Work, enqueue, take
from kefu.kit.clock import now_ms
from kefu.kit.db import Database


@dataclass(frozen=True, slots=True)
class Count(Work):
    """`upto` only tells one from another."""

    kind: ClassVar[str] = "count"
    lane: ClassVar[Lane] = "talk"

    upto: int


async def put(db: Database, *numbers: int, delay: timedelta = timedelta()) -> None:
    async with db.write() as tx:
        for number in numbers:
            await enqueue(tx, Count(number), delay)


async def taken(db: Database, worker: str = "one", limit: int = 100, lane: Lane = "talk") -> list[Taken]:
    return await take(db, lane, worker, limit)


async def rows(db: Database) -> list[Job]:
    async with db.read() as tx:
        return list((await tx.execute(select(Job).order_by(Job.id))).scalars())


async def let_leases_pass(db: Database) -> None:
    """As if their workers had been silent for long."""
    async with db.write() as tx:
        await tx.execute(update(Job).where(Job.leased_until.is_not(None)).values(leased_until=now_ms() - 1))


async def let_pauses_pass(db: Database) -> None:
    async with db.write() as tx:
        await tx.execute(update(Job).values(run_at=now_ms()))
