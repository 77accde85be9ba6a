"""Workers run each job until it is done, none twice at once, and wake as soon as there is work."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from faults.waiting import until
from jobs.work import Count, let_pauses_pass, put, rows
from kefu.jobs import queue, worker
from kefu.jobs.queue import Taken, again, enqueue, finish
from kefu.jobs.worker import Worker
from kefu.kit.db import Database


class Counting:
    """Counts how often each job ran and how many times at once; fails the first `failures` runs of each."""

    def __init__(self, db: Database, pause: float = 0.0, failures: int = 0) -> None:
        self._db = db
        self._pause = pause
        self._failures = failures
        self.runs: Counter[int] = Counter()
        self.at_once: Counter[int] = Counter()
        self.most_at_once = 0
        self.most_of_one = 0
        self.done: set[int] = set()

    async def __call__(self, job: Taken) -> None:
        number = job.payload["upto"]
        self.runs[number] += 1
        self.at_once[number] += 1
        self.most_of_one = max(self.most_of_one, self.at_once[number])
        self.most_at_once = max(self.most_at_once, self.at_once.total())
        try:
            await asyncio.sleep(self._pause)
            if self.runs[number] <= self._failures:
                raise RuntimeError("not yet")
            async with self._db.write() as tx:
                await finish(tx, job.id)
            self.done.add(number)
        finally:
            self.at_once[number] -= 1

    async def finishes(self, numbers: set[int], patience: float = 10) -> None:
        async with asyncio.timeout(patience):
            while self.done != numbers:  # noqa: ASYNC110 - the handler knows nothing of who waits
                await asyncio.sleep(0.005)


@pytest.fixture
async def other(database_url: str) -> AsyncIterator[Database]:
    """As another process has it."""
    db = Database(database_url)
    yield db
    await db.close()


async def started(db: Database, handler: Counting, width: int = 8) -> Worker:
    running = Worker(db, "talk", {"count": handler}, width)
    running.start()
    await asyncio.sleep(0.05)
    return running


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)  # an SQLite file has one process
async def test_two_workers_run_every_job_once_and_none_at_once(db: Database, other: Database) -> None:
    handler = Counting(db, pause=0.003)
    workers = [await started(db, handler), await started(other, handler)]
    for first in range(0, 200, 40):
        await put(db, *range(first, first + 40))
        await asyncio.sleep(0.02)
    await handler.finishes(set(range(200)))
    assert (handler.runs.total(), handler.most_of_one, await rows(db)) == (200, 1, [])
    for one in workers:
        await one.stop()


async def test_work_of_this_process_starts_at_once_and_of_another_within_two_seconds(
    db: Database, other: Database
) -> None:
    handler = Counting(db)
    running = await started(db, handler)
    began = time.monotonic()
    await put(db, 1)
    await handler.finishes({1})
    assert time.monotonic() - began < 0.8
    await put(other, 2)
    await handler.finishes({1, 2}, patience=2)
    await running.stop()


async def test_who_only_waits_for_another_server_leaves_its_place(db: Database) -> None:
    gate, done = asyncio.Event(), asyncio.Event()
    waiting = Counting(db)

    async def handler(job: Taken) -> None:
        if job.payload["upto"] < 20:
            with worker.aside():
                await gate.wait()
        elif not done.is_set():
            done.set()
        await waiting(job)

    running = Worker(db, "talk", {"count": handler}, width=2)
    running.start()
    for number in range(21):
        await put(db, number)
    async with asyncio.timeout(20):
        await done.wait()
    gate.set()
    await waiting.finishes(set(range(21)), patience=20)
    assert running.aside == 0
    await running.stop()


async def test_a_worker_runs_no_more_than_its_width_and_loses_nothing_that_waits(db: Database) -> None:
    handler = Counting(db, pause=0.01)
    await put(db, *range(20))
    running = await started(db, handler, width=3)
    await handler.finishes(set(range(20)))
    assert (handler.most_at_once, handler.runs.total()) == (3, 20)
    await running.stop()


async def test_a_job_that_fails_runs_again_after_its_pause(db: Database) -> None:
    handler = Counting(db, failures=1)
    running = await started(db, handler)
    await put(db, 1)
    await asyncio.sleep(0.2)
    (row,) = await rows(db)
    assert (handler.runs[1], row.last_error) == (1, "RuntimeError: not yet")
    await let_pauses_pass(db)
    await handler.finishes({1}, patience=3)
    assert handler.runs[1] == 2
    await running.stop()


async def test_work_that_nobody_knows_is_kept_with_its_reason(db: Database) -> None:
    running = Worker(db, "talk", {})
    running.start()
    await put(db, 1)
    await asyncio.sleep(0.3)
    (row,) = await rows(db)
    assert (row.attempts, row.last_error) == (1, "KeyError: 'count'")
    await running.stop()


async def test_stopping_lets_what_runs_end_and_leaves_the_rest_to_others(db: Database, other: Database) -> None:
    handler = Counting(db, pause=0.3)
    await put(db, *range(6))
    running = await started(db, handler, width=4)
    await until(lambda: handler.at_once.total() == 4, 30)
    await running.stop()
    assert (len(handler.done), len(await rows(db))) == (4, 2)
    second = await started(other, handler)
    await handler.finishes(set(range(6)))
    assert handler.runs.total() == 6
    await second.stop()


async def test_a_job_that_runs_longer_than_its_lease_keeps_it(
    db: Database, other: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (queue, worker):
        monkeypatch.setattr(module, "LEASE", timedelta(seconds=1.2))
    handler = Counting(db, pause=3)
    workers = [await started(db, handler), await started(other, handler)]
    await put(db, 1)
    await handler.finishes({1})
    assert handler.runs[1] == 1
    for one in workers:
        await one.stop()


async def test_two_workers_serve_each_due_time_of_recurring_work_once(db: Database, other: Database) -> None:
    """Each time leaves a job that nobody takes, in the transaction that makes the work due again."""
    served: Counter[int] = Counter()

    async def tick(job: Taken) -> None:
        async with db.write() as tx:
            await enqueue(tx, Count(job.run_at), timedelta(hours=1))
            await again(tx, job, timedelta(milliseconds=1))
        served[job.run_at] += 1

    workers = [Worker(door, "talk", {"count": tick}, recurring=[Count(0)]) for door in (db, other)]
    for one in workers:
        one.start()
    async with asyncio.timeout(20):
        while len(served) < 10:
            for door in (db, other):
                door.signals.send("jobs", "talk")  # rather than wait a second for each
            await asyncio.sleep(0.01)
    for one in workers:
        await one.stop()
    recurring, *left = await rows(db)
    assert recurring.key == "count"
    assert set(served.values()) == {1}
    assert len(left) == len(served)


@pytest.mark.parametrize("turns", range(3))
async def test_a_worker_that_is_woken_while_it_is_stopped_stops(db: Database, turns: int) -> None:
    """`turns` of the event loop lie between the two."""
    worker = await started(db, Counting(db))
    await asyncio.sleep(0.1)
    db.signals.send("jobs", "talk")
    for _ in range(turns):
        await asyncio.sleep(0)
    async with asyncio.timeout(20):
        await worker.stop()
