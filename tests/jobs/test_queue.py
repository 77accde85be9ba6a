"""The queue: who gets a job, for how long, and what becomes of one that fails."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from jobs.work import Count, let_leases_pass, let_pauses_pass, put, rows, taken
from kefu.jobs.queue import LEASE, MAX_ATTEMPTS, Taken, enqueue, finish, give_back, renew
from kefu.kit.clock import now_ms
from kefu.kit.db import Database


async def fail(db: Database, job: Taken, error: str = "it rained") -> None:
    async with db.write() as tx:
        await give_back(tx, job, error)


async def put_twice(db: Database) -> None:
    """Work, and then a change that is refused."""
    async with db.write() as tx:
        await enqueue(tx, Count(1))
        await tx.execute(text("INSERT INTO shops (id) VALUES (NULL)"))


async def test_what_waits_longest_is_taken_first_once_and_only_in_its_lane(db: Database) -> None:
    await put(db, 1, 2, 3)
    assert await taken(db, lane="bulk") == []
    assert [job.payload for job in await taken(db, limit=2)] == [{"upto": 1}, {"upto": 2}]
    assert [job.payload for job in await taken(db, "two")] == [{"upto": 3}]
    assert await taken(db, "three") == []


async def test_work_is_not_there_before_its_time(db: Database) -> None:
    await put(db, 1, delay=timedelta(seconds=30))
    assert await taken(db) == []
    await let_pauses_pass(db)
    assert len(await taken(db)) == 1


async def test_work_is_written_with_the_change_or_not_at_all(db: Database) -> None:
    woken: list[str] = []
    db.signals.listen("jobs", woken.append)
    with pytest.raises(IntegrityError):
        await put_twice(db)
    assert (await rows(db), woken) == ([], [])
    await put(db, 1)
    assert (len(await rows(db)), woken) == (1, ["talk"])


async def test_a_lost_workers_job_is_taken_over_when_its_lease_has_passed(db: Database) -> None:
    await put(db, 1)
    (first,) = await taken(db, "lost")
    assert await taken(db, "other") == []
    (row,) = await rows(db)
    assert 0 < (row.leased_until or 0) - now_ms() <= LEASE.total_seconds() * 1000
    await let_leases_pass(db)
    (second,) = await taken(db, "other")
    assert (second.id, second.attempts) == (first.id, first.attempts + 1)


async def test_a_lease_is_renewed_only_by_who_holds_it(db: Database) -> None:
    await put(db, 1)
    (job,) = await taken(db, "lost")
    await let_leases_pass(db)
    await taken(db, "other")
    await let_leases_pass(db)
    async with db.write() as tx:
        await renew(tx, [job.id], "lost")
    (row,) = await rows(db)
    assert (row.leased_until or 0) < now_ms()
    async with db.write() as tx:
        await renew(tx, [job.id], "other")
    assert await taken(db, "third") == []


async def test_a_worker_that_lost_its_lease_does_not_give_away_the_job_of_the_next(db: Database) -> None:
    await put(db, 1)
    (late,) = await taken(db, "late")
    await let_leases_pass(db)
    await taken(db, "next")
    await fail(db, late)
    assert await taken(db, "third") == []
    (row,) = await rows(db)
    assert (row.leased_by, row.last_error) == ("next", None)


async def test_pauses_grow_and_after_the_eighth_failure_the_job_is_dead(db: Database) -> None:
    await put(db, 1)
    for attempt in range(1, MAX_ATTEMPTS + 1):
        (job,) = await taken(db)
        assert job.attempts == attempt
        await fail(db, job, f"failure {attempt}")
        (row,) = await rows(db)
        longest = min(600, 2 ** (attempt - 1)) * 1000
        assert longest / 2 - 1000 <= row.run_at - now_ms() <= longest
        assert (row.is_dead, row.last_error, row.leased_by) == (attempt == 8, f"failure {attempt}", None)
        await let_pauses_pass(db)
    assert await taken(db) == []


async def test_finished_work_leaves_no_row_and_finishing_twice_is_safe(db: Database) -> None:
    await put(db, 1)
    (job,) = await taken(db)
    for _ in range(2):
        async with db.write() as tx:
            await finish(tx, job.id)
    assert await rows(db) == []


async def test_ten_who_take_at_once_share_the_jobs_between_them(db: Database) -> None:
    await put(db, *range(100))
    shares = await asyncio.gather(*(taken(db, f"worker {n}", limit=10) for n in range(10)))
    found = sorted(job.payload["upto"] for share in shares for job in share)
    assert found == list(range(100))
