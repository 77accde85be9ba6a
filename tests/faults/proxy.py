"""A TCP proxy that breaks the wire on purpose: silence, resets, delays, lost answers, requests sent twice."""

import asyncio
import random
import re
import socket
import struct
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

CHUNK = 16_384
RESET_AT_CLOSE = struct.pack("ii", 1, 0)
ECHO_SECONDS = 10.0
# After which TCP's keep-alive would find out that the other end of a dead connection has gone.
FOUND_OUT_SECONDS = 10.0
LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)


@dataclass(eq=False)
class Pair:
    """One connection through the proxy. `request`: what has come of a request, while requests are doubled."""

    client: asyncio.StreamWriter
    server: asyncio.StreamWriter
    is_dead: bool = False
    loses_answer: bool = False
    request: bytearray = field(default_factory=bytearray)

    def reset(self) -> None:
        _reset(self.client, self.server)


class Proxy:
    """Passes bytes between whoever connects to `port` and the server at `target` on this machine.

    `hush()` holds back everything in both directions, as an unplugged cable does, and takes connections that lead
    nowhere; `speak()` delivers what was held back. `swallow()` is worse: connections that are open lead nowhere from
    then on, and neither end is told. `refuse()` takes no connections until `accept()`.

    `cut_answer_after(n)` lets n more bytes of answers through and then resets their connection; `cut_request_after(n)`
    does so on the way to the server. `cut_before(mark)` resets the connection whose request contains `mark` instead of
    passing it on, `cut_after(mark)` when the server has answered it, without the answer. `cut_all()` resets everything.

    `delay`: seconds that each piece of bytes takes longer. `drip`: bytes are passed on this many at a time, a
    hundredth of a second apart. `doubled`: the share of HTTP posts of messages that are sent a second time.

    `done` counts what was done to whom.
    """

    def __init__(self, target: int) -> None:
        self._target = target
        self._open = asyncio.Event()
        self._open.set()
        self._pairs: dict[asyncio.Task[None], Pair | None] = {}
        self._echoes: set[asyncio.Task[None]] = set()
        self._left: dict[str, int | None] = {"answer": None, "request": None}
        self._marks: dict[str, bytes | None] = {"before": None, "after": None}
        self._server: asyncio.Server | None = None
        self.port = 0
        self.delay = 0.0
        self.drip = 0
        self.doubled = 0.0
        self.done: Counter[str] = Counter()

    async def __aenter__(self) -> Self:
        await self.accept()
        return self

    async def __aexit__(self, kind: type[BaseException] | None, _: object, __: TracebackType | None) -> None:
        self.refuse()
        self.cut_all()
        tasks = [*self._pairs, *self._echoes]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    @property
    def cuts(self) -> int:
        return self.done["cut"] + self.done["cut before"] + self.done["cut after"]

    async def accept(self) -> None:
        if self._server is None:
            self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
            self.port = self._server.sockets[0].getsockname()[1]

    def refuse(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None

    def hush(self) -> None:
        self._open.clear()

    def swallow(self) -> None:
        for pair in self._pairs.values():
            if pair is not None:
                pair.is_dead = True
                self.done["dead"] += 1

    def speak(self) -> None:
        self._open.set()

    def cut_answer_after(self, count: int) -> None:
        self._left["answer"] = count

    def cut_request_after(self, count: int) -> None:
        self._left["request"] = count

    def cut_before(self, mark: bytes) -> None:
        self._marks["before"] = mark

    def cut_after(self, mark: bytes) -> None:
        self._marks["after"] = mark

    def has_cut(self, times: int) -> bool:
        return self.cuts >= times

    def cut_all(self) -> None:
        for pair in self._pairs.values():
            if pair is not None:
                pair.reset()
                self.done["reset"] += 1

    def heal(self) -> None:
        """Nothing more goes wrong; what is cut or dead stays so."""
        self.delay, self.drip, self.doubled = 0.0, 0, 0.0
        self._left = dict.fromkeys(self._left)
        self._marks = dict.fromkeys(self._marks)
        self.speak()

    async def _serve(self, client_reads: asyncio.StreamReader, client: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        self._pairs[task] = None
        with suppress(OSError, asyncio.CancelledError):
            await self._open.wait()
            server_reads, server = await asyncio.open_connection("127.0.0.1", self._target)
            pair = self._pairs[task] = Pair(client, server)
            pumps = [
                asyncio.create_task(self._pump("request", pair, client_reads, server)),
                asyncio.create_task(self._pump("answer", pair, server_reads, client)),
            ]
            try:
                await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for pump in pumps:
                    pump.cancel()
                await asyncio.gather(*pumps, return_exceptions=True)
                pair.reset()
        self._pairs.pop(task, None)
        _reset(client)

    async def _pump(self, way: str, pair: Pair, reads: asyncio.StreamReader, writes: asyncio.StreamWriter) -> None:
        """Ends when one side does, or when this connection is to be cut here."""
        with suppress(OSError):
            while chunk := await reads.read(CHUNK):
                if self.delay:
                    await asyncio.sleep(self.delay)
                await self._open.wait()
                if pair.is_dead:
                    continue
                passed = self._passed(way, pair, chunk)
                await self._write(writes, passed)
                if len(passed) < len(chunk):
                    return
        if pair.is_dead:
            await asyncio.sleep(FOUND_OUT_SECONDS)

    def _passed(self, way: str, pair: Pair, chunk: bytes) -> bytes:
        """What of the chunk goes through. The connection is cut when it is less than all."""
        if way == "answer" and pair.loses_answer:
            self.done["cut after"] += 1
            return b""
        if way == "request" and self._meets("before", chunk):
            self.done["cut before"] += 1
            return b""
        if way == "request":
            pair.loses_answer |= self._meets("after", chunk)
            self._double(pair, chunk)
        left = self._left[way]
        if left is not None and len(chunk) > left:
            self._left[way] = None
            self.done["cut"] += 1
            return chunk[:left]
        if left is not None:
            self._left[way] = left - len(chunk)
        return chunk

    def _meets(self, when: str, chunk: bytes) -> bool:
        mark = self._marks[when]
        if mark is None or mark not in chunk:
            return False
        self._marks[when] = None
        return True

    async def _write(self, writes: asyncio.StreamWriter, chunk: bytes) -> None:
        step = self.drip or len(chunk) or 1
        for start in range(0, len(chunk), step):
            writes.write(chunk[start : start + step])
            await writes.drain()
            if self.drip:
                await asyncio.sleep(0.01)

    def _double(self, pair: Pair, chunk: bytes) -> None:
        """Gather the request; when it is a whole post of a message, perhaps send it again on a line of its own."""
        if not self.doubled:
            pair.request.clear()
            return
        pair.request += chunk
        if not _is_whole(pair.request):
            return
        request = bytes(pair.request)
        pair.request.clear()
        if re.match(rb"POST \S*/messages ", request) and random.random() < self.doubled:
            self.done["doubled"] += 1
            echo = asyncio.create_task(self._send_again(request))
            self._echoes.add(echo)
            echo.add_done_callback(self._echoes.discard)

    async def _send_again(self, request: bytes) -> None:
        with suppress(OSError, TimeoutError):
            async with asyncio.timeout(ECHO_SECONDS):
                reads, writes = await asyncio.open_connection("127.0.0.1", self._target)
                writes.write(request)
                await reads.read(CHUNK)
                writes.close()


def _is_whole(request: bytes | bytearray) -> bool:
    head, end, body = request.partition(b"\r\n\r\n")
    length = LENGTH.search(head)
    return bool(end) and len(body) >= (int(length[1]) if length else 0)


def _reset(*writers: asyncio.StreamWriter) -> None:
    """Close at once, with RST to the other side; what is written is flushed as far as the kernel has it."""
    for writer in writers:
        own = writer.get_extra_info("socket")
        with suppress(OSError, ValueError):  # it is closed already
            own.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_AT_CLOSE)
        writer.close()
