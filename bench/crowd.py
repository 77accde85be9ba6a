"""Ten thousand followers of one process, and what reaches them from another one."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace

from bench.client import Following, follow, plug_in
from bench.followers import Delivery, Watch, deliver, open_all
from bench.subject import Place, Subject, Visit, serving
from servers import free_port

CROWD = 10_000
SOCKETS = 2_000
# Sessions that a person serves, so that nothing but the posts is measured.
SERVED = 400
RATE = 200
BROADCASTS = 10
AT_ONCE = 16
WARM_UP = 50
# The mirror looks back a minute for what changed, and all these sessions have just been opened.
SETTLING_SECONDS = 65


@dataclass
class Crowd:
    """Followers with a session each. `across`: posted at another process; `stalled`: beside a reader who stopped."""

    kib: float
    idle_share: float
    reopened_per_second: float
    across: Delivery
    stalled: Delivery


async def measure(place: Place, seconds: float) -> Crowd:
    """One process has the followers, the other one takes the posts; Redis is between them."""
    async with AsyncExitStack() as stack:
        here = await stack.enter_async_context(serving(place))
        there = await stack.enter_async_context(serving(replace(place, port=free_port())))
        watch = Watch()
        served = await _gathered(there.served_visit, SERVED)
        stack.callback(asyncio.create_task(there.stay()).cancel)
        visits = served + await _gathered(there.visit, CROWD - SERVED)
        await _warm(here, visits, watch)
        memory = here.memory()
        crowd = await open_all(here, visits, CROWD, watch.heard)
        await here.quiet()
        kib = (here.memory() - memory) / CROWD / 1024
        await asyncio.sleep(SETTLING_SECONDS)
        idle = await here.idle_share(2 * seconds)
        across = Delivery(RATE)
        await deliver(there, served, watch, across, seconds, sees=1)
        stalled = await _beside_a_stalled_one(here, there, served, watch, seconds)
        begun = time.perf_counter()
        for one in crowd:
            one.close()
        again = await open_all(here, visits, CROWD, watch.heard)
        rate = CROWD / (time.perf_counter() - begun)
        for one in again:
            one.close()
    return Crowd(kib, idle, rate, across, stalled)


async def _beside_a_stalled_one(
    here: Subject, there: Subject, served: Sequence[Visit], watch: Watch, seconds: float
) -> Delivery:
    """A second reader of each session that gets posts stops reading before they come."""
    stalled = await open_all(here, served, len(served), lambda *_: None)
    for one in stalled:
        one.stall()
    delivery = Delivery(RATE)
    await deliver(there, served, watch, delivery, seconds, sees=1)
    for one in stalled:
        one.close()
    return delivery


async def broadcast(place: Place) -> list[float]:
    """Seconds until the last of CROWD followers of one session has seen a post, for each of BROADCASTS."""
    async with serving(place) as subject:
        watch = Watch()
        visit = await subject.served_visit()
        crowd = await open_all(subject, [visit], CROWD, watch.heard)
        took = []
        for _ in range(BROADCASTS):
            await subject.quiet()
            await deliver(subject, [visit], watch, Delivery(1), 1, sees=CROWD)
            took.append(max(watch.latencies))
        for one in crowd:
            one.close()
    return took


async def sockets(place: Place) -> float:
    """KiB of the server's memory for each of SOCKETS idle WebSockets, a session each."""
    async with serving(place) as subject:
        visits = await _gathered(subject.visit, SOCKETS)
        await _warm(subject, visits, Watch())
        memory = subject.memory()
        plugged: list[Following] = await open_all(subject, visits, SOCKETS, lambda *_: None, plug_in)
        await subject.quiet()
        kib = (subject.memory() - memory) / SOCKETS / 1024
        for one in plugged:
            one.close()
    return kib


async def _warm(subject: Subject, visits: Sequence[Visit], watch: Watch) -> None:
    for opener in (follow, plug_in):
        for one in await open_all(subject, visits, WARM_UP, watch.heard, opener):
            one.close()
    await subject.quiet()


async def _gathered(visit: Callable[[], Awaitable[Visit]], wanted: int) -> list[Visit]:
    """The first one alone: it signs the agent in."""
    free = asyncio.Semaphore(AT_ONCE)

    async def one() -> Visit:
        async with free:
            return await visit()

    return [await visit(), *await asyncio.gather(*(one() for _ in range(wanted - 1)))]
