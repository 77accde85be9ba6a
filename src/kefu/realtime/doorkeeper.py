"""Shows out agents who may follow no more: they signed out, have a new password or role, or were deactivated.

The bus brings word at once, from this process or another. What it lost, or what came without one, is found in the
database, which is asked every second for all sign-ins of this process together.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import structlog

from kefu.accounts.identity import AgentIdentity, Standing, standings
from kefu.accounts.sign_ins import ACCESS_CHANGED
from kefu.bus.ports import Bus, Notice
from kefu.bus.telling import desk_of
from kefu.kit.beat import beat
from kefu.kit.db import Database

log = structlog.get_logger()

CHECK_SECONDS = 1.0


@dataclass(eq=False, slots=True)
class Guest:
    """What an agent has open. `look_again` ends it if it is not for them any more."""

    stream: str
    family: str
    standing: Standing | None
    look_again: Callable[[], Awaitable[None]]


class Doorkeeper:
    """Knows everything that agents have open in this process."""

    def __init__(self, db: Database, bus: Bus) -> None:
        self._db = db
        self._guests: set[Guest] = set()
        self._looking: set[asyncio.Task[None]] = set()
        self._task: asyncio.Task[None] | None = None
        bus.listen(self._hear)

    def start(self) -> None:
        self._task = asyncio.create_task(self._check_forever(), name="doorkeeper")

    async def stop(self) -> None:
        tasks = [task for task in (self._task, *self._looking) if task]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    @contextmanager
    def inside(self, agent: AgentIdentity, look_again: Callable[[], Awaitable[None]]) -> Iterator[None]:
        standing = Standing(agent.role, agent.permissions)
        guest = Guest(desk_of(agent.id), agent.family, standing, look_again)
        self._guests.add(guest)
        try:
            yield
        finally:
            self._guests.discard(guest)

    def _hear(self, notice: Notice) -> None:
        if notice.type == ACCESS_CHANGED:
            self._look_at([one for one in self._guests if one.stream == notice.stream])

    def _look_at(self, guests: list[Guest]) -> None:
        for guest in guests:
            task = asyncio.create_task(_look(guest), name="doorkeeper-look")
            self._looking.add(task)
            task.add_done_callback(self._looking.discard)

    async def _check_forever(self) -> None:
        while True:
            await beat(CHECK_SECONDS)
            try:
                if self._guests:
                    await self._check()
            except Exception:
                log.warning("doorkeeper.not_checked", exc_info=True)

    async def _check(self) -> None:
        guests = list(self._guests)
        found = await standings(self._db, {one.family for one in guests})
        changed = [one for one in guests if found.get(one.family) != one.standing]
        for guest in changed:
            guest.standing = found.get(guest.family)
        self._look_at(changed)


async def _look(guest: Guest) -> None:
    try:
        await guest.look_again()
    except Exception:  # it will be looked at again when it writes
        log.warning("doorkeeper.not_looked", exc_info=True)
