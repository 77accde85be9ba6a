"""How the server starts listening and how it stops."""

import asyncio
import math
import signal
import socket
import time
from contextlib import suppress
from typing import Any

import uvicorn
from fastapi import FastAPI
from uvicorn.config import Config

from kefu.kit.beat import rung

DRAIN_SECONDS = 5
LAST_WORD_SECONDS = 1.0
LINGER_SECONDS = 0.5
CLOSE = (b"connection", b"close")
LOST_LINE_SECONDS = 30


class Server(uvicorn.Server):
    """Ends every open stream with a word as soon as the signal comes, so that stopping takes a moment.

    Goes on serving for LINGER_SECONDS, with answers that close their connections: a web server in front would otherwise
    send a request down a connection that is being closed, and could not know whether it was heard.
    """

    def __init__(self, config: Config, app: FastAPI) -> None:
        super().__init__(config)
        self._app = app
        self._leaves_at = math.inf
        self._leaving = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Streams say their last word before the connections close: uvicorn closes a WebSocket without one."""
        with suppress(TimeoutError):
            async with asyncio.timeout(LAST_WORD_SECONDS):
                await self._app.state.hub.is_drained.wait()
        await super().shutdown(sockets)

    def handle_exit(self, sig: int, _: Any) -> None:
        """Unlike uvicorn's, which dies by the same signal in the end, this lets the log be written out; exit code 0."""
        self._app.state.hub.drain()
        is_first = self._leaves_at == math.inf
        if is_first:
            self._leaves_at = time.monotonic() + LINGER_SECONDS
            self.config.encoded_headers.append(CLOSE)
            self.server_state.default_headers = [*self.server_state.default_headers, CLOSE]
        if self._loop:
            self._loop.call_soon_threadsafe(self._leaving.set)
        else:
            self._leaving.set()
        self.should_exit = not is_first
        self.force_exit = not is_first and sig == signal.SIGINT

    async def main_loop(self) -> None:
        """Tick once a second, not ten times; faster when leaving."""
        self._loop, counter = asyncio.get_running_loop(), 0
        while not await self.on_tick(counter):
            counter = (counter + 10) % 864_000
            if await rung(self._leaving, 1):
                await asyncio.sleep(0.1)

    async def on_tick(self, counter: int) -> bool:
        self.should_exit = self.should_exit or time.monotonic() > self._leaves_at
        return await super().on_tick(counter)


def listener(config: Config) -> socket.socket:
    """A reader who stopped reading, or whose plug was pulled, is let go by the kernel, whatever carries the stream."""
    listener = config.bind_socket()
    if hasattr(socket, "TCP_USER_TIMEOUT"):  # Linux
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, LOST_LINE_SECONDS * 1000)
    return listener
