"""What a thousand fake visitors cost the real ones: `python -m bench.flood`, or as a part of the whole run.

The real visitors have an address each and write as fast as they may; the fake ones come from few addresses and write
five hundred messages a second, from the same moment on. Limits are on, as they are by default.
"""

import asyncio
import random
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path

import orjson

sys.path.append(str(Path(__file__).parent.parent / "tests"))

from bench.client import Line, connect, request
from bench.figures import Bound, milliseconds
from bench.subject import Place, Subject, serving
from servers import free_port

# What the limits let through of the fake ones comes at once: 20 messages by address, which the bot answers.
FAKE, ADDRESSES, FAKE_EVERY = 1_000, 10, 2.0
# Within the limits, which allow 20 a minute.
REAL, REAL_EVERY = 40, 3.2
SECONDS = 40
TIMES = Bound("at most", 2)
TEXT = "Who won the football world cup in {}?"


@dataclass
class Flooded:
    """Seconds of each post of the real visitors, alone and beside the fake ones; how these fared."""

    alone: list[float] = field(default_factory=list)
    flooded: list[float] = field(default_factory=list)
    served: int = 0
    refused: int = 0

    @property
    def times(self) -> float:
        """The p95 beside the fake ones, in multiples of the p95 without them."""
        return milliseconds(self.flooded, 0.95) / milliseconds(self.alone, 0.95)


class Writer:
    """A visitor who writes at a steady pace from one address. `took`: seconds of each post; `statuses`: what came."""

    def __init__(self, name: str, token: str, address: str) -> None:
        self._posts = _posts(f"/api/sessions/{name}/messages", token, address)
        self.took: list[float] = []
        self.statuses: list[int] = []

    async def write(self, port: int, every: float, seconds: float) -> None:
        """Waits for each answer; begins somewhere in the first `every` seconds."""
        loop = asyncio.get_running_loop()
        await asyncio.sleep(random.random() * every)
        line = await connect(port)
        ends = time.perf_counter() + seconds
        while (begun := time.perf_counter()) < ends:
            status = await _status(line, next(self._posts), loop)
            self.took.append(time.perf_counter() - begun)
            self.statuses.append(status)
            await asyncio.sleep(max(0.0, every - (time.perf_counter() - begun)))
        line.close()


async def _status(line: Line, data: bytes, loop: asyncio.AbstractEventLoop) -> int:
    answered: asyncio.Future[int] = loop.create_future()
    line.answered = lambda status, _: answered.set_result(status)
    line.send(data)
    return await answered


def _posts(path: str, token: str, address: str) -> Iterator[bytes]:
    for n in count():
        body = {"content": TEXT.format(n), "client_msg_id": f"post-{n:08}"}
        yield _from(address, request("POST", path, token, orjson.dumps(body)))


def _from(address: str, data: bytes) -> bytes:
    """As a trusted proxy passes it on."""
    return data.replace(b"\r\n", f"\r\nX-Forwarded-For: {address}\r\n".encode(), 1)


async def _writers(subject: Subject, addresses: list[str]) -> list[Writer]:
    writers = []
    for n, address in enumerate(addresses):
        opening = request("POST", "/api/conversation/new", body=b'{"shop":"demo","locale":"en"}')
        status, answer = await subject.caller.call(_from(f"198.51.{n >> 8}.{n & 255}", opening))
        assert status == 200, answer
        opened = orjson.loads(answer)
        writers.append(Writer(opened["session_name"], opened["visitor_token"], address))
    return writers


async def measure(place: Place) -> Flooded:
    """Each reading on a service of its own, so that no earlier message counts against the limits of the next."""
    result = Flooded()
    for is_flooded, took in ((False, result.alone), (True, result.flooded)):
        async with serving(replace(place, rate_limits="on")) as subject:
            real = await _writers(subject, [f"192.0.2.{n}" for n in range(REAL)])
            fake = await _writers(subject, [f"203.0.113.{n % ADDRESSES}" for n in range(FAKE)]) if is_flooded else []
            await subject.quiet()
            await asyncio.gather(
                *(one.write(subject.port, FAKE_EVERY, SECONDS) for one in fake),
                *(one.write(subject.port, REAL_EVERY, SECONDS) for one in real),
            )
        assert all(status == 201 for one in real for status in one.statuses), "a real visitor was refused"
        took += [seconds for one in real for seconds in one.took]
        result.served += sum(status == 201 for one in fake for status in one.statuses)
        result.refused += sum(status == 429 for one in fake for status in one.statuses)
    return result


async def main() -> int:
    """On SQLite. Exit code 1 when the bound is missed."""
    with tempfile.TemporaryDirectory(prefix="kefu-flood-") as folder:
        place = Place(Path(folder), "", free_port())
        place.prepare()
        result = await measure(place)
    for what, took in (("alone", result.alone), (f"beside {FAKE} fake ones", result.flooded)):
        shares = ", ".join(f"p{share * 100:.0f} {milliseconds(took, share):.2f} ms" for share in (0.5, 0.95, 0.99))
        print(f"real visitors {what}: {shares} ({len(took)} posts)")
    print(f"fake visitors: {result.served:,} posts served, {result.refused:,} refused; p95 × {result.times:.2f}")
    return 0 if TIMES.holds(result.times) else 1


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
