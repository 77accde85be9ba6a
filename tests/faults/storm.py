"""The catalogue of faults, and a storm that plays them in any order on a cluster at work."""

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import suppress
from functools import partial

from faults.cluster import Cluster
from faults.crowd import Crowd
from faults.process import Kefu
from faults.program import Program
from faults.proxy import Proxy
from faults.waiting import until

Strike = Callable[[], Awaitable[None]]

# How long a wire stays broken in seconds: longer than a statement may take, or a breaker stays shut.
BROKEN = 0.5, 5.0
DOWN = 0.0, 1.0
CUT_WITHIN = 2.0


class Storm:
    """Each strike breaks one thing and mends it again. `struck` counts them by name."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self.struck: Counter[str] = Counter()
        self.strikes: Mapping[str, Strike] = {**dict(self._kills()), **dict(self._breaks())}

    def deck(self) -> list[str]:
        """The whole catalogue in any order, and then what kills a process twice more."""
        kills = [name for name in self.strikes if name.startswith(("kill", "crash", "empty"))]
        return _shuffled([*self.strikes]) + _shuffled(kills * 2)

    async def play(
        self, names: list[str], crowd: Crowd, say: Callable[[str], None] = lambda _: None, seconds: float = 120
    ) -> float:
        """These strikes, each at a random time, and after each a sign that everybody is served again.

        None begins after so many seconds. Returns the longest time until that sign in seconds. Raises TimeoutError when
        it does not come.
        """
        loop = asyncio.get_running_loop()
        ends, longest = loop.time() + seconds, 0.0
        for name in names:
            if loop.time() > ends:
                break
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
            yield f"kill app {n}", partial(self._kill, app)
        yield "kill worker", partial(self._kill, cluster.worker)
        yield "kill nginx", partial(self._kill, cluster.nginx)
        yield "kill PostgreSQL", partial(self._kill, cluster.postgres)
        yield "crash a backend of PostgreSQL", self._crash
        if redis := cluster.redis:
            yield "kill Redis", partial(self._kill, redis)
            yield "empty Redis", redis.empty
        yield "freeze an app", self._freeze
        yield "restart one by one", cluster.roll

    def _breaks(self) -> Iterator[tuple[str, Strike]]:
        for to, wire in self._cluster.wires.items():
            yield f"{to}: latency", partial(self._slow, wire, "delay", (0.02, 0.1))
            yield f"{to}: slow drip", partial(self._slow, wire, "drip", (100, 400))
            yield f"{to}: reset", partial(self._reset, wire)
            yield f"{to}: cut request", partial(self._cut, wire, wire.cut_request_after)
            yield f"{to}: lost answer", partial(self._cut, wire, wire.cut_answer_after)
            yield f"{to}: silence", partial(self._hush, wire)
            yield f"{to}: half-open", partial(self._swallow, wire)
            yield f"{to}: refused", partial(self._refuse, wire)
        front, database = self._cluster.front, self._cluster.to_database
        yield "client: doubled requests", partial(self._slow, front, "doubled", (0.3, 0.7))
        yield "PostgreSQL: cut before a commit", partial(self._cut_at, database, database.cut_before, b"COMMIT")
        yield "PostgreSQL: cut after a commit", partial(self._cut_at, database, database.cut_after, b"COMMIT")
        # What the hot path sends carries the message itself.
        yield "PostgreSQL: cut before a post", partial(self._cut_at, database, database.cut_before, b"question ")
        yield "PostgreSQL: cut after a post", partial(self._cut_at, database, database.cut_after, b"question ")

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

    async def _slow(self, wire: Proxy, how: str, much: tuple[float, float]) -> None:
        setattr(wire, how, type(getattr(wire, how))(random.uniform(*much)))
        await self._wait_and_heal(wire)

    async def _wait_and_heal(self, wire: Proxy) -> None:
        await asyncio.sleep(random.uniform(*BROKEN))
        wire.heal()

    async def _reset(self, wire: Proxy) -> None:
        for _ in range(random.randint(1, 4)):
            wire.cut_all()
            await asyncio.sleep(random.uniform(0, 0.3))

    async def _cut(self, wire: Proxy, cut: Callable[[int], None]) -> None:
        """Again and again, after some bytes: at the beginning, in the middle, at the end of what is said."""
        for _ in range(random.randint(5, 15)):
            await self._until_cut(wire, partial(cut, random.randint(0, 1500)))
        wire.heal()

    async def _cut_at(self, wire: Proxy, cut: Callable[[bytes], None], mark: bytes) -> None:
        for _ in range(random.randint(3, 8)):
            await self._until_cut(wire, partial(cut, mark))
        wire.heal()

    async def _until_cut(self, wire: Proxy, cut: Callable[[], None]) -> None:
        """Or until it is clear that nothing comes by."""
        wanted = wire.cuts + 1
        cut()
        with suppress(TimeoutError):
            await until(partial(wire.has_cut, wanted), CUT_WITHIN)

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


def _shuffled(names: list[str]) -> list[str]:
    return random.sample(names, len(names))
