"""Signs of life of the agents at this process: the streams they have open, and what they write into the log."""

import asyncio
from collections.abc import Callable

import orjson
import structlog
from sqlalchemy import select

from kefu.accounts.models import Agent
from kefu.kit.beat import beat
from kefu.kit.db import Database
from kefu.kit.errors import Unavailable
from kefu.log.log import Entry
from kefu.routing.duty import sign_of_life

log = structlog.get_logger()

BEAT_SECONDS = 5.0
BY_AGENT = '{"kind":"agent"'


class Signs:
    """Keeps `last_seen_at` and `active_at` of the agents up to date, a few seconds behind.

    `here`: the ids of those who have the workbench open by this process.
    """

    def __init__(self, db: Database, here: Callable[[], set[str]]) -> None:
        self._db = db
        self._here = here
        self._acted: set[str] = set()
        self._task: asyncio.Task[None] | None = None
        db.signals.listen("log", self._hear)

    def start(self) -> None:
        self._task = asyncio.create_task(self._beat_forever(), name="signs")

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def _hear(self, entries: list[Entry]) -> None:
        self._acted |= {orjson.loads(one.actor)["id"] for one in entries if one.actor.startswith(BY_AGENT)}

    async def _beat_forever(self) -> None:
        while True:
            await beat(BEAT_SECONDS)
            try:
                await self.beat()
            except Unavailable:
                pass
            except Exception:
                log.warning("signs.not_kept", exc_info=True)

    async def beat(self) -> None:
        """Write what is known. Whose row somebody holds is left for the next time: nobody waits for this."""
        alive = self._here() | self._acted
        if not alive:
            return
        async with self._db.write() as tx:
            rows = select(Agent).where(Agent.id.in_(alive)).order_by(Agent.id).with_for_update(skip_locked=True)
            agents = (await tx.scalars(rows)).all()
            for agent in agents:
                await sign_of_life(tx, agent, active=agent.id in self._acted)
        self._acted -= {agent.id for agent in agents}
