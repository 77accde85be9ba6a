"""A model provider under load: `python -m bench.provider <port>`. Chat completions, 200 deltas 5 ms apart.

It says, word for word, what the first passage of its prompt says, and names that passage behind each sentence, as a
model that obeys does. The first delta says when it was sent (nanoseconds of the machine's monotonic clock), so that
whoever reads it knows how long it was on its way. A request for a model called `stalled` is taken and never answered;
one for vectors gets one.
"""

import asyncio
import re
import sys
import time
from collections.abc import Sequence
from functools import lru_cache
from itertools import chain, cycle, islice
from typing import Any, cast

import orjson
import uvloop

DELTAS, GAP = 200, 0.005
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
PASSAGE = re.compile(r"«\w+ passage 1»\n.*?\n\n(.*?)\n«/", re.DOTALL)
USED = {"prompt_tokens": 900, "completion_tokens": DELTAS, "total_tokens": 900 + DELTAS}
OTHERWISE = "There is no passage here."


def frame(delta: dict[str, str] | None, finish: str | None = None, **more: Any) -> bytes:
    choices = [] if delta is None else [{"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}]
    body = {"id": "1", "object": "chat.completion.chunk", "created": 1, "model": "bench", "choices": choices, **more}
    return _chunk(b"data: " + orjson.dumps(body) + b"\n\n")


def _chunk(content: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(content), content)


END = frame({}, "stop") + frame(None, usage=USED) + _chunk(b"data: [DONE]\n\n") + b"0\r\n\r\n"


@lru_cache(100)
def said(passage: str) -> Sequence[bytes]:
    """The deltas after the first: the passage, cut as tokens are, again and again."""
    sentences = re.findall(r"[^.!?]+[.!?]", passage) or [OTHERWISE]
    cut = [[*re.findall(r"\s*\S{1,6}", one[:-1].strip()), " [", "1", "]", f"{one[-1]} "] for one in sentences]
    return [frame({"content": one}) for one in islice(cycle(chain.from_iterable(cut)), DELTAS - 1)]


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
        head, _, content = self._asked.partition(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0] or 0)
        if len(content) < length or not head:
            return
        self._asked = b""
        if b"/embeddings " in head.partition(b"\r\n")[0]:
            self.transport.write(VECTOR)
            return
        body = orjson.loads(content)
        if body["model"] == "stalled":
            self.transport.write(HEAD)
            return
        found = PASSAGE.search(body["messages"][-1]["content"])
        deltas = said(found[1] if found else OTHERWISE)
        loop = asyncio.get_running_loop()
        self.transport.write(HEAD + frame({"content": f"{time.monotonic_ns()};"}))
        loop.call_later(GAP, self._next, loop.time() + GAP, iter(deltas))

    def _next(self, due: float, left: Any) -> None:
        """Each is due by the clock, however late the one before was."""
        if self.transport.is_closing():
            return
        delta = next(left, None)
        self.transport.write(delta or END)
        if delta is not None:
            asyncio.get_running_loop().call_at(due + GAP, self._next, due + GAP, left)


async def serve(port: int) -> None:
    server = await asyncio.get_running_loop().create_server(Answer, "127.0.0.1", port, backlog=1000)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(serve(int(sys.argv[1])))
