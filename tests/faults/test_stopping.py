"""A server that is asked to stop says so to everybody who follows, and is gone (design §3)."""

import asyncio

from faults.checker import violations
from faults.people import Line, Visitor, at_work
from faults.process import Kefu
from faults.stored import found, until_idle
from kefu.cli import DRAIN_SECONDS
from kefu.jobs.queue import LEASE
from kefu.kit.db import Database

STREAMS = 200
AGENT_STREAMS = 20
# 0.4 s on an idle machine. Streams that do not end by themselves are cut after DRAIN_SECONDS.
STOPPED_WITHIN = DRAIN_SECONDS - 1
LAST_WORD = b'data: {"type":"stream.ended","reason":"restart"}\n\n'
LAST_CHUNK = b"0\r\n\r\n"


class RawStream:
    """A stream read as bytes to its end, so that a cut one is told from a finished one."""

    def __init__(self, reads: asyncio.StreamReader, writes: asyncio.StreamWriter) -> None:
        self._reads = reads
        self._writes = writes

    @classmethod
    async def open(cls, port: int, path: str, token: str) -> "RawStream":
        """Returns when the stream has nothing more to replay."""
        reads, writes = await asyncio.open_connection("127.0.0.1", port)
        writes.write(f"GET {path} HTTP/1.1\r\nHost: kefu\r\nAuthorization: Bearer {token}\r\n\r\n".encode())
        await reads.readuntil(b'"type":"stream.ready"')
        return cls(reads, writes)

    async def rest(self) -> bytes:
        rest = await self._reads.read()
        self._writes.close()
        return rest


async def open_streams(kefu: Kefu, line: Line) -> list[RawStream]:
    agent = await line.sign_in()
    visitors = [await Visitor.arrive(line, f"follower-{n}") for n in range(10)]
    wanted = [("/api/agent/events", agent)] * AGENT_STREAMS
    for visitor in visitors:
        path = f"/api/sessions/{visitor.name}/events"
        wanted += [(path, visitor.token)] * ((STREAMS - AGENT_STREAMS) // len(visitors))
    return await asyncio.gather(*(RawStream.open(kefu.port, path, token) for path, token in wanted))


async def test_it_tells_every_follower_and_is_gone(kefu: Kefu, line: Line) -> None:
    streams = await open_streams(kefu, line)
    reading = [asyncio.create_task(stream.rest()) for stream in streams]
    code, took = await kefu.terminate()
    endings = await asyncio.gather(*reading)
    assert len(endings) == STREAMS
    assert [rest[-200:] for rest in endings if LAST_WORD not in rest or not rest.endswith(LAST_CHUNK)] == []
    assert code == 0
    assert took < STOPPED_WITHIN
    assert kefu.logged("Application shutdown complete.")
    assert kefu.logged("request.failed") == []


async def ask_until_closed(port: int) -> list[bytes]:
    """One request after the other on one connection, until an answer closes it; the heads of all answers."""
    reads, writes = await asyncio.open_connection("127.0.0.1", port)
    heads: list[bytes] = []
    while not heads or b"connection: close" not in heads[-1]:
        writes.write(b"GET /health HTTP/1.1\r\nHost: kefu\r\n\r\n")
        heads.append(await reads.readuntil(b"\r\n\r\n"))
        await reads.readexactly(len(b'{"status":"ok"}'))
    writes.close()
    return heads


async def test_it_closes_a_connection_with_an_answer_and_not_between_two(kefu: Kefu) -> None:
    asking = [asyncio.create_task(ask_until_closed(kefu.port)) for _ in range(4)]
    await asyncio.sleep(0.2)
    code, _ = await kefu.terminate()
    for heads in await asyncio.gather(*asking):
        assert len(heads) > 1
        assert all(head.startswith(b"HTTP/1.1 200") for head in heads)
        assert [b"connection: close" in head for head in heads] == [False] * (len(heads) - 1) + [True]
    assert code == 0


async def test_what_is_said_while_it_stops_is_stored_or_refused(kefu: Kefu, line: Line, db: Database) -> None:
    visitors = [await Visitor.arrive(line, f"late-{n}") for n in range(8)]
    leave = asyncio.Event()
    async with at_work(*(visitor.talk(leave) for visitor in visitors)) as talking:
        await asyncio.sleep(0.5)
        code, _ = await kefu.terminate()
        await kefu.start()
        leave.set()
        await asyncio.gather(*talking)
    await until_idle(db, LEASE.total_seconds() + 5)
    assert violations(await found(db, line.told, [])) == []
    assert code == 0
    assert line.told.unpromised == []
    assert kefu.logged("request.failed") == []
