"""nginx, as it is recommended, before processes that say what a test wants of them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2

from conftest import do_without
from faults.nginx import Nginx
from servers import Missing, free_port

BEAT_SECONDS = 0.1


class Process:
    """Says the same to whoever asks, or dies with the request in its hands, and remembers the requests."""

    def __init__(self, answer: bytes) -> None:
        """An event stream beats if it is asked to by `?beats`."""
        self.answer = answer
        self.heard: list[bytes] = []
        self.port = free_port()

    async def serve(self, reads: asyncio.StreamReader, writes: asyncio.StreamWriter) -> None:
        self.heard.append(await reads.readuntil(b"\r\n\r\n"))
        writes.write(self.answer)
        if b"text/event-stream" in self.answer:
            await self._go_on(reads, writes)
        writes.close()

    async def _go_on(self, reads: asyncio.StreamReader, writes: asyncio.StreamWriter) -> None:
        """Until the client leaves."""
        left = asyncio.ensure_future(reads.read())
        while b"?beats" in self.heard[-1] and not left.done():
            writes.write(b": beat\n\n")
            await asyncio.wait([left], timeout=BEAT_SECONDS)
        await left


@asynccontextmanager
async def behind_nginx(home: Path, *answers: bytes) -> AsyncIterator[tuple[httpx2.AsyncClient, list[Process]]]:
    """A client to nginx before two processes with these answers; one without an answer here does not run."""
    async with (
        fronted(home, *answers) as (nginx, processes),
        httpx2.AsyncClient(base_url=f"http://127.0.0.1:{nginx.port}", trust_env=False, timeout=20) as client,
    ):
        yield client, processes


@asynccontextmanager
async def fronted(home: Path, *answers: bytes, **options: Any) -> AsyncIterator[tuple[Nginx, list[Process]]]:
    """Nginx itself; a third answer is the canary's. `options`: of Nginx."""
    processes = [Process(answer) for answer in answers]
    ports = [*(one.port for one in processes), free_port(), free_port()]
    try:
        nginx = Nginx(home, ports[0], ports[1], **options)
    except Missing as missing:
        do_without(str(missing))
    if len(processes) > 2:
        processes[2].port = nginx.canary_port
    servers = [await asyncio.start_server(one.serve, "127.0.0.1", one.port) for one in processes]
    await nginx.start()
    try:
        yield nginx, processes
    finally:
        await nginx.kill()
        for server in servers:
            server.close()
