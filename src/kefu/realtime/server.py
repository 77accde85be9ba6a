"""How uvicorn serves sockets that are to be held by the thousand."""

from typing import Any

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


# uvicorn's own pings would be two timers a socket: the hub's heartbeat shows a reader that the line lives, and the
# kernel gives up a line whose other end acknowledges nothing. Deflate would hold 64 KiB for each.
OPTIONS: dict[str, Any] = {
    "ws": LeanSocket,
    "ws_max_size": FRAME_BYTES,
    "ws_ping_interval": None,
    "ws_per_message_deflate": False,
}
