"""What the whole desk sees: every session's summary when it changes, and each waiting visitor's place in the queue."""

import asyncio
from collections import OrderedDict
from itertools import groupby
from operator import itemgetter

import structlog

from kefu.bus.ports import Bus, Notice
from kefu.kit.clock import now_ms
from kefu.kit.db import Database
from kefu.realtime.hub import SESSION, Hub, ephemeral
from kefu.sessions.models import stream_of
from kefu.sessions.queries import find_many, queue
from kefu.sessions.since import changed
from kefu.sessions.summaries import summary_of

log = structlog.get_logger()

DESK = "desk"
PAUSE_SECONDS = 0.05
POLL_SECONDS = 1.0
OVERLAP_MS = 3_000
BATCH = 200
REMEMBERED = 5_000


def desk_of(agent_id: str) -> str:
    """The stream of what only this agent's own tabs need to know."""
    return f"{DESK}/{agent_id}"


class Desk:
    """Gathers changed sessions for a moment, reads them in one query and tells the followers of this process.

    Every process has a desk that hears of every change, so what a desk finds stays off the bus. It also finds what no
    bus brought.
    """

    def __init__(self, db: Database, bus: Bus, hub: Hub) -> None:
        self._db = db
        self._hub = hub
        self._changed: set[str] = set()
        self._queue_moved = False
        self._known: OrderedDict[str, int] = OrderedDict()
        self._ring = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        bus.listen(self._hear)

    def start(self) -> None:
        self._tasks = [
            asyncio.create_task(self._publish_forever(), name="desk"),
            asyncio.create_task(self._poll_forever(), name="desk-poll"),
        ]

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _hear(self, notice: Notice) -> None:
        if notice.seq and notice.stream.startswith(SESSION):
            self._mark(notice.stream.removeprefix(SESSION), queue_moved=notice.type.startswith("session."))

    def _mark(self, name: str, *, queue_moved: bool) -> None:
        self._changed.add(name)
        self._queue_moved |= queue_moved
        self._ring.set()

    async def _publish_forever(self) -> None:
        while True:
            await self._ring.wait()
            await asyncio.sleep(PAUSE_SECONDS)
            self._ring.clear()
            try:
                await self._publish()
            except Exception:
                log.warning("desk.not_published", exc_info=True)
                await asyncio.sleep(POLL_SECONDS)

    async def _publish(self) -> None:
        if self._queue_moved:
            await self._publish_queue()
        while self._changed:
            if not self._hub.has_followers(DESK):
                self._changed.clear()
                return
            names = list(self._changed)[:BATCH]
            async with self._db.read() as tx:
                sessions = await find_many(tx, names)
            self._changed.difference_update(names)
            for session in sessions:
                self._remember(session.name, session.seq)
                self._hub.hear(ephemeral(DESK, "session.changed", session=summary_of(session).model_dump(mode="json")))

    async def _publish_queue(self) -> None:
        self._queue_moved = False
        async with self._db.read() as tx:
            waiting = sorted(await queue(tx), key=itemgetter(0))
        for _, shop_queue in groupby(waiting, key=itemgetter(0)):
            names = [name for _, name in shop_queue]
            for position, name in enumerate(names, 1):
                if self._hub.has_followers(stream_of(name)):
                    self._hub.hear(ephemeral(stream_of(name), "queue.position", position=position, waiting=len(names)))

    async def _poll_forever(self) -> None:
        """Find what other processes changed when no bus brings it: sessions whose seq is new to us."""
        while True:
            since = now_ms() - OVERLAP_MS
            await asyncio.sleep(POLL_SECONDS)
            if not self._hub.count():
                continue
            try:
                found = await changed(self._db, since, REMEMBERED)
            except Exception:
                log.warning("desk.not_polled", exc_info=True)
                continue
            for name, seq in found:
                if seq > self._known.get(name, 0):
                    self._remember(name, seq)
                    self._mark(name, queue_moved=True)

    def _remember(self, name: str, seq: int) -> None:
        self._known[name] = max(seq, self._known.pop(name, 0))
        if len(self._known) > REMEMBERED:
            self._known.popitem(last=False)
