"""The visitor's durable post against the bare endpoint, in turns."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import count
from statistics import median
from typing import Literal

import orjson

from bench.client import hammer, request
from bench.figures import milliseconds
from bench.server import BARE
from bench.subject import Subject, Visit

Kind = Literal["bare", "served by a person", "served by the bot"]
CONNECTIONS = (1, 64)
WARM_UP_SECONDS = 0.5
TEXT = "How long does delivery to Spain take, and is customs included in the price?"


@dataclass
class Posts:
    """One kind at one number of connections.

    By round: `rates`, requests a second, and `costs`, the server's processor time for each in microseconds.
    """

    rates: list[float] = field(default_factory=list)
    costs: list[float] = field(default_factory=list)
    latencies: list[float] = field(default_factory=list)
    bad: int = 0

    @property
    def rate(self) -> float:
        return median(self.rates)

    def ratio_to(self, other: "Posts") -> float:
        """The median of the rounds' ratios: each round meets the machine in one mood."""
        return median(mine / theirs for mine, theirs in zip(self.rates, other.rates, strict=True))

    @property
    def row(self) -> list[str]:
        p50, p99 = (f"{milliseconds(self.latencies, share):.2f}" for share in (0.5, 0.99))
        return [f"{self.rate:,.0f}", p50, p99, f"{median(self.costs):.0f}", str(self.bad)]


Results = dict[tuple[int, Kind], Posts]


async def measure(subject: Subject, rounds: int, seconds: float) -> Results:
    """Every kind in every round, at each number of connections; each connection writes in a session of its own."""
    most = max(CONNECTIONS)
    writers: dict[Kind, list[Iterator[bytes]]] = {
        "bare": [_posts(BARE, "") for _ in range(most)],
        "served by a person": [_posts_of(await subject.served_visit()) for _ in range(most)],
        "served by the bot": [_posts_of(await subject.visit()) for _ in range(most)],
    }
    results: Results = {(n, kind): Posts() for n in CONNECTIONS for kind in writers}
    for posts in writers.values():
        await hammer(subject.port, posts, WARM_UP_SECONDS)
        await subject.quiet()
    for _ in range(rounds):
        for (n, kind), result in results.items():
            await _one_round(subject, writers[kind][:n], seconds, result)
    return results


async def _one_round(subject: Subject, posts: Sequence[Iterator[bytes]], seconds: float, result: Posts) -> None:
    cpu = subject.cpu()
    load = await hammer(subject.port, posts, seconds)
    result.rates.append(load.rate)
    result.costs.append((subject.cpu() - cpu) / len(load.latencies) * 1e6)
    result.latencies += load.latencies
    result.bad += load.bad
    await subject.quiet()


def _posts_of(visit: Visit) -> Iterator[bytes]:
    return _posts(f"/api/sessions/{visit.name}/messages", visit.token)


def _posts(path: str, token: str) -> Iterator[bytes]:
    for n in count():
        body = {"content": TEXT, "client_msg_id": f"post-{n:08}"}
        yield request("POST", path, token, orjson.dumps(body))
