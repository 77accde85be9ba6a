"""Redis, which may be slow, gone or empty at any time: nobody waits for it, and nothing is kept only there.

`Redis.ask` gives every call a short time. The first failure opens the circuit: from then on callers are told `Away` at
once, until a probe in the background finds Redis well again.
"""

import asyncio
import hashlib
import hmac
import random
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeVar

import structlog
from prometheus_client import Counter, Gauge

if TYPE_CHECKING:
    from redis.asyncio import BlockingConnectionPool
    from redis.asyncio import Redis as Client
    from redis.asyncio.client import PubSub
    from redis.commands.core import AsyncScript

T = TypeVar("T")
log = structlog.get_logger()

# Seconds. A request that asks Redis waits at most REQUEST_SECONDS for it, work in the background BACKGROUND_SECONDS.
# Probes begin PROBE_SECONDS after a failure and come rarer, up to PROBE_CAP_SECONDS.
REQUEST_SECONDS = 0.04
BACKGROUND_SECONDS = 1.0
PROBE_SECONDS = 0.1
PROBE_CAP_SECONDS = 1.0
LATE = 1.5

FAILURES = Counter("kefu_redis_failures_total", "Calls to Redis that failed or took too long", ["operation"])
REFUSED = Counter("kefu_redis_refused_total", "Calls not made because Redis is away", ["operation"])
AWAY = Gauge("kefu_redis_away", "1 while the circuit to Redis is open")


class Away(Exception):
    """Redis did not answer in time, or is not asked because it did not a moment ago. What was sent may have arrived."""


class Redis:
    """The one client of this process. `prefix` begins every key and channel of this installation."""

    def __init__(self, url: str, max_connections: int, secret: str) -> None:
        self.pool = _pool(url, max_connections)
        self.prefix = _prefix(secret, self.pool.connection_kwargs.get("db", 0))
        self._client = _client(self.pool)
        self._healing: asyncio.Task[None] | None = None
        self._scripts: dict[str, AsyncScript] = {}

    @property
    def is_away(self) -> bool:
        return self._healing is not None

    @property
    def connections(self) -> int:
        """In use at this moment, those that listen included."""
        return len(self.pool._in_use_connections)  # noqa: SLF001 - it tells nobody otherwise

    async def ask(self, operation: str, call: Callable[["Client"], Awaitable[T]], within: float = REQUEST_SECONDS) -> T:
        """What `call(client)` returns, in at most `within` seconds. Raises Away, at once while the circuit is open."""
        if self.is_away:
            REFUSED.labels(operation).inc()
            raise Away
        loop = asyncio.get_running_loop()
        began = loop.time()
        try:
            async with asyncio.timeout(within):
                return await call(self._client)
        except Exception as error:  # whatever the client raises: nobody fails for want of Redis
            if loop.time() - began < within * LATE:
                self.failed(operation, error)
            else:  # the timer itself came late: this process was busy, which says nothing about Redis
                FAILURES.labels(operation).inc()
            raise Away from error

    def failed(self, operation: str, error: BaseException) -> None:
        """Count a failure and open the circuit."""
        FAILURES.labels(operation).inc()
        if self._healing is None:
            log.warning("redis.away", operation=operation, error=f"{type(error).__name__}: {error}"[:200])
            AWAY.set(1)
            self._healing = asyncio.create_task(self._heal(), name="redis-probe")

    def listen(self) -> "PubSub":
        """A connection of its own for pub/sub. Using it may raise anything."""
        return self._client.pubsub(ignore_subscribe_messages=True)

    def script(self, lua: str) -> "AsyncScript":
        """A script to be called within `ask`; Redis is sent its text when it does not know it."""
        if lua not in self._scripts:
            self._scripts[lua] = self._client.register_script(lua)
        return self._scripts[lua]

    async def _heal(self) -> None:
        pause = PROBE_SECONDS
        while True:
            await asyncio.sleep(pause * random.uniform(0.5, 1))  # noqa: S311 - spreads load, guards nothing
            pause = min(pause * 2, PROBE_CAP_SECONDS)
            if await self._is_well():
                self._healing = None
                AWAY.set(0)
                log.info("redis.back")
                return

    async def _is_well(self) -> bool:
        try:
            async with asyncio.timeout(REQUEST_SECONDS):
                await self._client.ping()
        except Exception:  # noqa: BLE001 - whatever it is, Redis is not well
            return False
        return True

    async def close(self) -> None:
        if self._healing is not None:
            self._healing.cancel()
            await asyncio.gather(self._healing, return_exceptions=True)
        await self._client.aclose()
        await self.pool.disconnect()


def _prefix(secret: str, database: int) -> str:
    """`{kefu:…}:`, the same for all processes of one installation and for no other.

    They share the signing key already. Channels do not know Redis's database numbers, so the number is in it. The
    braces keep everything in one slot of a cluster, as the scripts need it.
    """
    name = hmac.new(secret.encode(), f"redis/{database}".encode(), hashlib.sha256).hexdigest()[:12]
    return f"{{kefu:{name}}}:"


# The client is loaded by who has a Redis: it takes a third of a second.
def _pool(url: str, max_connections: int) -> "BlockingConnectionPool":
    from redis.asyncio import BlockingConnectionPool  # noqa: PLC0415 - see above
    from redis.asyncio.retry import Retry  # noqa: PLC0415 - see above
    from redis.backoff import NoBackoff  # noqa: PLC0415 - see above

    return BlockingConnectionPool.from_url(
        url,
        max_connections=max_connections,
        timeout=BACKGROUND_SECONDS,
        socket_connect_timeout=BACKGROUND_SECONDS,
        socket_timeout=None,  # each call has its own; with one here, the client sends within asyncio.wait_for,
        # which before Python 3.12 may swallow a cancellation
        retry=Retry(NoBackoff(), 0),
        protocol=2,  # one round trip less to connect, and no pushes between the answers
    )


def _client(pool: "BlockingConnectionPool") -> "Client":
    from redis.asyncio import Redis as Client  # noqa: PLC0415 - see above

    return Client(connection_pool=pool)
