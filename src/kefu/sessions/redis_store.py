"""The sessions in Redis: a copy that answers quickly, and says when it should not be believed."""

import asyncio
import zlib
from typing import Any

import orjson
from prometheus_client import Counter

from kefu.kit.db import Database
from kefu.kit.redis import BACKGROUND_SECONDS, REQUEST_SECONDS, Away, Redis
from kefu.kit.sealed import Sealing, opened_json, seal_fields
from kefu.log.private import CUSTOMER
from kefu.sessions.models import Session
from kefu.sessions.states import Status
from kefu.sessions.store import COLUMNS, DatabaseStore, Stats, row_of

# hit: answered by Redis; miss: Redis does not have it; behind: the copy was not looked after lately, or this process
# has changes on the way; away: Redis did not answer. All but hits are answered by the database.
ASKED = Counter("kefu_store_asked_total", "Questions to the session store, by what came of them", ["outcome"])

# A session is a string `seq status row`, row being JSON, that ends SESSION_EXPIRE_SECONDS after its last event. For
# each status a sorted set has the names by that event; one more has who waits, by since when. All scripts get the
# prefix and the expiry (ms) first; time is Redis's own, so that a name leaves the sets when its string ends.
STATUSES = tuple(Status)
SEALED = ("email", *CUSTOMER)
LUA = f"""
local statuses = {{{", ".join(repr(status.value) for status in STATUSES)}}}
local prefix, expire = ARGV[1], tonumber(ARGV[2])
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local waiting = prefix .. 'waiting'
local function key(name) return prefix .. 'session:' .. name end
local function members(status) return prefix .. 'status:' .. status end
local function forget(name)
    redis.call('ZREM', waiting, name)
    for _, status in ipairs(statuses) do redis.call('ZREM', members(status), name) end
end
local function seq_of(name)
    local value = redis.call('GET', key(name))
    return value and tonumber(string.match(value, '^%d+')) or 0
end
local function prune(status)
    redis.call('ZREMRANGEBYSCORE', members(status), '-inf', string.format('(%d', now - expire))
end
"""
# For each session: name, seq, status, updated_at, escalated_at, value. Returns how many were newer than what was there.
SAVE = f"""{LUA}
local saved = 0
for i = 3, #ARGV, 6 do
    local name, seq, status, at = ARGV[i], tonumber(ARGV[i + 1]), ARGV[i + 2], tonumber(ARGV[i + 3])
    if at + expire > now and seq > seq_of(name) then
        forget(name)
        redis.call('SET', key(name), ARGV[i + 5], 'PXAT', string.format('%d', at + expire))
        redis.call('ZADD', members(status), at, name)
        if status == 'pending_manual' then redis.call('ZADD', waiting, ARGV[i + 4], name) end
        saved = saved + 1
    end
end
return saved
"""
DELETE = f"{LUA} forget(ARGV[3]) return redis.call('DEL', key(ARGV[3]))"
# Of names and seqs, the names of which Redis does not have this seq yet.
BEHIND = f"""{LUA}
local behind = {{}}
for i = 3, #ARGV, 2 do
    if seq_of(ARGV[i]) < tonumber(ARGV[i + 1]) then table.insert(behind, ARGV[i]) end
end
return behind
"""
LIST = f"""{LUA}
local status, rows = ARGV[3], {{}}
prune(status)
for _, name in ipairs(redis.call('ZREVRANGE', members(status), ARGV[4], ARGV[4] + ARGV[5] - 1)) do
    local value = redis.call('GET', key(name))
    if value then table.insert(rows, value) else forget(name) end
end
return {{redis.call('EXISTS', prefix .. 'fresh'), rows}}
"""
COUNT = (
    f"{LUA} prune(ARGV[3]) return {{redis.call('EXISTS', prefix .. 'fresh'), redis.call('ZCARD', members(ARGV[3]))}}"
)
STATS = f"""{LUA}
local counts = {{}}
for i, status in ipairs(statuses) do
    prune(status)
    counts[i] = redis.call('ZCARD', members(status))
end
local first = redis.call('ZRANGE', waiting, 0, 0, 'WITHSCORES')
while first[1] and redis.call('EXISTS', key(first[1])) == 0 do
    forget(first[1])
    first = redis.call('ZRANGE', waiting, 0, 0, 'WITHSCORES')
end
return {{redis.call('EXISTS', prefix .. 'fresh'), counts, first[2] or false}}
"""


class _Together:
    """Names that are looked up in one round trip. `values`: of each name in order, and then of `fresh`."""

    def __init__(self, name: str) -> None:
        self.names = [name]
        self.values: asyncio.Future[list[Any]] = asyncio.get_running_loop().create_future()


