"""A provider on a local port: HTTP as bytes, so that a test says what the wire carries, and where it breaks."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import orjson

HERE = "127.0.0.1"
OWN = [f"{HERE}/32"]
STATUS = {200: "OK", 302: "Found", 400: "Bad Request", 401: "Unauthorized", 404: "Not Found", 429: "Too Many Requests"}


@dataclass(frozen=True)
class Heard:
    """A request. Header names in lower case."""

    method: str
    path: str
    headers: Mapping[str, str]
    content: bytes

    @property
    def body(self) -> Any:
        return orjson.loads(self.content)


class Reply:
    """What a script writes. `pieces` arrive each for itself."""

    def __init__(self, writer: asyncio.StreamWriter) -> None:
        self._writer = writer

    async def raw(self, content: bytes) -> None:
        self._writer.write(content)
        await self._writer.drain()

    async def head(self, status: int = 200, kind: str = "text/event-stream; charset=utf-8", **headers: str) -> None:
        own = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
        line = f"HTTP/1.1 {status} {STATUS.get(status, 'Whatever')}\r\n"
        await self.raw(f"{line}Content-Type: {kind}\r\nTransfer-Encoding: chunked\r\n{own}\r\n".encode())

    async def chunk(self, content: bytes) -> None:
        await self.raw(b"%x\r\n%b\r\n" % (len(content), content))

    async def end(self) -> None:
        await self.raw(b"0\r\n\r\n")

    async def whole(self, body: Any, status: int = 200, **headers: str) -> None:
        await self.head(status, "application/json", **headers)
        await self.chunk(body if isinstance(body, bytes) else orjson.dumps(body))
        await self.end()

    async def stream(self, frames: Sequence[bytes], pause: float = 0.0) -> None:
        await self.head()
        for frame in frames:
            await self.chunk(frame)
            await asyncio.sleep(pause)
        await self.end()

    def cut(self) -> None:
        self._writer.transport.abort()


Script = Callable[[Heard, Reply], Awaitable[None]]


def says(frames: Sequence[bytes], pause: float = 0.0) -> Script:
    async def script(_: Heard, reply: Reply) -> None:
        await reply.stream(frames, pause)

    return script


def answers(body: Any, status: int = 200, **headers: str) -> Script:
    async def script(_: Heard, reply: Reply) -> None:
        await reply.whole(body, status, **headers)

    return script


@dataclass
class Provider:
    """Answers each request by the next of `scripts`, by the last one for ever. `left`: somebody hung up too early."""

    scripts: list[Script]
    port: int = 0
    heard: list[Heard] = field(default_factory=list)
    left: asyncio.Event = field(default_factory=asyncio.Event)
    connections: int = 0
    _serving: set[asyncio.Task[None]] = field(default_factory=set)

    @property
    def url(self) -> str:
        return f"http://{HERE}:{self.port}"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        task = asyncio.create_task(self._serve(reader, writer))
        self._serving.add(task)
        await asyncio.wait([task])
        writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while (heard := await _request(reader)) is not None:
                self.heard.append(heard)
                script = self.scripts.pop(0) if len(self.scripts) > 1 else self.scripts[0]
                await self._tell(script(heard, Reply(writer)), reader)
        except (ConnectionError, asyncio.IncompleteReadError):
            self.left.set()

    async def _tell(self, script: Awaitable[None], reader: asyncio.StreamReader) -> None:
        """To its end, or until nobody listens any more."""
        telling, hanging_up = asyncio.ensure_future(script), asyncio.ensure_future(reader.read(1))
        try:
            await asyncio.wait([telling, hanging_up], return_when=asyncio.FIRST_COMPLETED)
            if not telling.done():
                self.left.set()
        finally:
            telling.cancel()
            hanging_up.cancel()
            await asyncio.gather(telling, hanging_up, return_exceptions=True)

    async def close(self) -> None:
        for task in self._serving:
            task.cancel()
        await asyncio.gather(*self._serving, return_exceptions=True)


async def _request(reader: asyncio.StreamReader) -> Heard | None:
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
    except asyncio.IncompleteReadError:
        return None
    method, path, _ = head[0].split(" ")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in head[1:] if line)}
    content = await reader.readexactly(int(headers.get("content-length", 0)))
    return Heard(method, path, headers, content)


@asynccontextmanager
async def provider(*scripts: Script) -> AsyncIterator[Provider]:
    one = Provider(list(scripts))
    server = await asyncio.start_server(one.serve, HERE, 0)
    one.port = server.sockets[0].getsockname()[1]
    try:
        yield one
    finally:
        server.close()
        await one.close()
