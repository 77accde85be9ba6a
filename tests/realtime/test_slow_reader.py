"""A reader who stops reading holds up nobody, is cut off, and resumes by its cursor."""

import asyncio
import socket

import httpx2
import orjson
from fastapi import FastAPI

from actors import Agent, Visitor, Watch
from kefu.sessions.post import post

LONG = "长" * 5000
MOST = 3000


class StalledReader:
    """Opens a stream, reads its head and then nothing more until `rest`."""

    def __init__(self, http: httpx2.AsyncClient, visitor: Visitor) -> None:
        self._address = ("127.0.0.1", http.base_url.port)
        self._visitor = visitor

    async def open(self) -> None:
        raw = socket.socket()
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        raw.setblocking(False)  # noqa: FBT003 - the name of the method says it
        await asyncio.get_running_loop().sock_connect(raw, self._address)
        self._reader, self._writer = await asyncio.open_connection(sock=raw, limit=1024)
        head = f"GET /api/sessions/{self._visitor.name}/events HTTP/1.0\r\nHost: kefu\r\n"
        self._writer.write(f"{head}Authorization: Bearer {self._visitor.token}\r\n\r\n".encode())
        assert (await self._reader.readline()).startswith(b"HTTP/1.1 200")

    async def rest(self) -> list[int]:
        """The seqs of all whole frames that the server had sent."""
        text = b""
        while part := await self._reader.read(65536):
            text += part
        self._writer.close()
        whole = text.split(b"\n\n")[:-1]
        frames = [orjson.loads(data) for frame in whole if (data := frame.partition(b"data: ")[2])]
        return [frame["seq"] for frame in frames if "at" in frame]


async def write_until_cut(app: FastAPI, name: str, healthy: Watch) -> int:
    """Post until the hub has cut one of its two followers; the last seq."""
    seq = 0
    while app.state.hub.count() > 1:
        assert seq < MOST, "nobody was cut off"
        posts = (post(app.state.db, name, LONG, f"{seq}.{n}") for n in range(20))
        seq = max(posted.entry.seq for posted in await asyncio.gather(*posts))
        await healthy.sees("message.posted", seq=seq)
    return seq


async def test_a_stalled_reader_is_cut_off_and_resumes(
    app: FastAPI, server: httpx2.AsyncClient, visitor: Visitor, agent: Agent
) -> None:
    await agent.takes_over(visitor)
    healthy, stalled = await visitor.follows(visitor.name), StalledReader(server, visitor)
    await healthy.sees("stream.ready")
    await stalled.open()
    last = await write_until_cut(app, visitor.name, healthy)
    assert healthy.seqs == list(range(1, last + 1))
    seqs = await stalled.rest()
    assert seqs == list(range(1, len(seqs) + 1))
    assert len(seqs) < last
    resumed = await visitor.follows(visitor.name, **{"Last-Event-ID": str(len(seqs))})
    await resumed.sees("stream.ready", seq=last)
    assert seqs + resumed.seqs == list(range(1, last + 1))
