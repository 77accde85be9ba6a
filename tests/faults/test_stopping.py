"""A server that is asked to stop says so to everybody who follows, and is gone (design §3)."""

import asyncio
from itertools import cycle

from faults.checker import violations
from faults.people import Line, Visitor, at_work
from faults.process import Kefu
from faults.stored import found, until_idle
from faults.waiting import until
from kefu.jobs.queue import LEASE
from kefu.kit.db import Database
from kefu.server import DRAIN_SECONDS

STREAMS = 2000
AGENT_STREAMS = 200
OPENED_AT_ONCE = 50
# 0.7 s on an idle machine. Streams that do not end by themselves are cut after DRAIN_SECONDS.
STOPPED_WITHIN = 2 * DRAIN_SECONDS
LAST_WORD = b'{"type":"stream.ended","reason":"restart"}'
LAST_CHUNK = b"\n\n\r\n0\r\n\r\n"
CLOSED_1012 = b"\x88\x02\x03\xf4"
UPGRADE = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {}==\r\n"


class RawStream(asyncio.Protocol):
    """A stream read as bytes to its end, so that a cut one is told from a finished one. Keeps its last bytes only."""

    def __init__(self, path: str, token: str) -> None:
        loop = asyncio.get_running_loop()
        self.is_ready: asyncio.Future[None] = loop.create_future()
        self.is_over: asyncio.Future[None] = loop.create_future()
        self._rest = b""
        self._is_socket = path.startswith("/ws/")
        proof = (
            f"Sec-WebSocket-Protocol: kefu.v1, bearer.{token}" if self._is_socket else f"Authorization: Bearer {token}"
        )
        self._head = (
            f"GET {path} HTTP/1.1\r\nHost: kefu\r\n{UPGRADE.format('A' * 22) if self._is_socket else ''}{proof}\r\n\r\n"
        )

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        transport.write(self._head.encode())

    def data_received(self, data: bytes) -> None:
        self._rest = (self._rest + data)[-1000:]
        if not self.is_ready.done() and b'"type":"stream.ready"' in self._rest:
            self.is_ready.set_result(None)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio names it so
        self.is_over.set_result(None)

    @property
    def is_finished(self) -> bool:
        end = CLOSED_1012 if self._is_socket else LAST_CHUNK
        return LAST_WORD in self._rest and self._rest.endswith(end)


async def open_streams(kefu: Kefu, line: Line) -> list[RawStream]:
    """Half of them event streams, half of them sockets; returns when none has anything more to replay."""
    agent = await line.sign_in()
    visitors = [await Visitor.arrive(line, f"follower-{n}") for n in range(10)]
    doors = [(f"/api/sessions/{one.name}/events", f"/ws/session/{one.name}", one.token) for one in visitors]
    turn = cycle((path, token) for events, sockets, token in doors for path in (events, sockets))
    wanted = [next(turn) for _ in range(STREAMS - AGENT_STREAMS)]
    wanted += [("/api/agent/events", agent), ("/ws/agent", agent)] * (AGENT_STREAMS // 2)
    few = asyncio.Semaphore(OPENED_AT_ONCE)

    async def open_one(path: str, token: str) -> RawStream:
        async with few:
            loop = asyncio.get_running_loop()
            _, stream = await loop.create_connection(lambda: RawStream(path, token), "127.0.0.1", kefu.port)
            await asyncio.wait_for(stream.is_ready, 30)
            return stream

    return await asyncio.gather(*(open_one(path, token) for path, token in wanted))


async def test_it_tells_every_follower_and_is_gone(kefu: Kefu, line: Line) -> None:
    streams = await open_streams(kefu, line)
    code, took = await kefu.terminate()
    print(f"{len(streams)} streams ended and the process was gone in {took:.2f} s")  # noqa: T201 - a figure to read
    await asyncio.wait_for(asyncio.gather(*(stream.is_over for stream in streams)), 10)
    assert len(streams) == STREAMS
    assert sum(not stream.is_finished for stream in streams) == 0
    assert code == 0
    assert took < STOPPED_WITHIN
    assert kefu.logged("Application shutdown complete.")
    assert kefu.logged("request.failed") == []
    assert kefu.logged("Exception in ASGI application") == []
    served = [line for line in kefu.logged("request.served") if line["method"] == "WS"]
    assert len(served) == STREAMS // 2
    assert {(line["status"], line["closed"]) for line in served} == {(101, 1012)}


async def ask_until_closed(port: int, heads: list[bytes]) -> None:
    """One request after the other on one connection, until an answer closes it; `heads` gets those of the answers."""
    reads, writes = await asyncio.open_connection("127.0.0.1", port)
    while not heads or b"connection: close" not in heads[-1]:
        writes.write(b"GET /health HTTP/1.1\r\nHost: kefu\r\n\r\n")
        heads.append(await reads.readuntil(b"\r\n\r\n"))
        await reads.readexactly(len(b'{"status":"ok"}'))
    writes.close()


async def test_it_closes_a_connection_with_an_answer_and_not_between_two(kefu: Kefu) -> None:
    answers: list[list[bytes]] = [[] for _ in range(4)]
    asking = [asyncio.create_task(ask_until_closed(kefu.port, heads)) for heads in answers]
    await until(lambda: all(answers), 20)
    code, _ = await kefu.terminate()
    await asyncio.gather(*asking)
    for heads in answers:
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
