"""A lean HTTP/1.1 client: it shares the machine with what it measures, so a request may cost it only microseconds."""

import asyncio
import re
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

import orjson

HOST = "127.0.0.1"
LENGTH = re.compile(rb"\r\ncontent-length: (\d+)\r\n", re.IGNORECASE)
REST_SECONDS = 3
READY = b'"stream.ready"'
# An event stream, a WebSocket.
OPENED = b"HTTP/1.1 200", b"HTTP/1.1 101"


def request(method: str, path: str, token: str = "", body: bytes = b"") -> bytes:
    """The bytes of one request on a connection that stays open."""
    lines = [f"{method} {path} HTTP/1.1", f"Host: {HOST}"]
    if token:
        lines.append(f"Authorization: Bearer {token}")
    if body:
        lines += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
    return "\r\n".join([*lines, "", ""]).encode() + body


class Line(asyncio.Protocol):
    """One connection with one request under way; `answered` is called with the status and the body of each response."""

    def __init__(self, answered: Callable[[int, bytes], None]) -> None:
        self.answered = answered
        self._held = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def send(self, data: bytes) -> None:
        assert self._transport is not None
        self._transport.write(data)

    def data_received(self, data: bytes) -> None:
        self._held += data
        head_end = self._held.find(b"\r\n\r\n")
        if head_end < 0:
            return
        length = LENGTH.search(self._held, 0, head_end + 2)
        end = head_end + 4 + (int(length[1]) if length else 0)
        if len(self._held) < end:
            return
        status, body = int(self._held[9:12]), self._held[head_end + 4 : end]
        self._held = self._held[end:]
        self.answered(status, body)

    def close(self) -> None:
        if self._transport:
            self._transport.abort()


class Caller:
    """Single calls: requests of any task on a few connections, each at once on a free one."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._free: list[tuple[Line, float]] = []

    async def call(self, data: bytes) -> tuple[int, bytes]:
        done: asyncio.Future[tuple[int, bytes]] = asyncio.get_running_loop().create_future()
        line = self._rested() or await connect(self._port)
        line.answered = lambda status, body: done.set_result((status, body))
        line.send(data)
        answer = await done
        self._free.append((line, time.monotonic()))
        return answer

    def _rested(self) -> Line | None:
        """The line used last, unless the server may be about to close it."""
        while self._free:
            line, since = self._free.pop()
            if time.monotonic() - since < REST_SECONDS:
                return line
            line.close()
        return None

    async def json(self, method: str, path: str, token: str = "", body: Any = None) -> Any:
        """The parsed answer. Raises RuntimeError unless it is a success."""
        status, answer = await self.call(request(method, path, token, orjson.dumps(body) if body is not None else b""))
        if status >= 300:
            raise RuntimeError(f"{method} {path}: {status} {answer[:300].decode()}")
        return orjson.loads(answer)

    def close(self) -> None:
        for line, _ in self._free:
            line.close()


async def connect(port: int) -> Line:
    _, line = await asyncio.get_running_loop().create_connection(lambda: Line(lambda *_: None), HOST, port)
    return line


@dataclass
class Load:
    """What came back. `latencies`: seconds of each good answer; `bad`: answers that were none."""

    seconds: float = 0.0
    latencies: list[float] = field(default_factory=list)
    bad: int = 0

    @property
    def rate(self) -> float:
        return len(self.latencies) / self.seconds


async def hammer(port: int, posts: Sequence[Iterator[bytes]], seconds: float) -> Load:
    """Send the requests of each iterator on a connection of its own, each as soon as the one before is answered."""
    load = Load()
    clock = time.perf_counter
    lines = [await connect(port) for _ in posts]
    finished = [asyncio.get_running_loop().create_future() for _ in posts]
    begun = clock()
    ends = begun + seconds

    def drive(line: Line, requests: Iterator[bytes], done: asyncio.Future[None]) -> None:
        sent = clock()

        def answered(status: int, _: bytes) -> None:
            nonlocal sent
            now = clock()
            if status == 201:
                load.latencies.append(now - sent)
            else:
                load.bad += 1
            if now >= ends:
                done.set_result(None)
                return
            sent = now
            line.send(next(requests))

        line.answered = answered
        line.send(next(requests))

    for line, requests, done in zip(lines, posts, finished, strict=True):
        drive(line, requests, done)
    await asyncio.gather(*finished)
    load.seconds = clock() - begun
    for line in lines:
        line.close()
    return load


class Refused(ConnectionError):
    """The server answered with something else than a stream."""


class Following(asyncio.Protocol):
    """An open event stream; `heard` is called with the moment and the bytes of whatever arrives once it is live."""

    def __init__(self, opening: bytes, heard: Callable[[float, bytes], None]) -> None:
        self.live: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._opening = opening
        self._heard = heard
        self._begun = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._transport.write(self._opening)

    def data_received(self, data: bytes) -> None:
        if self.live.done():
            self._heard(time.perf_counter(), data)
            return
        self._begun += data
        if not self._begun.startswith(OPENED):
            self.live.set_exception(Refused(self._begun[:400].decode()))
            self.close()
        elif READY in self._begun:
            self._begun = b""
            self.live.set_result(None)

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.live.done():
            self.live.set_exception(exc or Refused("the stream ended before it was live"))

    def stall(self) -> None:
        """Read no more, as a sleeping phone."""
        if self._transport:
            self._transport.pause_reading()

    def close(self) -> None:
        if self._transport:
            self._transport.abort()


async def follow(port: int, session: str, token: str, heard: Callable[[float, bytes], None]) -> Following:
    """Open the session's stream and wait until it is live. Raises Refused."""
    return await _opened(port, request("GET", f"/api/sessions/{session}/events", token), heard)


async def plug_in(port: int, session: str, token: str, heard: Callable[[float, bytes], None]) -> Following:
    """Open a WebSocket on the session and wait until it is live. Raises Refused."""
    lines = [
        f"GET /ws/session/{session} HTTP/1.1",
        f"Host: {HOST}:{port}",
        "Connection: Upgrade",
        "Upgrade: websocket",
        "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Key: a2VmdS1iZW5jaC0xMjM0NQ==",
        f"Sec-WebSocket-Protocol: kefu.v1, bearer.{token}",
    ]
    return await _opened(port, "\r\n".join([*lines, "", ""]).encode(), heard)


async def _opened(port: int, opening: bytes, heard: Callable[[float, bytes], None]) -> Following:
    _, following = await asyncio.get_running_loop().create_connection(lambda: Following(opening, heard), HOST, port)
    await following.live
    return following
