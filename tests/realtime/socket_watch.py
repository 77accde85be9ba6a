"""A WebSocket of the tests, opened as a client that is no browser does."""

import asyncio
from typing import Any

import httpx2
import orjson
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from actors import PATIENCE, Caller, Watch


def dial(http: httpx2.AsyncClient, path: str, **options: Any) -> connect:
    """For `async with`: an open socket on which nothing was said yet."""
    address = f"ws://127.0.0.1:{http.base_url.port}{path}"
    return connect(address, proxy=None, compression=None, ping_interval=None, **options)


class SocketWatch(Watch):
    """A stream over a WebSocket: says hello, then keeps what came. `code`: how it was closed."""

    def __init__(self, http: httpx2.AsyncClient, path: str, hello: dict[str, Any], **options: Any) -> None:
        super().__init__(http, path, {})
        self._hello, self._options = hello, options
        self.socket: ClientConnection | None = None
        self.code: int | None = None

    async def _follow(self, opened: asyncio.Future[None]) -> None:
        async with dial(self._http, self._path, **self._options) as socket:
            self.socket = socket
            if self._hello:
                await self.says(**self._hello)
            opened.set_result(None)
            try:
                while True:
                    await self._keep(await socket.recv())
            except ConnectionClosed as closed:
                self.code = closed.rcvd.code if closed.rcvd else None
        self.is_over = True
        async with self._news:
            self._news.notify_all()

    async def _keep(self, text: str | bytes) -> None:
        assert isinstance(text, str)
        frame = orjson.loads(text)
        async with self._news:
            if frame["type"] == "heartbeat":
                self.comments += 1
            else:
                self.ids.append(frame["seq"] if "at" in frame else 0)
                self.frames.append(frame)
            self._news.notify_all()

    async def says(self, **frame: Any) -> None:
        await self.sends(orjson.dumps(frame).decode())

    async def sends(self, what: str | bytes) -> None:
        assert self.socket
        await self.socket.send(what)

    async def is_closed(self, patience: float = PATIENCE) -> int | None:
        await self.ends(patience)
        return self.code


async def connects(who: Caller, path: str, after: int = 0, **options: Any) -> SocketWatch:
    """A new socket, open until the test ends. `path`: /ws/agent, or the name of a session."""
    path = path if path.startswith("/") else f"/ws/session/{path}"
    watch = SocketWatch(who.stage.http, path, {"type": "hello", "token": who.token, "after": after}, **options)
    await who.stage.keep(watch)
    return watch
