"""What a thousand fake visitors cost the real ones: `python -m bench.flood`, or as a part of the whole run.

The real visitors have an address each and write as fast as they may; the fake ones come from few addresses and write
five hundred messages a second. Limits are on, as they are by default.
"""

import asyncio
import random
import sys
import tempfile
import time
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path

import orjson

sys.path.append(str(Path(__file__).parent.parent / "tests"))

from bench.answers import golden
from bench.client import Line, connect, follow, request
from bench.figures import Bound, milliseconds
from bench.subject import Place, Subject, serving
from servers import free_port

# What the limits let through of the fake ones comes at once: 20 messages by address, which the bot answers.
FAKE, ADDRESSES, FAKE_EVERY, FAKE_TIMES = 1_000, 10, 2.0, 8
# Within the limits, which allow 20 a minute.
REAL, REAL_EVERY, REAL_TIMES = 40, 3.2, 4
ROUNDS = 3
TIMES = Bound("at most", 2)
OFF_TOPIC = "Who won the football world cup in {}?"
COLUMNS = (
    "real visitors",
    "stored p50 ms",
    "p95 ms",
    "p99 ms",
    "answered p50 ms",
    "p95 ms",
    "p99 ms",
    "fake ones let in",
    "refused",
)
ANSWER = b'"role":"assistant"'


@dataclass
class Served:
    """Seconds from each message of the real visitors until it was stored, and until the bot's answer was seen."""

    posted: list[float] = field(default_factory=list)
    answered: list[float] = field(default_factory=list)


@dataclass
class Flooded:
    """How the real visitors fared without the fake ones and beside them, and how many posts of these were let in."""

    alone: Served = field(default_factory=Served)
    beside: Served = field(default_factory=Served)
    let_in: int = 0
    refused: int = 0

    @property
    def times(self) -> float:
        """The p95 of a post beside the fake ones, in multiples of the p95 without them."""
        return milliseconds(self.beside.posted, 0.95) / milliseconds(self.alone.posted, 0.95)


class Writer:
    """A visitor, who asks `asks` again and again, with a number where it has room for one."""

    def __init__(self, name: str, token: str, asks: str) -> None:
        self.name, self.token = name, token
        self.served = Served()
        self._asks = asks
        self._numbers = count()
        self._asked: float | None = None

    async def write(self, port: int, address: str, every: float, times: int) -> list[int]:
        """Waits for each post to be stored; begins somewhere in the first `every` seconds. The statuses that came."""
        await asyncio.sleep(random.random() * every)
        line, statuses = await connect(port), []
        for _ in range(times):
            begun = time.perf_counter()
            self._asked = self._asked or begun
            statuses.append(await _status(line, self._post(address)))
            self.served.posted.append(time.perf_counter() - begun)
            await asyncio.sleep(max(0.0, every - (time.perf_counter() - begun)))
        line.close()
        return statuses

    def hear(self, at: float, data: bytes) -> None:
        """Something arrived on the visitor's stream."""
        if self._asked is not None and ANSWER in data:
            self.served.answered.append(at - self._asked)
            self._asked = None

    def _post(self, address: str) -> bytes:
        n = next(self._numbers)
        body = orjson.dumps({"content": self._asks.format(n), "client_msg_id": f"post-{n:08}"})
        return _from(address, request("POST", f"/api/sessions/{self.name}/messages", self.token, body))


async def _status(line: Line, data: bytes) -> int:
    answered: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    line.answered = lambda status, _: answered.set_result(status)
    line.send(data)
    return await answered


def _from(address: str, data: bytes) -> bytes:
    """As a trusted proxy passes it on."""
    return data.replace(b"\r\n", f"\r\nX-Forwarded-For: {address}\r\n".encode(), 1)


async def _writers(subject: Subject, asked: list[str]) -> list[Writer]:
    writers = []
    for n, asks in enumerate(asked):
        opening = request("POST", "/api/conversation/new", body=b'{"shop":"demo","locale":"en"}')
        status, answer = await subject.caller.call(_from(f"198.51.{n >> 8}.{n & 255}", opening))
        assert status == 200, answer
        opened = orjson.loads(answer)
        writers.append(Writer(opened["session_name"], opened["visitor_token"], asks))
    return writers


async def measure(place: Place) -> Flooded:
    """By turns, so that whatever else the machine does falls on both; each flood comes from addresses of its own."""
    result = Flooded()
    async with serving(replace(place, rate_limits="on")) as subject:
        real = await _writers(subject, golden("en", REAL))
        fake = await _writers(subject, [OFF_TOPIC] * FAKE)
        following = [await follow(subject.port, one.name, one.token, one.hear) for one in real]
        for n in range(ROUNDS):
            await _round(subject, real, [], "", result.alone)
            statuses = await _round(subject, real, fake, f"203.0.{n}.", result.beside)
            result.let_in += statuses.count(201)
            result.refused += statuses.count(429)
        for one in following:
            one.close()
    return result


async def _round(subject: Subject, real: list[Writer], fake: list[Writer], net: str, served: Served) -> list[int]:
    """The statuses that the fake ones got; what the real ones saw is added to `served`."""
    await subject.quiet()
    for one in real:
        one.served = served
    flood = asyncio.gather(
        *(one.write(subject.port, f"{net}{n % ADDRESSES}", FAKE_EVERY, FAKE_TIMES) for n, one in enumerate(fake))
    )
    statuses = await asyncio.gather(
        *(one.write(subject.port, f"192.0.2.{n}", REAL_EVERY, REAL_TIMES) for n, one in enumerate(real))
    )
    assert {201} == {status for each in statuses for status in each}, "a real visitor was refused"
    return [status for each in await flood for status in each]


async def main() -> int:
    """On SQLite. Exit code 1 when the bound is missed."""
    with tempfile.TemporaryDirectory(prefix="kefu-flood-") as folder:
        place = Place(Path(folder), "", free_port())
        place.prepare()
        result = await measure(place)
    for row in rows(result):
        print(*row)
    print(f"p95 of a post × {result.times:.2f}")
    return 0 if TIMES.holds(result.times) else 1


def rows(result: Flooded) -> list[list[str]]:
    """What to read beside the judged figure, for `COLUMNS`."""
    fakes = (["", ""], [str(result.let_in), str(result.refused)])
    return [
        [name, *_shares(took.posted), *_shares(took.answered), *rest]
        for name, took, rest in zip(("alone", "beside fake ones"), (result.alone, result.beside), fakes, strict=True)
    ]


def _shares(took: list[float]) -> list[str]:
    return [f"{milliseconds(took, share):.1f}" for share in (0.5, 0.95, 0.99)]


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
