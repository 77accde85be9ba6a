"""Tells the agents at this process what others told them, when no bus brings it."""

import asyncio

import orjson
import structlog

from kefu.bus.ports import Bus, Notice
from kefu.bus.telling import DESK, desk_of, told
from kefu.kit.beat import beat
from kefu.kit.clock import Ms, now_ms
from kefu.kit.db import Database
from kefu.kit.errors import Unavailable
from kefu.realtime.hub import Hub

log = structlog.get_logger()

LOOK_SECONDS = 1.0
# So long the bus has to be the first.
GRACE_MS = 500
# A transaction commits some time after what it tells bears; the clocks of the processes differ a little.
OVERLAP_MS = 10_000
OWN_DESK = desk_of("")


class Tellings:
    """Looks every second, while anybody has the workbench open, and passes on what was not heard: each thing once."""

    def __init__(self, db: Database, bus: Bus, hub: Hub) -> None:
        self._db = db
        self._hub = hub
        self._begun: Ms = now_ms()
        self._looked: Ms = self._begun
        self._heard: dict[str, int] = {}
        self._task: asyncio.Task[None] | None = None
        bus.listen(self._hear)

    def start(self) -> None:
        self._task = asyncio.create_task(self._look_forever(), name="tellings")

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def _hear(self, notice: Notice) -> None:
        if notice.stream.startswith(OWN_DESK) and (id_ := orjson.loads(notice.data).get("id")):
            self._heard[id_] = now_ms()

    async def _look_forever(self) -> None:
        while True:
            await beat(LOOK_SECONDS)
            try:
                await self._look(now_ms())
            except Unavailable:
                pass
            except Exception:
                log.warning("tellings.not_found", exc_info=True)

    async def _look(self, now: Ms) -> None:
        """Nobody is told what was told before they came: they have asked for what holds."""
        if not self._hub.has_followers(DESK):
            self._begun = self._looked = now
            self._heard.clear()
            return
        found = await told(self._db, max(self._begun, self._looked - OVERLAP_MS), now - GRACE_MS)
        for id_, notice in found.items():
            if id_ not in self._heard:
                self._heard[id_] = now
                self._hub.hear(notice)
        self._looked = now
        self._heard = {id_: at for id_, at in self._heard.items() if at > now - 2 * OVERLAP_MS}
