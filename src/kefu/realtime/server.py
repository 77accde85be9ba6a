"""How uvicorn serves streams and sockets by the thousand, and requests that come too slowly or too large not at all."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any, ClassVar

from httptools import HttpParserError
from starlette.datastructures import Headers
from starlette.types import Send
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from kefu.kit.errors import KefuError
from kefu.kit.i18n import Text, preferred
from kefu.kit.web import SECURITY, UPLOADS, error_response

FRAME_BYTES = 4096
HEAD_BYTES = 32_768
HEADERS = 100
# From the first byte of a request, or from the connection on, to the end of its body: a slow phone needs seconds.
REQUEST_SECONDS = 30.0
# A file may come more slowly: as long as each REQUEST_SECONDS bring so many bytes, and in all within so many seconds.
UPLOAD_PACE = 131_072
UPLOAD_SECONDS = 600.0


class BadRequest(KefuError):
    status = 400
    code = "BAD_REQUEST"
    text: ClassVar[Text] = {"en": "This is not HTTP as we know it.", "zh": "请求格式无效。"}


class RequestTooSlow(KefuError):
    status = 408
    code = "REQUEST_TIMEOUT"
    text: ClassVar[Text] = {"en": "The request took too long to arrive.", "zh": "请求传输超时。"}


class HeadTooLarge(KefuError):
    status = 431
    code = "HEADERS_TOO_LARGE"
    text: ClassVar[Text] = {
        "en": "The request has more than {headers} headers, or {limit} bytes of them.",
        "zh": "请求头超过 {headers} 个或 {limit} 字节。",
    }

    def __init__(self) -> None:
        super().__init__(headers=HEADERS, limit=HEAD_BYTES)


class LeanSocket(WebSocketsSansIOProtocol):
    """Lets go of what the handshake said: uvicorn and websockets keep it, three times over, until the end."""

    def start_keepalive(self) -> None:
        """Called when the handshake is over."""
        super().start_keepalive()
        self.request.headers.clear()
        self.response.headers.clear()
        headers: Any = self.scope["headers"]
        headers.clear()


# What becomes of an event that nobody waits for any more.
UNHEARD = asyncio.Event()


class Pipeline(list[tuple[RequestResponseCycle, Any]]):
    """Requests that came before their turn: hardly ever one, and an empty deque takes 760 bytes."""

    def appendleft(self, one: tuple[RequestResponseCycle, Any]) -> None:
        self.insert(0, one)


class LeanHttp(HttpToolsProtocol):
    """Tells a stream that its reader has gone, which otherwise takes a task that waits for it.

    A request has to arrive within REQUEST_SECONDS, and its head within HEAD_BYTES and HEADERS; uvicorn sets no bounds.
    Nothing is timed while each request arrives in one piece, as most do. Files have more time, while they come at a
    pace.

    What it knows is in slots: with more than 30 attributes each connection would have a dict of its own, of 1.3 KiB.
    """

    __slots__ = (
        "_deadline",
        "_head_bytes",
        "_is_arriving",
        "_is_in_head",
        "_paced_bytes",
        "_upload_until",
        "on_gone",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.pipeline = Pipeline()  # type: ignore[assignment]  # uvicorn only appends on the left and pops
        self.on_gone: Callable[[], None] | None = None
        self._deadline: asyncio.TimerHandle | None = None
        self._is_in_head = self._is_arriving = False
        self._head_bytes = self._paced_bytes = 0
        self._upload_until = 0.0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        super().connection_made(transport)
        self._expect_request()

    def connection_lost(self, exc: Exception | None) -> None:
        self._has_arrived()
        super().connection_lost(exc)
        if self.on_gone:
            self.on_gone()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self.transport.is_closing() or not self._is_arriving:
            return
        if self._deadline is None:
            self._expect_request()
        self._paced_bytes += len(data)
        if self._is_in_head:
            self._head_bytes += len(data)
            if self._head_bytes > HEAD_BYTES:
                self._refuse(HeadTooLarge())

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._is_in_head = self._is_arriving = True
        self._head_bytes = self._paced_bytes = 0
        self._upload_until = 0.0

    def on_headers_complete(self) -> None:
        size = len(self.url) + sum(len(name) + len(value) for name, value in self.headers)
        if len(self.headers) > HEADERS or size > HEAD_BYTES:
            self._refuse(HeadTooLarge())
            raise HttpParserError  # so that the parser stops here
        self._is_in_head = False
        if UPLOADS.fullmatch(self.url.partition(b"?")[0].decode("latin-1")):
            self._upload_until = self.loop.time() + UPLOAD_SECONDS
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        self._has_arrived()
        super().on_message_complete()

    def send_400_response(self, _: str) -> None:
        self._refuse(BadRequest())

    def _expect_request(self) -> None:
        self._deadline = self.loop.call_later(REQUEST_SECONDS, self._too_slow)

    def _has_arrived(self) -> None:
        self._is_arriving = False
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _too_slow(self) -> None:
        self._deadline = None
        if self.loop.time() < self._upload_until and self._paced_bytes >= UPLOAD_PACE:
            self._paced_bytes = 0
            self._expect_request()
        elif self._is_arriving:
            self._refuse(RequestTooSlow())
        else:  # nothing was asked, so nothing is answered
            self.transport.close()

    def _refuse(self, error: KefuError) -> None:
        """Answer, unless this request was answered or the one before it still is, and close the connection."""
        if self.transport.is_closing():
            return
        cycle: Any = self.cycle  # None before the first request, whatever uvicorn's annotations say
        headers: Any = self.headers  # and so are these
        if cycle is None or (cycle.response_complete if self._is_in_head else not cycle.response_started):
            locale = preferred(Headers(raw=headers or []).get("accept-language"))
            answer = error_response(error, locale)
            lines = [*answer.raw_headers, *SECURITY, (b"connection", b"close")]
            head = b"".join(b"%b: %b\r\n" % line for line in lines)
            self.transport.write(STATUS_LINE[error.status] + head + b"\r\n" + bytes(answer.body))
        self.transport.close()


@lru_cache(64)
def _chunk(body: bytes) -> bytes:
    """What all followers of a session get is put together once, and heartbeats never again."""
    return b"%x\r\n%b\r\n" % (len(body), body)


class Gathering(list[bytes]):
    """As much of a transport as uvicorn's `send` needs."""

    write = list.append


