"""Keeps the sessions in Redis equal to the database: at once after a commit, and again and again by comparing.

The comparing heals every loss in the same way: a flushed, restarted or restored Redis, an outage, a process that was
killed between its commit and Redis. Redis itself says up to when everything is there: its `cursor`, which moves only
from the value that a comparison began with. A Redis that was emptied meanwhile has none, and is filled from the
database in batches. `fresh` ends by itself soon after the last comparison; without it nobody believes the copy.
"""

import asyncio
import secrets
from contextlib import suppress
from typing import Any

import structlog
from prometheus_client import Counter

from kefu.kit.beat import beat
from kefu.kit.clock import now_ms
from kefu.kit.db import Database
from kefu.kit.errors import Unavailable
from kefu.kit.redis import BACKGROUND_SECONDS, Away
from kefu.log.log import Entry
from kefu.sessions.models import stream_of
from kefu.sessions.redis_store import BEHIND, LUA, RedisStore
from kefu.sessions.since import changed_after
from kefu.sessions.store import rows_of

log = structlog.get_logger()

GATHER_SECONDS = 0.02
PASS_SECONDS = 1.5
FRESH_MS = 3_000
BUILDING_MS = 10_000
BATCH = 200
REMEMBERED = 5_000
# How far before the cursor a pass looks, in ms: a little each time; a minute now and then, for transactions that took
# long and clocks that are apart; and rarely at everything.
LOOK_BACK_MS = 3_000
LOOK_BACK_FAR_MS = 60_000
FAR_EVERY = 10
ALL_EVERY = 600

RECONCILED = Counter("kefu_store_reconciled_total", "Sessions that comparing with the database brought to Redis")

# Who looks next: nobody while another process does or did a moment ago. Returns the cursor to begin with; of an empty
# Redis that is the caller's own mark, which ends when the caller dies.
TURN = f"""{LUA}
local cursor = redis.call('GET', prefix .. 'cursor')
if not cursor then
    redis.call('SET', prefix .. 'cursor', ARGV[3], 'PX', ARGV[4])
    return ARGV[3]
end
local is_built = string.sub(cursor, 1, 8) ~= 'building'
local is_new = redis.call('PTTL', prefix .. 'fresh') > tonumber(ARGV[5])
return (cursor == ARGV[3] or is_built and not is_new) and cursor
"""
STILL_MINE = f"""{LUA}
if redis.call('GET', prefix .. 'cursor') ~= ARGV[3] then return 0 end
return redis.call('PEXPIRE', prefix .. 'cursor', ARGV[4])
"""
MOVE = f"""{LUA}
if redis.call('GET', prefix .. 'cursor') ~= ARGV[3] then return 0 end
redis.call('SET', prefix .. 'cursor', ARGV[4])
redis.call('SET', prefix .. 'fresh', 1, 'PX', ARGV[5])
return 1
"""


class Mirror:
    """Two tasks in each process: one brings what this process commits, one compares."""

    def __init__(self, store: RedisStore, db: Database) -> None:
        self._store = store
        self._db = db
        self._ring = asyncio.Event()
        self._mark = f"building {secrets.token_hex(8)}"
        self._passes = 0
        self._tasks: list[asyncio.Task[None]] = []
        db.signals.listen("log", self._hear)

    def start(self) -> None:
        self._tasks = [
            asyncio.create_task(self._save_forever(), name="mirror-save"),
            asyncio.create_task(self._compare_forever(), name="mirror-compare"),
        ]

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        with suppress(Away, Unavailable):
            await self._save_changed()

    def _hear(self, entries: list[Entry]) -> None:
        session = stream_of("")
        names = {one.stream.removeprefix(session) for one in entries if one.stream.startswith(session)}
        if len(self._store.changed) < REMEMBERED:  # comparing finds the others
            self._store.changed |= names
            self._ring.set()

    async def _save_forever(self) -> None:
        while True:
            await self._ring.wait()
            await asyncio.sleep(GATHER_SECONDS)
            self._ring.clear()
            try:
                await self._save_changed()
            except (Away, Unavailable):
                await asyncio.sleep(PASS_SECONDS)
                self._ring.set()
            except Exception:
                log.warning("mirror.not_saved", exc_info=True)

    async def _save_changed(self) -> None:
        """Raises Away, before the database is asked for anything, and Busy. What was not saved is kept for later."""
        store = self._store
        if store.is_away:
            raise Away
        while store.changed or store.saving:
            while store.changed and len(store.saving) < BATCH:
                store.saving.add(store.changed.pop())
            await self._bring(list(store.saving))
            store.saving.clear()

    async def _bring(self, names: list[str]) -> int:
        return await self._store.save_all(await rows_of(self._db, names))

    async def _compare_forever(self) -> None:
        while True:
            try:
                await self.compare()
            except (Away, Unavailable):
                pass
            except Exception:
                log.warning("mirror.not_compared", exc_info=True)
            await beat(PASS_SECONDS)

    async def compare(self) -> None:
        """One pass, when it is our turn. Raises Away or Busy; the next pass begins where this one did."""
        look_after = FRESH_MS - int(PASS_SECONDS * 700)
        answer = await self._run("turn", TURN, self._mark, BUILDING_MS, look_after)
        if answer is None:
            return
        cursor, now = answer.decode(), now_ms()
        is_building = cursor == self._mark
        since = now - self._store.expire_ms if is_building else min(int(cursor), now) - self._look_back()
        place: tuple[int, str] = since, ""
        while True:
            page = await changed_after(self._db, *place, BATCH)
            if page:
                await self._catch_up([(name, seq) for name, seq, _ in page])
                place = page[-1][2], page[-1][0]
            if len(page) < BATCH:
                break
            if is_building and not await self._run("build", STILL_MINE, cursor, BUILDING_MS):
                return
        await self._run("move", MOVE, cursor, now, FRESH_MS)

    def _look_back(self) -> int:
        self._passes += 1
        if self._passes % ALL_EVERY == 0:
            return self._store.expire_ms
        return LOOK_BACK_FAR_MS if self._passes % FAR_EVERY == 1 else LOOK_BACK_MS

    async def _catch_up(self, heads: list[tuple[str, int]]) -> None:
        behind = await self._run("compare", BEHIND, *(part for head in heads for part in head))
        if behind:
            RECONCILED.inc(await self._bring([name.decode() for name in behind]))

    async def _run(self, operation: str, lua: str, *arguments: object) -> Any:
        return await self._store.run(operation, lua, *arguments, within=BACKGROUND_SECONDS)
