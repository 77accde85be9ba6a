"""Rate limits, written as people say them: `"20/minute"`."""

import time

from limits import RateLimitItem, parse
from limits.aio.storage import MemoryStorage
from limits.aio.strategies import MovingWindowRateLimiter

from kefu.kit.errors import TooMany


class Limits:
    """Counts by rule and key in this process. With `enabled=False` nothing is counted or refused."""

    def __init__(self, *, enabled: bool) -> None:
        self.enabled = enabled
        self._limiter = MovingWindowRateLimiter(MemoryStorage())
        self._rules: dict[str, RateLimitItem] = {}

    async def take(self, rule: str, *key: str) -> None:
        """Count one use of `rule` by `key`. Raises TooMany with the seconds to wait."""
        if not self.enabled:
            return
        item = self._rules.get(rule) or self._rules.setdefault(rule, parse(rule))
        if not await self._limiter.hit(item, *key):
            reset, _ = await self._limiter.get_window_stats(item, *key)
            raise TooMany(retry_after=max(1, int(reset - time.time()) + 1))
