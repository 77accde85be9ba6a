"""Many open event streams: what each costs, and how soon a post is seen on them."""

import asyncio
import re
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from itertools import cycle, islice

import orjson

from bench.client import Following, Refused, follow, request
from bench.subject import Subject, Visit

FOLLOWERS = 1000
AT_ONCE = 32
WARM_UP = 50
RETRY_SECONDS = 1
Heard = Callable[[float, bytes], None]
ID = re.compile(rb'"client_msg_id":"(seen-\d+)"')


@dataclass
class Delivery:
    """Posts at `rate` a second. `latencies`: seconds from the post to each follower that saw it.

    `refused`: posts that the server did not take. `missing`: how often one that it took was not seen.
    """

    rate: int
    latencies: list[float] = field(default_factory=list)
    refused: int = 0
    missing: int = 0
    cpu_share: float = 0.0


@dataclass
class Followers:
    """`kib`: of the server's memory for each follower. `idle_share`: of a core while nothing happens."""

    kib: float
    opened_per_second: float
    idle_share: float
    deliveries: list[Delivery]


class Watch:
    """Notes when each post was sent and when each follower saw it."""

    def __init__(self) -> None:
        self.sent: dict[bytes, float] = {}
        self.latencies: list[float] = []

    def heard(self, at: float, data: bytes) -> None:
        for one in ID.findall(data):
            self.latencies.append(at - self.sent[one])


async def measure(subject: Subject, sessions: int, rates: Sequence[int], seconds: float) -> Followers:
    """FOLLOWERS streams spread evenly over `sessions`; then posts into them, each `rate` for `seconds`."""
    watch = Watch()
    visits = [await subject.served_visit() for _ in range(sessions)]
    for stream in await open_all(subject, visits, WARM_UP, watch.heard):
        stream.close()
    await deliver(subject, visits, watch, Delivery(20), WARM_UP / 20, sees=0)
    await subject.quiet()
    memory, begun = subject.memory(), time.perf_counter()
    following = await open_all(subject, visits, FOLLOWERS, watch.heard)
    took = time.perf_counter() - begun
    await subject.quiet()
    kib = (subject.memory() - memory) / FOLLOWERS / 1024
    idle = await subject.cpu_share(seconds)
    deliveries = [Delivery(rate) for rate in rates]
    for one in deliveries:
        await deliver(subject, visits, watch, one, seconds, sees=FOLLOWERS // sessions)
    for stream in following:
        stream.close()
    return Followers(kib, FOLLOWERS / took, idle, deliveries)


Opener = Callable[[int, str, str, Heard], Awaitable[Following]]


async def open_all(
    subject: Subject, visits: Sequence[Visit], wanted: int, heard: Heard, opener: Opener = follow
) -> list[Following]:
    """`wanted` followers, spread evenly over the visits; one that is told to come back does."""
    free = asyncio.Semaphore(AT_ONCE)

    async def one(visit: Visit) -> Following:
        while True:
            try:
                async with free:
                    return await opener(subject.port, visit.name, visit.token, heard)
            except Refused as refused:
                if " 503 " not in str(refused):
                    raise
            await asyncio.sleep(RETRY_SECONDS)

    return await asyncio.gather(*(one(visit) for visit in islice(cycle(visits), wanted)))


async def deliver(
    subject: Subject, visits: Sequence[Visit], watch: Watch, delivery: Delivery, seconds: float, *, sees: int
) -> None:
    """Post at the wanted rate, whether or not earlier posts are answered; then wait for those under way."""
    watch.latencies.clear()
    posts = int(delivery.rate * seconds)
    begun, cpu = time.perf_counter(), subject.cpu()
    async with asyncio.TaskGroup() as under_way:
        for n, visit in enumerate(islice(cycle(visits), posts)):
            await asyncio.sleep(begun + n / delivery.rate - time.perf_counter())
            under_way.create_task(_post(subject, visit, watch, delivery))
    delivery.cpu_share = (subject.cpu() - cpu) / (time.perf_counter() - begun)
    await subject.quiet()
    delivery.latencies = watch.latencies.copy()
    delivery.missing = (posts - delivery.refused) * sees - len(delivery.latencies)


async def _post(subject: Subject, visit: Visit, watch: Watch, delivery: Delivery) -> None:
    own = f"seen-{len(watch.sent)}"
    watch.sent[own.encode()] = time.perf_counter()
    body = orjson.dumps({"content": "Hello?", "client_msg_id": own})
    status, _ = await subject.caller.call(request("POST", f"/api/sessions/{visit.name}/messages", visit.token, body))
    delivery.refused += status != 201
