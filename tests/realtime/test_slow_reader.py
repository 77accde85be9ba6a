"""A reader who stops reading holds up nobody, is cut off, and resumes by its cursor."""

import asyncio
import socket
from collections.abc import Iterator

import httpx2
import orjson
import pytest
from fastapi import FastAPI

from actors import Agent, Visitor, Watch
from faults.waiting import until
from kefu.sessions.post import post

LONG = "长" * 5000
MOST = 3000
CLOSED_1013 = b"\x88\x02\x03\xf5"  # a WebSocket waits for the reader to close it too


class StalledReader:
    """Opens a stream, reads its head and then nothing more until `rest`."""

    protocol = "HTTP/1.0"
    head: tuple[str, ...] = ("Authorization: Bearer {token}",)
    status = 200

    def __init__(self, http: httpx2.AsyncClient, visitor: Visitor) -> None:
        self._address = ("127.0.0.1", http.base_url.port)
        self._visitor = visitor

    @property
    def path(self) -> str:
        return f"/api/sessions/{self._visitor.name}/events"

    async def open(self) -> None:
        raw = socket.socket()
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        raw.setblocking(False)  # noqa: FBT003 - the name of the method says it
        await asyncio.get_running_loop().sock_connect(raw, self._address)
        self._reader, self._writer = await asyncio.open_connection(sock=raw, limit=1024)
        head = (f"GET {self.path} {self.protocol}", "Host: kefu", *self.head)
        self._writer.write("".join(f"{line}\r\n" for line in (*head, "")).format(token=self._visitor.token).encode())
        assert (await self._reader.readline()).startswith(b"HTTP/1.1 %d" % self.status)

    async def rest(self) -> list[int]:
        """The seqs of all whole frames that the server had sent."""
        text = b""
        while not text.endswith(CLOSED_1013) and (part := await self._reader.read(65536)):
            text += part
        self._writer.close()
        frames = [orjson.loads(one) for one in self.frames(text)]
        return [frame["seq"] for frame in frames if "at" in frame]

    def frames(self, text: bytes) -> Iterator[bytes]:
        for frame in text.split(b"\n\n")[:-1]:
            if data := frame.partition(b"data: ")[2]:
                yield data


class StalledSocket(StalledReader):
    """The same over a WebSocket."""

    protocol = "HTTP/1.1"
    head = (
        "Connection: Upgrade",
        "Upgrade: websocket",
        "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==",
        "Sec-WebSocket-Protocol: kefu.v1, bearer.{token}",
    )
    status = 101

    @property
    def path(self) -> str:
        return f"/ws/session/{self._visitor.name}"

    def frames(self, text: bytes) -> Iterator[bytes]:
        """A text frame is 0x81 and its length, in one byte, or 126 and two (RFC 6455)."""
        text = text.partition(b"\r\n\r\n")[2]
        while text[:1] == b"\x81" and len(text) > 4:
            start, size = (4, int.from_bytes(text[2:4])) if text[1] == 126 else (2, text[1])
            if len(text) >= start + size:
                yield text[start : start + size]
            text = text[start + size :]


async def write_until_cut(app: FastAPI, name: str, healthy: Watch) -> int:
    """Post until the hub has cut one of its two followers; the last seq."""
    seq = 0
    while app.state.hub.count() > 1:
        assert seq < MOST, "nobody was cut off"
        posts = (post(app.state.db, name, LONG, f"{seq}.{n}") for n in range(20))
        seq = max(posted.entry.seq for posted in await asyncio.gather(*posts))
        await healthy.sees("message.posted", seq=seq)
    return seq


@pytest.mark.parametrize("reader", [StalledReader, StalledSocket])
async def test_a_stalled_reader_is_cut_off_and_resumes(
    app: FastAPI, visitor: Visitor, agent: Agent, reader: type[StalledReader]
) -> None:
    await agent.takes_over(visitor)
    healthy, stalled = await visitor.follows(visitor.name), reader(visitor.stage.http, visitor)
    await healthy.sees("stream.ready")
    await stalled.open()
    await until(lambda: app.state.hub.count() == 2, 20)
    last = await write_until_cut(app, visitor.name, healthy)
    assert healthy.seqs == list(range(1, last + 1))
    seqs = await stalled.rest()
    assert seqs == list(range(1, len(seqs) + 1))
    assert len(seqs) < last
    resumed = await visitor.follows(visitor.name, **{"Last-Event-ID": str(len(seqs))})
    await resumed.sees("stream.ready", seq=last)
    assert seqs + resumed.seqs == list(range(1, last + 1))
