"""Rate limits: who may do what how often. `RATES` is the one table."""

import time
from collections import deque
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Literal, NoReturn

from limits import RateLimitItem, parse
from limits.aio.storage import RedisStorage
from limits.aio.strategies import MovingWindowRateLimiter

from kefu.kit.errors import TooMany
from kefu.kit.redis import Away, Redis

Rule = Literal[
    "login",
    "login_code",
    "sso_start",
    "sso_finish",
    "refresh",
    "open_session",
    "chat",
    "escalate",
    "letter",
    "typing",
    "read",
    "rating",
    "transcript",
    "search",
    "note",
    "assist",
    "transfer",
    "mail_reply",
    "identify",
    "audit_export",
    "upload",
    "document",
    "bot_test",
    "page",
    "help",
    "funnel",
]
# `visitor`: the conversation the token is for. `who`: visitor or agent, in one conversation.
Per = Literal["address", "visitor", "agent", "who"]

RATES: dict[Rule, dict[Per, str]] = {
    "login": {"address": "5/minute"},
    "login_code": {"address": "5/minute"},
    "sso_start": {"address": "20/minute"},
    "sso_finish": {"address": "20/minute"},
    "refresh": {"address": "60/minute"},
    "open_session": {"address": "120/minute"},
    "chat": {"visitor": "20/minute", "address": "20/minute"},
    "escalate": {"visitor": "5/minute", "address": "20/minute"},
    "letter": {"visitor": "10/minute", "address": "20/minute"},
    "typing": {"who": "120/minute"},
    "read": {"who": "240/minute"},
    "rating": {"visitor": "20/minute"},
    "transcript": {"who": "30/minute"},
    "search": {"agent": "60/minute"},
    "note": {"agent": "60/minute"},
    "assist": {"agent": "30/minute"},
    "transfer": {"agent": "60/minute"},
    "mail_reply": {"agent": "30/minute"},
    "identify": {"address": "120/minute"},
    "audit_export": {"agent": "10/minute"},
    "page": {"visitor": "60/minute"},
    "help": {"agent": "30/minute"},
    "funnel": {"address": "120/minute"},
    "upload": {"who": "20/minute", "address": "60/minute"},
    "document": {"agent": "60/minute", "address": "120/minute"},
    "bot_test": {"agent": "10/minute"},
}
LONGEST_KEY = 200


# How many refusals are remembered, of a few hundred bytes each.
REFUSALS = 20_000
Key = tuple[str, str, str]  # rule, per, whom


class Window:
    """Who used what when, in this process. `longest`: the seconds that the longest rate looks back.

    `limits` has one too, which after each use looks all keys through, on a thread: with a thousand visitors that took
    four tenths of a core.
    """

    def __init__(self, longest: float) -> None:
        self._uses: dict[Key, deque[float]] = {}  # the latest ones that were counted
        self._longest, self._sweeps_at = longest, 0.0

    def use(self, item: RateLimitItem, key: Key, now: float) -> float | None:
        """None when this use was counted, else the seconds until the next one will be."""
        if now >= self._sweeps_at:
            self._uses = {one: uses for one, uses in self._uses.items() if uses[-1] > now - self._longest}
            self._sweeps_at = now + self._longest
        uses = self._uses.setdefault(key, deque(maxlen=item.amount))
        if len(uses) == item.amount and (wait := uses[0] + item.get_expiry() - now) > 0:
            return wait
        uses.append(now)
        return None

    def __len__(self) -> int:
        return len(self._uses)


class Limits:
    """Counts by rule and key: in Redis, for all processes together, or in this process when Redis is away or not there.

    Who is refused is refused until their time has come without being counted again, so that a flood costs little.
    With `enabled=False` nothing is counted or refused.
    """

    def __init__(self, *, enabled: bool, redis: Redis | None = None) -> None:
        self.enabled = enabled
        self._redis = redis
        self._shared = MovingWindowRateLimiter(_storage(redis)) if redis else None
        self._items = {rate: parse(rate) for rates in RATES.values() for rate in rates.values()}
        self._own = Window(max(item.get_expiry() for item in self._items.values()))
        self._refused: dict[Key, float] = {}  # until when, by the monotonic clock

    async def take(self, rule: Rule, **by: str) -> None:
        """Count one use of `rule` for each key that the table counts it by: `take("chat", visitor=…, address=…)`.

        Raises TooMany with the seconds to wait. What was counted before the key that refuses stays counted.
        """
        rates = RATES[rule]
        assert by.keys() == rates.keys(), f"{rule} is counted by {', '.join(rates)}"
        if not self.enabled:
            return
        keys: dict[Key, str] = {
            (rule, per, counted(by[per]) if per == "address" else by[per][:LONGEST_KEY]): rate
            for per, rate in rates.items()
        }
        for key in keys:
            self._check(key)
        for key, rate in keys.items():
            wait = await self._wait(self._items[rate], key)
            if wait is not None:
                self._refuse(key, wait)

    def _check(self, key: Key) -> None:
        until = self._refused.get(key)
        if until is not None:
            if (wait := until - time.monotonic()) > 0:
                raise TooMany(retry_after=int(wait) + 1)
            del self._refused[key]

    def _refuse(self, key: Key, wait: float) -> NoReturn:
        now = time.monotonic()
        if len(self._refused) >= REFUSALS:
            self._refused = {one: until for one, until in self._refused.items() if until > now}
        if len(self._refused) < REFUSALS:
            self._refused[key] = now + wait
        raise TooMany(retry_after=int(wait) + 1)

    async def _wait(self, item: RateLimitItem, key: Key) -> float | None:
        shared = self._shared
        if self._redis is not None and shared is not None:
            try:
                return await self._redis.ask("limit", lambda _: _wait(shared, item, key))
            except Away:
                pass
        return self._own.use(item, key, time.monotonic())


def counted(address: str) -> str:
    """Whom an address is counted as.

    An IPv6 line has a whole /64 to itself; an IPv4 address in the form of an IPv6 one is itself.
    """
    try:
        found = ip_address(address)
    except ValueError:
        return address[:LONGEST_KEY]
    if isinstance(found, IPv6Address):
        if found.ipv4_mapped:
            return str(found.ipv4_mapped)
        return str(ip_network((int(found) >> 64 << 64, 64)))
    return str(found)


async def _wait(limiter: MovingWindowRateLimiter, item: RateLimitItem, key: Key) -> float | None:
    """As `Window.use`."""
    if await limiter.hit(item, *key):
        return None
    reset, _ = await limiter.get_window_stats(item, *key)
    return max(0.0, reset - time.time())


def _storage(redis: Redis) -> RedisStorage:
    """On the pool that there is, which knows the address."""
    return RedisStorage(
        "async+redis://",
        implementation="redispy",
        key_prefix=f"{redis.prefix}limit",
        connection_pool=redis.pool,  # type: ignore[arg-type]  # the library's annotation is too narrow
    )
