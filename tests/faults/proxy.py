"""A TCP proxy that breaks the wire on purpose: silence, resets, answers that never arrive."""

import asyncio
import socket
import struct
from contextlib import suppress
from types import TracebackType
from typing import Self

CHUNK = 16_384
RESET_AT_CLOSE = struct.pack("ii", 1, 0)


class Proxy:
    """Passes bytes between whoever connects to `port` and the server at `target` on this machine.

    `hush()` holds back everything in both directions, as an unplugged cable does, and takes connections that lead
    nowhere; `speak()` delivers what was held back. `cut_answer_after(n)` lets n more bytes of answers through and then
    resets their connection; `cut_request_after(n)` does so on the way to the server. `cut_all()` resets everything.
    """

    def __init__(self, target: int) -> None:
        self._target = target
        self._open = asyncio.Event()
        self._open.set()
        self._pairs: dict[asyncio.Task[None], tuple[asyncio.StreamWriter, asyncio.StreamWriter]] = {}
        self._left: dict[str, int | None] = {"answer": None, "request": None}
        self._server: asyncio.Server | None = None
        self.port = 0
        self.cuts = 0

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, kind: type[BaseException] | None, _: object, __: TracebackType | None) -> None:
        assert self._server
        self._server.close()
        self.cut_all()
        tasks = list(self._pairs)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def hush(self) -> None:
        self._open.clear()

    def speak(self) -> None:
        self._open.set()

    def cut_answer_after(self, count: int) -> None:
        self._left["answer"] = count

    def cut_request_after(self, count: int) -> None:
        self._left["request"] = count

    def has_cut(self, times: int) -> bool:
        return self.cuts >= times

    def cut_all(self) -> None:
        for pair in self._pairs.values():
            _reset(*pair)

    async def _serve(self, client_reads: asyncio.StreamReader, client: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        with suppress(OSError, asyncio.CancelledError):
            await self._open.wait()
            server_reads, server = await asyncio.open_connection("127.0.0.1", self._target)
            self._pairs[task] = client, server
            pumps = [
                asyncio.create_task(self._pump("request", client_reads, server)),
                asyncio.create_task(self._pump("answer", server_reads, client)),
            ]
            try:
                await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for pump in pumps:
                    pump.cancel()
                await asyncio.gather(*pumps, return_exceptions=True)
                _reset(client, server)
        self._pairs.pop(task, None)
        client.close()

    async def _pump(self, way: str, reads: asyncio.StreamReader, writes: asyncio.StreamWriter) -> None:
        """Ends when one side does, or when the bytes that were granted are through."""
        with suppress(OSError):
            while chunk := await reads.read(CHUNK):
                await self._open.wait()
                left = self._left[way]
                if left is not None and len(chunk) >= left:
                    self._left[way] = None
                    self.cuts += 1
                    writes.write(chunk[:left])
                    await writes.drain()
                    return
                if left is not None:
                    self._left[way] = left - len(chunk)
                writes.write(chunk)
                await writes.drain()


def _reset(*writers: asyncio.StreamWriter) -> None:
    """Close at once, with RST to the other side; what is written is flushed as far as the kernel has it."""
    for writer in writers:
        own = writer.get_extra_info("socket")
        with suppress(OSError):
            own.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_AT_CLOSE)
        writer.close()
