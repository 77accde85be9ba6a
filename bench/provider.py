"""A model provider under load: `python -m bench.provider <port>`. Chat completions, 200 deltas 5 ms apart.

The first delta says when it was sent (nanoseconds of the machine's monotonic clock), so that whoever reads it knows how
long it was on its way. A request for a model called `stalled` is taken and never answered; one for vectors gets one.
"""

import asyncio
import sys
import time
from typing import cast

import orjson
import uvloop

DELTAS, GAP = 200, 0.005
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
LAST = b"data: [DONE]\n\n"


def chunk(text: str | None, finish: str | None = None) -> bytes:
    delta = {} if text is None else {"content": text}
    body = {"id": "1", "object": "chat.completion.chunk", "created": 1, "model": "bench"}
    frame = (
        b"data: " + orjson.dumps({**body, "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}) + b"\n\n"
    )
    return b"%x\r\n%b\r\n" % (len(frame), frame)


WORD, END = chunk(" word"), chunk(None, "stop") + b"%x\r\n%b\r\n0\r\n\r\n" % (len(LAST), LAST)


VECTORS = b'{"data":[{"index":0,"embedding":[0.6,0.8]}],"usage":{"prompt_tokens":1}}'
VECTOR = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b" % (len(VECTORS), VECTORS)


class Answer(asyncio.Protocol):
    transport: asyncio.Transport

    def __init__(self) -> None:
        self._asked = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self._asked += data
        head, _, body = self._asked.partition(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0] or 0)
        if len(body) < length or not head:
            return
        self._asked = b""
        if b"/embeddings " in head.partition(b"\r\n")[0]:
            self.transport.write(VECTOR)
            return
        if orjson.loads(body)["model"] == "stalled":
            self.transport.write(HEAD)
            return
        loop = asyncio.get_running_loop()
        self.transport.write(HEAD + chunk(f"{time.monotonic_ns()};"))
        loop.call_later(GAP, self._next, loop, loop.time() + GAP, DELTAS - 1)

    def _next(self, loop: asyncio.AbstractEventLoop, due: float, left: int) -> None:
        """Each is due by the clock, however late the one before was."""
        if self.transport.is_closing():
            return
        if left == 0:
            self.transport.write(END)
            return
        self.transport.write(WORD)
        loop.call_at(due + GAP, self._next, loop, due + GAP, left - 1)


async def serve(port: int) -> None:
    server = await asyncio.get_running_loop().create_server(Answer, "127.0.0.1", port, backlog=1000)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(serve(int(sys.argv[1])))
