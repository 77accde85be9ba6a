"""How uvicorn serves streams and sockets that are to be held by the thousand."""

from collections.abc import Callable
from typing import Any

from starlette.types import Send
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

FRAME_BYTES = 4096


class LeanSocket(WebSocketsSansIOProtocol):
    """Lets go of what the handshake said: uvicorn and websockets keep it, three times over, until the end."""

    def start_keepalive(self) -> None:
        """Called when the handshake is over."""
        super().start_keepalive()
        self.request.headers.clear()
        self.response.headers.clear()
        headers: Any = self.scope["headers"]
        headers.clear()


class LeanHttp(HttpToolsProtocol):
    """Tells a stream that its reader has gone, which otherwise takes a task that waits for it."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.on_gone: Callable[[], None] | None = None

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        if self.on_gone:
            self.on_gone()


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
        self._transport.write(b"%x\r\n%b\r\n" % (len(body), body))
        return True

    def watch(self, on_gone: Callable[[], None]) -> None:
        """Have `on_gone` called when the reader has gone, at once if it has."""
        self._protocol.on_gone = on_gone
        if self._cycle.disconnected:
            on_gone()

    def release(self) -> None:
        """The next request of the connection is another one's."""
        self._protocol.on_gone = None

    def forget_request(self) -> None:
        """Let go of what the request said: it would be held as long as the stream."""
        self._protocol.headers = []
        headers: Any = self._cycle.scope["headers"]
        headers.clear()


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
