"""Runs the jobs of one lane in this process."""

import asyncio
import os
import secrets
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from contextvars import ContextVar

import structlog

from kefu.jobs.queue import LEASE, Lane, Taken, Work, ensure, free_all, give_back, renew, take
from kefu.kit.acting import go_on_for
from kefu.kit.db import Database
from kefu.kit.errors import Unavailable

log = structlog.get_logger()

Handler = Callable[[Taken], Awaitable[None]]
POLL_SECONDS = 1.0
# Jobs that only wait for somebody else, beside those that are worked on.
MOST_ASIDE = 600

_worker: ContextVar["Worker | None"] = ContextVar("worker", default=None)


@contextmanager
def aside() -> Iterator[None]:
    """For what a handler does while it only waits for another server: meanwhile its place is somebody else's.

    So that who waits for a server that hangs keeps nobody from being served.
    """
    worker = _worker.get()
    if worker is None or worker.aside >= MOST_ASIDE:
        yield
        return
    worker.step_aside()
    try:
        yield
    finally:
        worker.aside -= 1


class Worker:
    """Takes due jobs of `lane`, at most `width` at once, and hands each to the handler of its kind.

    `recurring` work is put into the queue at the start, once for all workers of the database.

    Wakes at once when work is enqueued in this process, otherwise every second. A handler calls `queue.finish` in the
    transaction that does the work, so that work and job end together; one that raises gives its job back with a pause.
    `stop()` lets running handlers finish for a moment; what is cut off is taken up again when its lease has passed.
    """

    def __init__(
        self,
        db: Database,
        lane: Lane,
        handlers: Mapping[str, Handler],
        width: int = 16,
        recurring: Sequence[Work] = (),
    ) -> None:
        self._db = db
        self._recurring = recurring
        self._lane = lane
        self._handlers = handlers
        self._width = width
        self._name = f"{os.getpid()}-{secrets.token_hex(4)}"
        self._wake = asyncio.Event()
        self._running: dict[int, asyncio.Task[None]] = {}
        self.aside = 0
        self._loop: asyncio.Task[None] | None = None
        self._renewal: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._db.signals.listen("jobs", self._rung)
        self._loop = asyncio.create_task(self._take_forever(), name=f"worker-{self._lane}")
        self._renewal = asyncio.create_task(self._renew_forever(), name=f"leases-{self._lane}")

    async def stop(self, patience: float = 3.0) -> None:
        if self._loop:
            self._loop.cancel()
        if self._running:
            await asyncio.wait(self._running.values(), timeout=patience)
        tasks = [task for task in (self._loop, self._renewal, *self._running.values()) if task]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def step_aside(self) -> None:
        """One of the running jobs leaves its place until `aside` is lowered again."""
        was_full = self._free <= 0
        self.aside += 1
        if was_full:
            self._wake.set()

    @property
    def _free(self) -> int:
        return self._width + self.aside - len(self._running)

    def _rung(self, lane: Lane) -> None:
        if lane == self._lane:
            self._wake.set()

    async def _take_forever(self) -> None:
        has_begun = False
        while True:
            self._wake.clear()
            try:
                if not has_begun:
                    await self._begin()
                    has_begun = True
                await self._take()
            except Exception:
                log.warning("jobs.not_taken", lane=self._lane, exc_info=True)
            with suppress(TimeoutError):
                async with asyncio.timeout(POLL_SECONDS):
                    await self._wake.wait()

    async def _begin(self) -> None:
        """Free what the predecessor left, which is gone: SQLite has one process. See that recurring work is there."""
        async with self._db.write() as tx:
            if self._db.is_sqlite:
                await free_all(tx, self._lane)
            for work in self._recurring:
                await ensure(tx, work, work.kind)

    async def _take(self) -> None:
        """Take what there is until all places are filled or nothing is due."""
        while (free := self._free) > 0:
            jobs = await take(self._db, self._lane, self._name, free)
            for job in jobs:
                self._running[job.id] = asyncio.create_task(self._run(job), name=f"job-{job.kind}-{job.id}")
            if len(jobs) < free:
                return

    async def _run(self, job: Taken) -> None:
        _worker.set(self)
        go_on_for(job.request)
        try:
            await self._handlers[job.kind](job)
        except Exception as error:
            log.warning("job.failed", kind=job.kind, attempts=job.attempts, exc_info=True)
            await self._give_back(job, error)
        finally:
            was_full = self._free <= 0
            self._running.pop(job.id, None)
            if was_full:
                self._wake.set()

    async def _give_back(self, job: Taken, error: Exception) -> None:
        """Until the database takes it: a job that stays leased waits for its lease to pass."""
        while True:
            try:
                async with self._db.write() as tx:
                    await give_back(tx, job, error)
            except Unavailable:
                await asyncio.sleep(POLL_SECONDS)
            else:
                return

    async def _renew_forever(self) -> None:
        while True:
            await asyncio.sleep(LEASE.total_seconds() / 3)
            try:
                await self._renew()
            except Exception:
                log.warning("jobs.not_renewed", lane=self._lane, exc_info=True)

    async def _renew(self) -> None:
        if self._running:
            async with self._db.write() as tx:
                await renew(tx, list(self._running), self._name)
