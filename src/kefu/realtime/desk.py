"""What the desk sees: a session's summary when it changes, for whom it is, and each waiting visitor's place."""

import asyncio
import time
from collections import OrderedDict
from contextlib import suppress

import structlog

from kefu.bus.ports import Bus, Notice
from kefu.bus.telling import ACCOUNT_CHANGED, DESK
from kefu.kit.clock import now_ms
from kefu.kit.db import Database
from kefu.realtime.hub import SESSION, Hub, ephemeral
from kefu.sessions.models import Session, stream_of
from kefu.sessions.queries import find_many
from kefu.sessions.queue import places
from kefu.sessions.summaries import summary_of
from kefu.sessions.visibility import guests_of, sees

log = structlog.get_logger()

PAUSE_SECONDS = 0.05
RETRY_SECONDS = 1.0
# A wait turns urgent, and an agent comes on duty, without a word in the log: places are told anew this often.
QUEUE_SECONDS = 10.0
BATCH = 200
REMEMBERED = 5_000


class Desk:
    """Gathers changed sessions for a moment, reads them in one query and tells the followers of this process.

    Every process has a desk that hears of every change, so what a desk finds stays off the bus. It also finds what no
    bus brought.
    """

    def __init__(self, db: Database, bus: Bus, hub: Hub) -> None:
        self._db = db
        self._hub = hub
        self._changed: set[str] = set()
        self._moved: set[str] = set()
        self._queue_moved = self._has_queue = False
        self._queue_told_at = 0.0
        self._known: OrderedDict[str, int] = OrderedDict()
        self._ring = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        bus.listen(self._hear)
        hub.on_changes(self._compare)

    def start(self) -> None:
        self._task = asyncio.create_task(self._publish_forever(), name="desk")

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def _hear(self, notice: Notice) -> None:
        if notice.type == ACCOUNT_CHANGED:
            self._hub.look_again(notice.stream.removeprefix(f"{DESK}/"))
        if notice.seq and notice.stream.startswith(SESSION):
            self._mark(notice.stream.removeprefix(SESSION), has_moved=notice.type.startswith("session."))

    def _mark(self, name: str, *, has_moved: bool) -> None:
        self._changed.add(name)
        if has_moved:
            self._moved.add(name)
            self._queue_moved = True
        self._ring.set()

    async def _publish_forever(self) -> None:
        while True:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._ring.wait(), QUEUE_SECONDS if self._has_queue else None)
            await asyncio.sleep(PAUSE_SECONDS)
            self._ring.clear()
            try:
                await self._publish()
            except Exception:
                log.warning("desk.not_published", exc_info=True)
                await asyncio.sleep(RETRY_SECONDS)

    async def _publish(self) -> None:
        is_old = self._has_queue and time.monotonic() - self._queue_told_at >= QUEUE_SECONDS
        if self._queue_moved or is_old:
            await self._publish_queue()
        while self._changed:
            if not self._hub.has_followers(DESK):
                self._changed.clear()
                self._moved.clear()
                return
            names = list(self._changed)[:BATCH]
            async with self._db.read() as tx:
                sessions = await find_many(tx, names)
                guests = await guests_of(tx, [one.name for one in sessions if one.agent_id])
            moved = self._moved.intersection(names)
            self._changed.difference_update(names)
            self._moved.difference_update(names)
            for session in sessions:
                self._remember(session.name, session.seq)
                self._show(session, guests.get(session.name, set()), has_moved=session.name in moved)

    def _show(self, session: Session, guests: set[str], *, has_moved: bool) -> None:
        """To whom it is for as it is now; to the others that it is gone, once it may have gone from them."""
        changed = ephemeral(DESK, "session.changed", session=summary_of(session).model_dump(mode="json"))
        gone = ephemeral(DESK, "session.gone", session_name=session.name) if has_moved else None
        self._hub.hand_each(DESK, lambda follower: changed if sees(follower.reader, session, guests) else gone)

    async def _publish_queue(self) -> None:
        self._queue_moved = False
        async with self._db.read() as tx:
            queue = await places(tx, now_ms())
        self._has_queue, self._queue_told_at = bool(queue), time.monotonic()
        for place in queue:
            stream = stream_of(place.session)
            if self._hub.has_followers(stream):
                self._hub.hear(ephemeral(stream, "queue.position", **place.facts))

    def _compare(self, found: list[tuple[str, int]]) -> None:
        """Of what changed a moment ago by the database, mark what no bus brought: seqs that are new to us."""
        for name, seq in found:
            if seq > self._known.get(name, 0):
                self._remember(name, seq)
                self._mark(name, has_moved=True)

    def _remember(self, name: str, seq: int) -> None:
        self._known[name] = max(seq, self._known.pop(name, 0))
        if len(self._known) > REMEMBERED:
            self._known.popitem(last=False)