class Line:
    """The connection under an open response, for what an ASGI `send` and `receive` cost too much to do."""

    __slots__ = ("_cycle", "_flow", "_protocol", "_transport")

    def __init__(self, cycle: RequestResponseCycle, protocol: LeanHttp) -> None:
        self._cycle, self._protocol = cycle, protocol
        self._flow, self._transport = cycle.flow, cycle.transport

    @classmethod
    def under(cls, send: Send) -> "Line | None":
        """The line that uvicorn's own `send` writes to; None under another server."""
        cycle = getattr(send, "__self__", None)
        if not isinstance(cycle, RequestResponseCycle):
            return None
        protocol = cycle.transport.get_protocol()
        return cls(cycle, protocol) if isinstance(protocol, LeanHttp) else None

    def write_now(self, body: bytes) -> bool:
        """Write a part of the open body, as `send` does; False, and nothing is written, while the reader is behind.

        A body that begins without saying its length, as that of a stream, is chunked.
        """
        if self._flow.write_paused:
            return False
        self._transport.write(_chunk(body))
        return True

    @contextmanager
    def gathered(self) -> Iterator[None]:
        """What is sent inside is written at its end, at once: each write is a packet of its own."""
        parts = Gathering()
        self._cycle.transport = parts  # type: ignore[assignment]  # see there
        try:
            yield
        finally:
            self._cycle.transport = self._transport
            self._transport.write(b"".join(parts))

    def watch(self, on_gone: Callable[[], None]) -> None:
        """Have `on_gone` called when the reader has gone, at once if it has."""
        self._protocol.on_gone = on_gone
        if self._cycle.disconnected:
            on_gone()

    def release(self) -> None:
        """The next request of the connection is another one's."""
        self._protocol.on_gone = None

    def forget_request(self) -> None:
        """Let go of what the request said, which would be held as long as the stream, and of who waits for its body."""
        self._protocol.headers = []
        headers: Any = self._cycle.scope["headers"]
        headers.clear()
        self._cycle.message_event = UNHEARD  # an event takes a deque


# uvicorn's own pings would be two timers a socket: the hub's heartbeat shows a reader that the line lives, and the
# kernel gives up a line whose other end acknowledges nothing. Deflate would hold 64 KiB for each.
OPTIONS: dict[str, Any] = {
    "http": LeanHttp,
    "interface": "asgi3",
    "ws": LeanSocket,
    "ws_max_size": FRAME_BYTES,
    "ws_ping_interval": None,
    "ws_per_message_deflate": False,
}
