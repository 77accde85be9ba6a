"""Put work into the queue, take it under a lease, finish it or give it back.

At least once: a handler may run again after a crash, so handlers are idempotent. Recurring work is one row with a key:
whoever does it makes it due again instead of finishing it, so each due time is served once.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, ClassVar, Literal

import orjson
from sqlalchemy import delete, func, insert, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from kefu.jobs.models import Job
from kefu.kit.acting import acting
from kefu.kit.clock import Ms, now_ms
from kefu.kit.db import Database, announce
from kefu.kit.masking import mask_text

Lane = Literal["talk", "desk", "bulk"]
REQUEST = "request"  # in a payload: whose, for the log and for those who are asked on its behalf
LEASE = timedelta(seconds=15)
MAX_ATTEMPTS = 8
BACKOFF_CAP = timedelta(minutes=10)
RECURRING_PAUSE = timedelta(minutes=1)
# How long, and at what pauses at most, work waits for somebody outside who is away.
OUTAGE = timedelta(hours=24)
OUTAGE_CAP = timedelta(minutes=15)
KILLED = f"Taken {MAX_ATTEMPTS} times, and the last time not given back: the process ended while doing it."


class Work:
    """Base of the dataclasses that say what must be done; their fields are JSON values."""

    kind: ClassVar[str]
    lane: ClassVar[Lane]


@dataclass(frozen=True, slots=True)
class Taken:
    """A job under our lease. `run_at`: when it was due, ms; `created_at`: asked for; `key`: of recurring work.

    `request`: the id of the request that asked for it, if one did.
    """

    id: int
    kind: str
    payload: dict[str, Any]
    attempts: int
    run_at: int
    key: str | None
    created_at: int
    request: str = ""

    @property
    def is_last_try(self) -> bool:
        """Of work that waits for somebody outside: when it fails once more, it is given up."""
        return now_ms() - self.created_at >= int(OUTAGE.total_seconds() * 1000)


class Away(Exception):
    """A handler raises it for somebody outside who cannot be reached now: the work waits OUTAGE for them."""


def row_of(work: Work, now: int, delay: timedelta = timedelta(), request: str = "") -> dict[str, Any]:
    """The columns of a new job row for `work`, which the request of this id asks for."""
    due = now + int(delay.total_seconds() * 1000)
    payload = orjson.dumps(work).decode()
    if request:
        payload = orjson.dumps({**orjson.loads(payload), REQUEST: request}).decode()
    return {"lane": work.lane, "kind": work.kind, "payload": payload, "run_at": due, "created_at": now}


async def enqueue(tx: AsyncSession, work: Work, delay: timedelta = timedelta()) -> None:
    """Write the job in the caller's transaction and wake a worker of this process after the commit."""
    await enqueue_all(tx, [work], delay)


async def enqueue_all(tx: AsyncSession, works: Sequence[Work], delay: timedelta = timedelta()) -> None:
    """As `enqueue`, by one statement."""
    if works:
        now = now_ms()
        await tx.execute(insert(Job), [row_of(one, now, delay, acting().request_id) for one in works])
    for lane in {one.lane for one in works}:
        announce(tx, "jobs", lane)


ENSURE = """
INSERT INTO jobs (lane, kind, key, payload, run_at, created_at)
VALUES (:lane, :kind, :key, :payload, :run_at, :created_at) ON CONFLICT DO NOTHING
"""


async def ensure(tx: AsyncSession, work: Work, key: str) -> None:
    """Have the recurring `work`, due now, unless there is a row with its key already (also a dead one)."""
    await tx.execute(text(ENSURE), row_of(work, now_ms()) | {"key": key})
    announce(tx, "jobs", work.lane)


# The rows are chosen first and once: a plain subquery PostgreSQL may run again for each row that it compares, each time
# with the next rows that are free, and so take more than the limit.
TAKE = """
WITH due AS MATERIALIZED (
    SELECT id FROM jobs
    WHERE lane = $3 AND NOT is_dead AND run_at <= $4 AND (leased_until IS NULL OR leased_until < $4)
    ORDER BY run_at, id LIMIT $5 {skip_locked}
)
UPDATE jobs SET leased_until = $1, leased_by = $2, attempts = attempts + 1, is_dead = attempts >= $6,
    last_error = CASE WHEN attempts >= $6 THEN $7 ELSE last_error END
WHERE id IN (SELECT id FROM due) RETURNING id, kind, payload, attempts, run_at, key, created_at, is_dead
"""


async def take(db: Database, lane: Lane, worker: str, limit: int) -> list[Taken]:
    """Lease up to `limit` due jobs, oldest first. Two workers never get the same one while the lease lasts.

    One that was leased MAX_ATTEMPTS times and never given back kills who does it, and is dead.
    """
    sql = TAKE.format(skip_locked="" if db.is_sqlite else "FOR UPDATE SKIP LOCKED")
    now = now_ms()
    rows = await db.execute(sql, _lease_end(now), worker, lane, now, limit, MAX_ATTEMPTS, KILLED)
    jobs = [_taken(facts) for *facts, is_dead in rows if not is_dead]
    return sorted(jobs, key=lambda job: (job.run_at, job.id))  # RETURNING has no order


