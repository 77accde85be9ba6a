"""The queue: who gets a job, for how long, and what becomes of one that fails."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from jobs.work import Count, let_leases_pass, let_pauses_pass, put, rows, taken
from kefu.jobs.queue import (
    KILLED,
    LEASE,
    MAX_ATTEMPTS,
    Away,
    ServedBefore,
    Taken,
    again,
    dead,
    enqueue,
    ensure,
    finish,
    give_back,
    renew,
    retry,
)
from kefu.kit.clock import now_ms
from kefu.kit.db import Database


async def fail(db: Database, job: Taken, error: str = "it rained", kind: type[Exception] = RuntimeError) -> None:
    async with db.write() as tx:
        await give_back(tx, job, kind(error))


async def recur(db: Database, key: str = "nightly") -> None:
    async with db.write() as tx:
        await ensure(tx, Count(1), key)


async def serve(db: Database, job: Taken, number: int) -> None:
    """Recurring work: leaves a job with this number, so that it can be counted."""
    async with db.write() as tx:
        await enqueue(tx, Count(number), timedelta(hours=1))
        await again(tx, job, timedelta(minutes=1))


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


async def test_no_more_is_taken_than_asked_for_whatever_the_plan(db: Database) -> None:
    """PostgreSQL chooses a plan by what it has counted; these are the ones that once took everything."""
    if not db.is_sqlite:
        async with db.write() as tx:
            for kind in ("hashagg", "hashjoin", "mergejoin", "material", "memoize", "sort"):
                base = (await tx.execute(text("SELECT current_database()"))).scalar_one()
                await tx.execute(text(f'ALTER DATABASE "{base}" SET enable_{kind} = off'))
        await db.engine.dispose()
    await put(db, *range(20))
    assert [len(await taken(db, limit=3)) for _ in range(8)] == [3, 3, 3, 3, 3, 3, 2, 0]


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
        assert (row.is_dead, row.last_error, row.leased_by) == (attempt == 8, f"RuntimeError: failure {attempt}", None)
        await let_pauses_pass(db)
    assert await taken(db) == []


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_work_waits_a_day_for_who_is_away_a_quarter_of_an_hour_at_a_time(db: Database) -> None:
    """Each turn of the loop is one try; the job ages by the pause that it was given."""
    await put(db, 1)
    ages, age = [], 0
    while True:
        (job,) = await taken(db)
        assert job.attempts == 1, "it is no killer"
        await fail(db, job, "nobody there", Away)
        (row,) = await rows(db)
        if row.is_dead:
            break
        pause = row.run_at - now_ms()
        age += max(pause, 0)
        ages.append(age)
        longest = min(900, max(1, (now_ms() - row.created_at) / 1000)) * 1000
        assert longest / 2 - 5000 <= pause <= longest + 1000
        await db.execute("UPDATE jobs SET run_at = $1, created_at = created_at - $2", now_ms(), max(pause, 1000))
    minute = 60_000
    assert len([one for one in ages if one < 60 * minute]) > 8, "often in the first hour"
    assert 23 * 60 * minute < age < 25 * 60 * minute
    async with db.write() as tx:
        assert await retry(tx, row.id)
    (back,) = await taken(db)
    assert not back.is_last_try


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


async def test_a_job_that_kills_its_process_is_dead_after_the_eighth_time(db: Database) -> None:
    await put(db, 1)
    for _ in range(MAX_ATTEMPTS):
        assert len(await taken(db)) == 1
        await let_leases_pass(db)
    await put(db, 2)
    assert [job.payload for job in await taken(db)] == [{"upto": 2}], "others go on"
    killer, other = await rows(db)
    assert (killer.is_dead, killer.last_error) == (True, KILLED)
    assert not other.is_dead


async def test_a_dead_job_is_shown_and_brought_back_with_all_its_attempts(db: Database) -> None:
    await put(db, 1, 2)
    first, *_ = await taken(db, limit=1)
    for n in range(1, MAX_ATTEMPTS):
        await fail(db, first, f"failure {n}")
        await let_pauses_pass(db)
        first = next(job for job in await taken(db) if job.id == first.id)
        await let_leases_pass(db)
    await fail(db, first, "failure 8")
    async with db.write() as tx:
        (gone,) = await dead(tx)
        assert (gone.id, gone.last_error) == (first.id, "RuntimeError: failure 8")
        assert await retry(tx, gone.id)
        assert not await retry(tx, gone.id), "it lives"
        assert not await retry(tx, 10_000)
        assert await dead(tx) == []
    (back,) = (job for job in await taken(db) if job.id == first.id)
    assert back.attempts == 1


async def test_recurring_work_is_there_once_however_many_put_it_there(db: Database) -> None:
    await asyncio.gather(*(recur(db) for _ in range(8)))
    await recur(db, "another")
    assert [row.key for row in await rows(db)] == ["nightly", "another"]


async def test_recurring_work_is_due_again_after_its_pause_and_keeps_its_row(db: Database) -> None:
    await recur(db)
    (job,) = await taken(db)
    assert job.key == "nightly"
    await serve(db, job, 5)
    await recur(db)
    assert await taken(db) == []
    row, _ = await rows(db)
    assert (row.id, row.attempts, row.leased_by) == (job.id, 0, None)
    assert 50_000 < row.run_at - now_ms() <= 60_000
    await let_pauses_pass(db)
    assert job.id in {one.id for one in await taken(db)}


async def test_of_all_who_do_recurring_work_for_one_due_time_one_commits(db: Database) -> None:
    """A worker that was stopped for longer than its lease comes back, and another has the job."""
    await recur(db)
    (late,) = await taken(db, "late")
    await let_leases_pass(db)
    (other,) = await taken(db, "other")
    outcomes = await asyncio.gather(serve(db, other, 2), serve(db, late, 3), return_exceptions=True)
    assert [type(one) for one in outcomes if one] == [ServedBefore]
    assert len(await rows(db)) == 2
    for loser in (late, other):
        await fail(db, loser)
    assert (await rows(db))[0].last_error is None, "who comes too late changes nothing"


async def test_recurring_work_does_not_die_of_errors_but_of_killing(db: Database) -> None:
    await recur(db)
    for n in range(MAX_ATTEMPTS + 2):
        (job,) = await taken(db)
        await fail(db, job, f"failure {n}")
        (row,) = await rows(db)
        assert (row.is_dead, row.last_error) == (False, f"RuntimeError: failure {n}")
        assert 50_000 < row.run_at - now_ms() <= 60_000
        await let_pauses_pass(db)
    for _ in range(MAX_ATTEMPTS):
        assert len(await taken(db)) == 1
        await let_leases_pass(db)
    assert await taken(db) == []
    await recur(db)
    (row,) = await rows(db)
    assert (row.is_dead, row.last_error) == (True, KILLED), "nor does a start bring it back"
