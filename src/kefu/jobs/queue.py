"""Put work into the queue, take it under a lease, finish it or give it back.

At least once: a handler may run again after a crash, so handlers are idempotent.
"""

import random
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, ClassVar, Literal

import orjson
from sqlalchemy import delete, insert, update
from sqlalchemy.ext.asyncio import AsyncSession

from kefu.jobs.models import Job
from kefu.kit.clock import Ms, now_ms
from kefu.kit.db import Database, announce

Lane = Literal["talk", "bulk"]
LEASE = timedelta(seconds=15)
MAX_ATTEMPTS = 8
BACKOFF_CAP = timedelta(minutes=10)


class Work:
    """Base of the dataclasses that say what must be done; their fields are JSON values."""

    kind: ClassVar[str]
    lane: ClassVar[Lane]


@dataclass(frozen=True, slots=True)
class Taken:
    """A job under our lease."""

    id: int
    kind: str
    payload: dict[str, Any]
    attempts: int


def row_of(work: Work, now: int, delay: timedelta = timedelta()) -> dict[str, Any]:
    """The columns of a new job row for `work`."""
    due = now + int(delay.total_seconds() * 1000)
    payload = orjson.dumps(work).decode()
    return {"lane": work.lane, "kind": work.kind, "payload": payload, "run_at": due, "created_at": now}


async def enqueue(tx: AsyncSession, work: Work, delay: timedelta = timedelta()) -> None:
    """Write the job in the caller's transaction and wake a worker of this process after the commit."""
    row = row_of(work, now_ms(), delay)
    await tx.execute(insert(Job).values(row))
    announce(tx, "jobs", work.lane)


TAKE = """
UPDATE jobs SET leased_until = $1, leased_by = $2, attempts = attempts + 1
WHERE id IN (
    SELECT id FROM jobs
    WHERE lane = $3 AND NOT is_dead AND run_at <= $4 AND (leased_until IS NULL OR leased_until < $4)
    ORDER BY run_at LIMIT $5 {skip_locked}
) RETURNING id, kind, payload, attempts
"""


async def take(db: Database, lane: Lane, worker: str, limit: int) -> list[Taken]:
    """Lease up to `limit` due jobs, oldest first. Two workers never get the same one while the lease lasts."""
    sql = TAKE.format(skip_locked="" if db.is_sqlite else "FOR UPDATE SKIP LOCKED")
    now = now_ms()
    rows = await db.execute(sql, _lease_end(now), worker, lane, now, limit)
    return [Taken(row[0], row[1], orjson.loads(row[2]), row[3]) for row in rows]


def _lease_end(now: Ms) -> int:
    return now + int(LEASE.total_seconds() * 1000)


async def free_all(tx: AsyncSession, lane: Lane) -> None:
    """Let the lane's leases go at once. For the one app process of an SQLite database, whose predecessor is gone."""
    await tx.execute(update(Job).where(Job.lane == lane).values(leased_until=None, leased_by=None))


async def renew(tx: AsyncSession, ids: list[int], worker: str) -> None:
    """Keep the leases of jobs that still run."""
    await tx.execute(
        update(Job).where(Job.id.in_(ids), Job.leased_by == worker).values(leased_until=_lease_end(now_ms()))
    )


async def finish(tx: AsyncSession, job_id: int) -> None:
    """The work is done. Call it in the transaction that did the work, so that both are true or neither.

    Safe to repeat.
    """
    await tx.execute(delete(Job).where(Job.id == job_id))


async def finish_alone(db: Database, job_id: int) -> None:
    """There was nothing to do, so no transaction did it. Safe to repeat."""
    await db.execute("DELETE FROM jobs WHERE id = $1", job_id)


async def give_back(tx: AsyncSession, job: Taken, error: str) -> None:
    """Try again later (exponential with jitter, at most 10 minutes), or mark it dead after MAX_ATTEMPTS.

    Changes nothing when the lease passed and somebody else has taken the job since.
    """
    pause = min(BACKOFF_CAP.total_seconds(), 2.0 ** (job.attempts - 1)) * random.uniform(0.5, 1)  # noqa: S311 - spreads load, guards nothing
    await tx.execute(
        update(Job)
        .where(Job.id == job.id, Job.attempts == job.attempts)
        .values(
            leased_until=None,
            leased_by=None,
            is_dead=job.attempts >= MAX_ATTEMPTS,
            run_at=now_ms() + int(pause * 1000),
            last_error=error[:2000],
        )
    )
