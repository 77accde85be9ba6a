"""Rate limits, written as people say them: `"20/minute"`."""

import time

from limits import RateLimitItem, parse
from limits.aio.storage import MemoryStorage, RedisStorage
from limits.aio.strategies import MovingWindowRateLimiter

from kefu.kit.errors import TooMany
from kefu.kit.redis import Away, Redis


class Limits:
    """Counts by rule and key: in Redis, for all processes together, or in this process when Redis is away or not there.

    With `enabled=False` nothing is counted or refused.
    """

    def __init__(self, *, enabled: bool, redis: Redis | None = None) -> None:
        self.enabled = enabled
        self._own = MovingWindowRateLimiter(MemoryStorage())
        self._redis = redis
        self._shared = MovingWindowRateLimiter(_storage(redis)) if redis else self._own
        self._rules: dict[str, RateLimitItem] = {}

    async def take(self, rule: str, *key: str) -> None:
        """Count one use of `rule` by `key`. Raises TooMany with the seconds to wait."""
        if not self.enabled:
            return
        item = self._rules.get(rule) or self._rules.setdefault(rule, parse(rule))
        if self._redis is not None:
            try:
                wait = await self._redis.ask("limit", lambda _: _wait(self._shared, item, *key))
            except Away:
                wait = await _wait(self._own, item, *key)
        else:
            wait = await _wait(self._own, item, *key)
        if wait is not None:
            raise TooMany(retry_after=wait)


async def _wait(limiter: MovingWindowRateLimiter, item: RateLimitItem, *key: str) -> int | None:
    """None when this use was counted, else the seconds until the next one will be."""
    if await limiter.hit(item, *key):
        return None
    reset, _ = await limiter.get_window_stats(item, *key)
    return max(1, int(reset - time.time()) + 1)


def _storage(redis: Redis) -> RedisStorage:
    """On the pool that there is, which knows the address."""
    return RedisStorage(
        "async+redis://",
        implementation="redispy",
        key_prefix=f"{redis.prefix}limit",
        connection_pool=redis.pool,  # type: ignore[arg-type]  # the library's annotation is too narrow
    )
