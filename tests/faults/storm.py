"""The catalogue of faults, and a storm that plays them in any order on a cluster at work."""

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import suppress

from faults.cluster import Cluster
from faults.crowd import Crowd
from faults.process import Kefu
from faults.program import Program
from faults.proxy import Proxy
from faults.waiting import until

Strike = Callable[[], Awaitable[None]]

# How long a wire stays broken in seconds: longer than a statement may take, or a breaker stays shut.
BROKEN = 0.5, 6.0
DOWN = 0.0, 1.0
CUT_WITHIN = 2.0


class Storm:
    """Each strike breaks one thing and mends it again. `struck` counts them by name."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self.struck: Counter[str] = Counter()
        self.strikes: Mapping[str, Strike] = {**dict(self._kills()), **dict(self._breaks())}

    async def play(self, names: list[str], crowd: Crowd, say: Callable[[str], None] = lambda _: None) -> float:
        """These strikes, in any order, each at a random time, and after each a sign that everybody is served again.

        Returns the longest time until that sign in seconds. Raises TimeoutError when it does not come.
        """
        longest = 0.0
        for name in random.sample(names, len(names)):
            await asyncio.sleep(random.uniform(0, 0.5))
            await self.strikes[name]()
            self.struck[name] += 1
            healed = await crowd.get_on()
            longest = max(longest, healed)
            say(f"{name}: served again after {healed:.1f} s")
        return longest

    def _kills(self) -> Iterator[tuple[str, Strike]]:
        cluster = self._cluster
        for n, app in enumerate(cluster.apps, 1):
            yield f"kill app {n}", lambda app=app: self._kill(app)
        yield "kill worker", lambda: self._kill(cluster.worker)
        yield "kill nginx", lambda: self._kill(cluster.nginx)
        yield "kill PostgreSQL", lambda: self._kill(cluster.postgres)
        yield "crash a backend of PostgreSQL", self._crash
        if redis := cluster.redis:
            yield "kill Redis", lambda: self._kill(redis)
            yield "empty Redis", redis.empty
        yield "freeze an app", self._freeze
        yield "restart one by one", cluster.roll

    def _breaks(self) -> Iterator[tuple[str, Strike]]:
        for to, wire in self._cluster.wires.items():
            yield f"{to}: latency", lambda wire=wire: self._slow(wire, "delay", random.uniform(0.02, 0.1))
            yield f"{to}: slow drip", lambda wire=wire: self._slow(wire, "drip", random.randint(100, 400))
            yield f"{to}: reset", lambda wire=wire: self._reset(wire)
            yield f"{to}: cut request", lambda wire=wire: self._cut(wire, wire.cut_request_after)
            yield f"{to}: lost answer", lambda wire=wire: self._cut(wire, wire.cut_answer_after)
            yield f"{to}: silence", lambda wire=wire: self._hush(wire)
            yield f"{to}: half-open", lambda wire=wire: self._swallow(wire)
            yield f"{to}: refused", lambda wire=wire: self._refuse(wire)
        front, database = self._cluster.front, self._cluster.to_database
        yield "client: doubled requests", lambda: self._slow(front, "doubled", 0.5)
        yield "PostgreSQL: cut before a commit", lambda: self._mark(database, database.cut_before, b"COMMIT")
        yield "PostgreSQL: cut after a commit", lambda: self._mark(database, database.cut_after, b"COMMIT")
        # What the hot path sends carries the message itself.
        yield "PostgreSQL: cut before a post", lambda: self._mark(database, database.cut_before, b"question ")
        yield "PostgreSQL: cut after a post", lambda: self._mark(database, database.cut_after, b"question ")

    async def _kill(self, what: Kefu | Program) -> None:
        await what.kill()
        await asyncio.sleep(random.uniform(*DOWN))
        await what.start()

    async def _crash(self) -> None:
        await self._cluster.postgres.crash()
        await self._cluster.postgres.until_ready()

    async def _freeze(self) -> None:
        app = random.choice(self._cluster.apps)
        app.freeze()
        await asyncio.sleep(random.uniform(*BROKEN))
        app.thaw()

    async def _slow(self, wire: Proxy, how: str, much: float) -> None:
        setattr(wire, how, much)
        await self._wait_and_heal(wire)

    async def _wait_and_heal(self, wire: Proxy) -> None:
        await asyncio.sleep(random.uniform(*BROKEN))
        wire.heal()

    async def _reset(self, wire: Proxy) -> None:
        for _ in range(random.randint(1, 4)):
            wire.cut_all()
            await asyncio.sleep(random.uniform(0, 0.3))

    async def _cut(self, wire: Proxy, cut: Callable[[int], None]) -> None:
        """Again and again, each time after a few bytes more: at the beginning, in the middle, at the end of what is said."""
        for _ in range(random.randint(5, 15)):
            before = wire.cuts
            cut(random.randint(0, 1500))
            with suppress(TimeoutError):
                await until(lambda before=before: wire.has_cut(before + 1), CUT_WITHIN)
        wire.heal()

    async def _mark(self, wire: Proxy, cut: Callable[[bytes], None], mark: bytes) -> None:
        for _ in range(random.randint(3, 8)):
            before = wire.cuts
            cut(mark)
            with suppress(TimeoutError):
                await until(lambda before=before: wire.has_cut(before + 1), CUT_WITHIN)
        wire.heal()

    async def _hush(self, wire: Proxy) -> None:
        wire.hush()
        await self._wait_and_heal(wire)

    async def _swallow(self, wire: Proxy) -> None:
        wire.swallow()
        await self._wait_and_heal(wire)

    async def _refuse(self, wire: Proxy) -> None:
        wire.refuse()
        wire.cut_all()
        await asyncio.sleep(random.uniform(*BROKEN))
        await wire.accept()