class RedisStore:
    """The database's sessions in Redis; `mirror.Mirror` keeps them true.

    What Redis does not have, does not say in time, or says without being `fresh`, the database answers.
    """

    def __init__(self, redis: Redis, db: Database, expire_seconds: int) -> None:
        self._redis = redis
        self._database = DatabaseStore(db, expire_seconds)
        self.expire_ms = expire_seconds * 1000
        # Another set of columns, or another key that seals, is another copy: in a rolling upgrade nobody reads rows
        # of the other version.
        version = zlib.crc32(",".join((*COLUMNS, db.sealing().kid)).encode())
        self.prefix = f"{redis.prefix}{version:08x}:"
        self._sealing = db.sealing
        # What this process committed and has not brought to Redis yet.
        self.changed: set[str] = set()
        self.saving: set[str] = set()
        self._together: _Together | None = None

    @property
    def is_away(self) -> bool:
        return self._redis.is_away

    async def get(self, name: str) -> Session | None:
        if name in self.changed or name in self.saving:
            ASKED.labels("behind").inc()
            return await self._database.get(name)
        try:
            value, fresh = await self._look_up(name)
        except Away:
            ASKED.labels("away").inc()
            return await self._database.get(name)
        if value is not None and fresh:
            ASKED.labels("hit").inc()
            return _session_of(value, self._sealing)
        ASKED.labels("miss" if fresh else "behind").inc()
        return await self._database.get(name)

    async def _look_up(self, name: str) -> tuple[bytes | None, bool]:
        """What Redis has under a name, and whether it is fresh. Who asks in the same moment shares one round trip.

        Raises Away.
        """
        together = self._together
        if together is not None:
            together.names.append(name)
            place = len(together.names) - 1
            values = await asyncio.shield(together.values)
            return values[place], values[-1] is not None
        together = self._together = _Together(name)
        try:
            await asyncio.sleep(0)
            self._together = None
            keys = [*(f"{self.prefix}session:{one}" for one in together.names), f"{self.prefix}fresh"]
            values = await self._redis.ask("get", lambda client: client.mget(keys))
        except BaseException:
            self._together = None if self._together is together else self._together
            together.values.set_exception(Away())
            together.values.exception()  # heard, also when nobody else asked
            raise
        together.values.set_result(values)
        return values[0], values[-1] is not None

    async def save(self, session: Session) -> bool:
        """Raises Away."""
        row = seal_fields(row_of(session), SEALED, self._sealing().seal)
        return await self.save_all([row]) == 1

    async def save_all(self, rows: list[dict[str, Any]]) -> int:
        """How many of the sessions' rows, sealed, were newer than what Redis had. Raises Away."""
        arguments = [part for row in rows for part in _parts(row)]
        saved: int = await self.run("save", SAVE, *arguments, within=BACKGROUND_SECONDS)
        return saved

    async def delete(self, name: str) -> None:
        """Raises Away."""
        await self.run("delete", DELETE, name, within=BACKGROUND_SECONDS)

    async def list_by_status(self, status: Status, limit: int, offset: int = 0) -> list[Session]:
        values = await self._ask("list", LIST, status.value, offset, limit)
        if values is None:
            return await self._database.list_by_status(status, limit, offset)
        return [_session_of(value, self._sealing) for value in values[0]]

    async def count_by_status(self, status: Status) -> int:
        answer = await self._ask("count", COUNT, status.value)
        return await self._database.count_by_status(status) if answer is None else answer[0]

    async def get_stats(self) -> Stats:
        answer = await self._ask("stats", STATS)
        if answer is None:
            return await self._database.get_stats()
        counts, oldest = answer
        return Stats(dict(zip(STATUSES, counts, strict=True)), None if oldest is None else int(oldest))

    async def _ask(self, operation: str, lua: str, *arguments: object) -> list[Any] | None:
        """What a script found, without its first part: whether that is fresh. None when the database must answer."""
        try:
            fresh, *found = await self.run(operation, lua, *arguments)
        except Away:
            ASKED.labels("away").inc()
            return None
        ASKED.labels("hit" if fresh else "behind").inc()
        return found if fresh else None

    async def run(self, operation: str, lua: str, *arguments: Any, within: float = REQUEST_SECONDS) -> Any:
        """Run one of the scripts that begin with LUA. Raises Away."""
        script = self._redis.script(lua)
        return await self._redis.ask(operation, lambda _: script((), (self.prefix, self.expire_ms, *arguments)), within)


def _parts(row: dict[str, Any]) -> tuple[str | int | bytes, ...]:
    """A session's row as SAVE takes it."""
    seq, status, updated_at = row["seq"], row["status"], row["updated_at"]
    value = b"%d %b %b" % (seq, status.encode(), orjson.dumps(row))
    return row["name"], seq, status, updated_at, row["escalated_at"] or updated_at, value


def _session_of(value: bytes | str, sealing: Sealing) -> Session:
    assert isinstance(value, bytes)
    return Session(**orjson.loads(opened_json(value.split(b" ", 2)[2].decode(), sealing)))
