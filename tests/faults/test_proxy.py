"""The proxy does to the wire what it says, each fault by itself, before a server that answers what it is asked."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Self

import pytest

from faults.proxy import Proxy
from faults.waiting import until

SILENT_FOR = 0.3
PATIENCE = 10.0
POST = b"POST /api/sessions/s/messages HTTP/1.1\r\nHost: kefu\r\nContent-Length: 5\r\n\r\nhello"


class Echo:
    """Answers each piece with the same, and remembers what came."""

    def __init__(self) -> None:
        self.heard: list[bytes] = []
        self.port = 0

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()

    async def _serve(self, reads: asyncio.StreamReader, writes: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while piece := await reads.read(65_536):
                self.heard.append(piece)
                writes.write(piece)
                await writes.drain()
        writes.close()


@pytest.fixture
async def echo() -> AsyncIterator[Echo]:
    async with Echo() as echo:
        yield echo


@pytest.fixture
async def proxy(echo: Echo) -> AsyncIterator[Proxy]:
    async with Proxy(echo.port) as proxy:
        yield proxy


class Wire:
    def __init__(self, reads: asyncio.StreamReader, writes: asyncio.StreamWriter) -> None:
        self._reads = reads
        self._writes = writes

    def send(self, piece: bytes) -> None:
        self._writes.write(piece)

    async def hear(self, count: int, seconds: float = PATIENCE) -> bytes:
        """Exactly so many bytes. Raises TimeoutError, and OSError or EOFError when the connection was cut."""
        async with asyncio.timeout(seconds):
            return await self._reads.readexactly(count)

    async def ask(self, piece: bytes) -> bytes:
        self.send(piece)
        return await self.hear(len(piece))

    async def is_cut(self) -> bool:
        with suppress(OSError):
            return await asyncio.wait_for(self._reads.read(1), PATIENCE) == b""
        return True

    def close(self) -> None:
        self._writes.close()


@pytest.fixture
async def wire(proxy: Proxy) -> AsyncIterator[Wire]:
    wire = await wire_to(proxy)
    yield wire
    wire.close()


async def wire_to(proxy: Proxy) -> Wire:
    return Wire(*await asyncio.open_connection("127.0.0.1", proxy.port))


async def test_it_passes_everything_on(wire: Wire) -> None:
    assert await wire.ask(b"x" * 100_000) == b"x" * 100_000


async def test_hushed_it_holds_back_what_is_said_until_it_speaks(proxy: Proxy, wire: Wire, echo: Echo) -> None:
    await wire.ask(b"before")
    proxy.hush()
    wire.send(b"held")
    with pytest.raises(TimeoutError):
        await wire.hear(4, SILENT_FOR)
    assert echo.heard == [b"before"]
    proxy.speak()
    assert await wire.hear(4) == b"held"


async def test_hushed_it_takes_connections_that_lead_nowhere(proxy: Proxy) -> None:
    proxy.hush()
    late = await wire_to(proxy)
    late.send(b"late")
    with pytest.raises(TimeoutError):
        await late.hear(4, SILENT_FOR)
    proxy.speak()
    assert await late.hear(4) == b"late"
    late.close()


async def test_a_swallowed_connection_is_dead_at_both_ends_and_neither_knows(
    proxy: Proxy, wire: Wire, echo: Echo
) -> None:
    await wire.ask(b"before")
    proxy.swallow()
    wire.send(b"lost")
    with pytest.raises(TimeoutError):
        await wire.hear(1, SILENT_FOR)
    assert echo.heard == [b"before"]
    fresh = await wire_to(proxy)
    assert await fresh.ask(b"fresh") == b"fresh"
    fresh.close()


async def test_it_refuses_and_takes_connections_again_on_the_same_port(proxy: Proxy, wire: Wire) -> None:
    await wire.ask(b"open")
    proxy.refuse()
    with pytest.raises(ConnectionRefusedError):
        await wire_to(proxy)
    assert await wire.ask(b"still open") == b"still open"
    await proxy.accept()
    again = await wire_to(proxy)
    assert await again.ask(b"again") == b"again"
    again.close()


async def test_an_answer_gets_lost_on_the_way_back(proxy: Proxy, wire: Wire, echo: Echo) -> None:
    proxy.cut_answer_after(3)
    wire.send(b"question")
    assert await wire.hear(3) == b"que"
    assert await wire.is_cut()
    assert (echo.heard, proxy.cuts) == ([b"question"], 1)


async def test_a_request_is_cut_on_the_way_there(proxy: Proxy, wire: Wire, echo: Echo) -> None:
    proxy.cut_request_after(3)
    wire.send(b"question")
    assert await wire.is_cut()
    await until(lambda: proxy.cuts == 1, PATIENCE)
    assert b"".join(echo.heard) in {b"", b"que"}


async def test_what_is_marked_is_cut_before_the_server_has_it(proxy: Proxy, wire: Wire, echo: Echo) -> None:
    proxy.cut_before(b"COMMIT")
    assert await wire.ask(b"BEGIN") == b"BEGIN"
    wire.send(b"COMMIT;")
    assert await wire.is_cut()
    assert (echo.heard, proxy.done["cut before"]) == ([b"BEGIN"], 1)


async def test_what_is_marked_is_cut_after_the_server_has_done_it(proxy: Proxy, wire: Wire, echo: Echo) -> None:
    proxy.cut_after(b"COMMIT")
    assert await wire.ask(b"BEGIN") == b"BEGIN"
    wire.send(b"COMMIT;")
    assert await wire.is_cut()
    assert (echo.heard, proxy.done["cut after"]) == ([b"BEGIN", b"COMMIT;"], 1)


async def test_everything_is_cut_at_once(proxy: Proxy, wire: Wire) -> None:
    other = await wire_to(proxy)
    await asyncio.gather(wire.ask(b"one"), other.ask(b"other"))
    proxy.cut_all()
    assert await wire.is_cut()
    assert await other.is_cut()
    assert proxy.done["reset"] == 2
    other.close()


async def test_everything_takes_longer(proxy: Proxy, wire: Wire) -> None:
    proxy.delay = 0.1
    loop = asyncio.get_running_loop()
    began = loop.time()
    assert await wire.ask(b"slow") == b"slow"
    assert loop.time() - began >= 0.19


async def test_bytes_drip(proxy: Proxy, wire: Wire, echo: Echo) -> None:
    proxy.drip = 2
    assert await wire.ask(b"dripping") == b"dripping"
    assert len(echo.heard) > 1


async def test_a_post_is_sent_twice_though_it_comes_in_pieces(proxy: Proxy, wire: Wire, echo: Echo) -> None:
    proxy.doubled = 1.0
    wire.send(POST[:40])
    await wire.hear(40)
    wire.send(POST[40:])
    await wire.hear(len(POST) - 40)
    await until(lambda: len(b"".join(echo.heard)) == 2 * len(POST), PATIENCE)
    assert POST in echo.heard
    assert proxy.done["doubled"] == 1


async def test_what_is_no_post_of_a_message_is_not_sent_twice(proxy: Proxy, wire: Wire, echo: Echo) -> None:
    proxy.doubled = 1.0
    for request in (b"GET /health HTTP/1.1\r\n\r\n", b"POST /api/sessions/s/takeover HTTP/1.1\r\n\r\n"):
        await wire.ask(request)
    assert len(echo.heard) == 2
    assert proxy.done["doubled"] == 0


async def test_healed_it_passes_everything_on_again(proxy: Proxy, wire: Wire) -> None:
    proxy.hush()
    proxy.delay, proxy.drip, proxy.doubled = 5.0, 1, 1.0
    proxy.cut_answer_after(0)
    proxy.cut_before(b"well")
    proxy.heal()
    assert await wire.ask(b"all is well") == b"all is well"