def _taken(row: Sequence[Any]) -> Taken:
    job, kind, payload, attempts, run_at, key, created_at = row
    wanted = orjson.loads(payload)
    return Taken(job, kind, wanted, attempts, run_at, key, created_at, wanted.pop(REQUEST, ""))


@dataclass(frozen=True, slots=True)
class Standing:
    """By lane, `waiting`: how many are due and nobody has taken, and since when the first of them is due (ms).

    `dead`: how many were given up.
    """

    waiting: dict[str, tuple[int, int]]
    dead: dict[str, int]


async def standing(tx: AsyncSession) -> Standing:
    """What is worked on does not wait, however long it takes."""
    now = now_ms()
    is_free = Job.leased_until.is_(None) | (Job.leased_until < now)
    due = select(Job.lane, func.count(), func.min(Job.run_at)).where(~Job.is_dead, Job.run_at <= now, is_free)
    dead = select(Job.lane, func.count()).where(Job.is_dead)
    waiting = {lane: (count, first) for lane, count, first in await tx.execute(due.group_by(Job.lane))}
    return Standing(waiting, dict((await tx.execute(dead.group_by(Job.lane))).all()))


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


class ServedBefore(Exception):
    """The lease passed, and another worker did this recurring work for the same due time."""


async def again(tx: AsyncSession, job: Taken, pause: timedelta) -> None:
    """Make recurring work due again. Call it, as `finish`, in the transaction that did the work.

    Raises ServedBefore, which undoes that transaction: of all who do the work for one due time, one commits.
    """
    due = now_ms() + int(pause.total_seconds() * 1000)
    moved = update(Job).where(Job.id == job.id, Job.run_at == job.run_at).returning(Job.id)
    values = {"run_at": due, "attempts": 0, "last_error": None, "leased_until": None, "leased_by": None}
    if (await tx.execute(moved.values(values))).first() is None:
        raise ServedBefore


AGAIN = """
UPDATE jobs SET run_at = $1, attempts = 0, last_error = NULL, leased_until = NULL, leased_by = NULL
WHERE id = $2 AND run_at = $3
"""


async def again_alone(db: Database, job: Taken, pause: timedelta) -> None:
    """There was nothing to do, so no transaction did it. Safe to repeat."""
    await db.execute(AGAIN, now_ms() + int(pause.total_seconds() * 1000), job.id, job.run_at)


async def give_back(tx: AsyncSession, job: Taken, error: Exception) -> None:
    """Try again later (exponential with jitter, at most 10 minutes), or mark it dead after MAX_ATTEMPTS.

    After Away the pauses grow to 15 minutes, and only time ends the attempts. Recurring work never dies of an error: it
    is tried again in a minute. Changes nothing when the lease passed and somebody else has taken the job since.
    """
    is_recurring, is_away = job.key is not None, isinstance(error, Away)
    gives_up = job.is_last_try if is_away else job.attempts >= MAX_ATTEMPTS
    await tx.execute(
        update(Job)
        .where(Job.id == job.id, Job.attempts == job.attempts, Job.run_at == job.run_at)
        .values(
            leased_until=None,
            leased_by=None,
            attempts=0 if is_recurring or is_away else job.attempts,
            is_dead=gives_up and not is_recurring,
            run_at=now_ms() + int(_pause(job, is_away=is_away) * 1000),
            last_error=mask_text(f"{type(error).__name__}: {error}"[:2000]),
        )
    )


def _pause(job: Taken, *, is_away: bool) -> float:
    """Seconds. Who waits for somebody outside waits about as long again as they have."""
    if job.key is not None:
        return RECURRING_PAUSE.total_seconds()
    age = (now_ms() - job.created_at) / 1000
    longest, wanted = (OUTAGE_CAP, age) if is_away else (BACKOFF_CAP, 2.0 ** (job.attempts - 1))
    return min(longest.total_seconds(), max(1.0, wanted)) * random.uniform(0.5, 1)  # noqa: S311 - spreads load, guards nothing


async def dead(tx: AsyncSession, limit: int = 100) -> list[Job]:
    """What was given up, the newest first."""
    return list(await tx.scalars(select(Job).where(Job.is_dead).order_by(Job.id.desc()).limit(limit)))


async def retry(tx: AsyncSession, job_id: int) -> bool:
    """Bring a dead job back, due now, with all its attempts before it. False when there is no such dead job."""
    now = now_ms()
    values = {"is_dead": False, "attempts": 0, "run_at": now, "created_at": now, "leased_until": None}
    back = update(Job).where(Job.id == job_id, Job.is_dead).values(values).returning(Job.lane)
    lane = (await tx.execute(back)).scalar_one_or_none()
    if lane is not None:
        announce(tx, "jobs", lane)
    return lane is not None
