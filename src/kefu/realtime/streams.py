"""Server-sent events as plain ASGI: one bounded queue per follower, the same bytes for everybody (docs/adr/0005).

`GET /api/sessions/{name}/events` for a visitor or an agent, resumed by `Last-Event-ID` or `?after=seq`; `GET
/api/agent/events` for the workbench. What is wrong before the first byte is an ordinary JSON error.
"""

import asyncio
import re
import time
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from contextlib import suppress
from functools import partial
from typing import Any, ClassVar, cast
from urllib.parse import parse_qs

from starlette.datastructures import Headers, State
from starlette.routing import Match, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from kefu.accounts.identity import identify, require
from kefu.kit.errors import Invalid, KefuError, Unavailable
from kefu.kit.i18n import Text, preferred
from kefu.kit.web import error_response
from kefu.log.log import READ_LIMIT
from kefu.realtime.desk import DESK
from kefu.realtime.hub import Channel, Follower, Hub, ephemeral, frame_of, notice_of
from kefu.sessions.access import may_read
from kefu.sessions.models import stream_of
from kefu.sessions.queries import place_in_queue
from kefu.sessions.schemas import NAME
from kefu.sessions.service import SessionNotFound
from kefu.sessions.since import Head, since
from kefu.sessions.states import Status

HEADERS = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-cache, no-transform"),
    (b"x-accel-buffering", b"no"),
]
RETRY = b"retry: 1000\n\n"
LAST_WORD_SECONDS = 1.0
RECHECK_SECONDS = 10.0
MAX_SEQ = 2**53


class Draining(Unavailable):
    code = "RESTARTING"
    text: ClassVar[Text] = {
        "en": "The server is restarting. Reconnect in a moment.",
        "zh": "服务正在重启，请稍后重连。",
    }


class Shortcut:
    """Pure ASGI, outermost: takes the requests for `routes` to `edge` before FastAPI sees them.

    Every follower would hold the layers of FastAPI for hours.
    """

    def __init__(self, otherwise: ASGIApp, routes: Sequence[Route], edge: ASGIApp) -> None:
        self.otherwise = otherwise
        self.routes = routes
        self.edge = edge

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await (self.edge if self._finds(scope) else self.otherwise)(scope, receive, send)

    def _finds(self, scope: Scope) -> bool:
        for route in self.routes:
            match, found = route.matches(scope)
            if match is Match.FULL:
                scope.update(found)
                return True
        return False


async def open_stream(scope: Scope, receive: Receive, send: Send) -> None:
    """The stream that `Shortcut` found. What it raises is raised before the first byte and becomes its JSON."""
    try:
        await scope["endpoint"](scope, receive, send)
    except KefuError as error:
        locale = preferred(Headers(scope=scope).get("accept-language"))
        await error_response(error, locale)(scope, receive, send)


class Stream:
    """One response, open from the first `write` on.

    `receive` tells when the reader has gone; `authorization` is looked at again while an agent's stream lives.
    """

    __slots__ = ("_receive", "_send", "authorization", "is_open", "state")

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.state: State = scope["app"].state
        self.authorization = Headers(scope=scope).get("authorization")
        self.is_open = False
        self._receive, self._send = receive, send

    @property
    def hub(self) -> Hub:
        hub: Hub = self.state.hub
        return hub

    async def write(self, chunk: bytes) -> None:
        if not self.is_open:
            self.is_open = True
            await self._send({"type": "http.response.start", "status": 200, "headers": HEADERS})
            chunk = RETRY + chunk
        await self._send({"type": "http.response.body", "body": chunk, "more_body": True})

    def write_now(self, chunk: bytes) -> bool:
        """Write without waiting; False, and nothing is written, while the reader is behind.

        An ASGI send that need not wait for the reader runs through without giving way. One that must gives way before
        it writes.
        """
        message = {"type": "http.response.body", "body": chunk, "more_body": True}
        sending = cast("Coroutine[Any, Any, None]", self._send(message))
        try:
            sending.send(None)
        except StopIteration:
            return True
        sending.close()
        return False

    async def live(self, follower: Follower, sent: int) -> None:
        """Pass on what the hub hands out with seq > `sent`, until one side ends."""
        gone = asyncio.create_task(self._until_gone(follower))
        checked = time.monotonic()
        follower.sent = sent
        if not follower.sees_internal:  # whose token is looked at again by the task
            follower.write_now = self.write_now
        try:
            while frames := await follower.take():
                chunk = b"".join(frame for seq, frame in frames if seq == 0 or seq > follower.sent)
                follower.sent = max(follower.sent, frames[-1][0])
                if chunk:
                    await self.write(chunk)
                if follower.sees_internal and time.monotonic() - checked > RECHECK_SECONDS:
                    checked = time.monotonic()
                    await self._recheck(follower)
        finally:
            gone.cancel()

    async def _until_gone(self, follower: Follower) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
        follower.end("gone")

    async def _recheck(self, follower: Follower) -> None:
        try:
            require(await identify(self.state, self.authorization), "sessions.read")
        except Unavailable:
            return
        except KefuError:
            follower.end("revoked")

    async def say_goodbye(self, follower: Follower) -> None:
        """Say why the stream ends, to a reader who still listens."""
        last = frame_of(ephemeral("", "stream.ended", reason=follower.ended or "restart"))
        with suppress(TimeoutError):
            async with asyncio.timeout(LAST_WORD_SECONDS):
                await self._send({"type": "http.response.body", "body": last, "more_body": False})


class SessionEvents:
    """`/api/sessions/{name}/events`: replay from the cursor, then live."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        stream = Stream(scope, receive, send)
        name: str = scope["path_params"]["name"]
        sees_internal = may_read(await identify(stream.state, stream.authorization), name)
        if not re.fullmatch(NAME, name):
            raise SessionNotFound(session_name=name)
        follower = Follower(sees_internal=sees_internal)
        await _serve(stream, stream_of(name), follower, partial(_replay, stream, name, _cursor(scope), follower))


def _cursor(scope: Scope) -> int:
    """The last seq the client has: `Last-Event-ID`, else `?after=`, else 0.

    Raises Invalid for anything but a number.
    """
    query = parse_qs(scope["query_string"].decode("latin-1"))
    given = Headers(scope=scope).get("last-event-id") or query.get("after", ["0"])[-1]
    if not re.fullmatch(r"[0-9]{1,16}", given):
        raise Invalid(fields=[{"field": "after", "reason": "0…9"}])
    return min(int(given), MAX_SEQ)


class DeskEvents:
    """`/api/agent/events`: summaries of sessions as they change.

    No cursor: the workbench reads the list again after it reconnects.
    """

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        stream = Stream(scope, receive, send)
        require(await identify(stream.state, stream.authorization), "sessions.read")

        async def ready(_: Channel) -> int:
            await stream.write(frame_of(ephemeral(DESK, "stream.ready")))
            return 0

        await _serve(stream, DESK, Follower(sees_internal=True), ready)


async def _serve(stream: Stream, name: str, follower: Follower, replay: Callable[[Channel], Awaitable[int]]) -> None:
    if stream.hub.is_draining:
        raise Draining
    channel = stream.hub.join(name, follower)
    try:
        await stream.live(follower, await replay(channel))
    except KefuError:
        if not stream.is_open:
            raise
        # The log cannot be read now. The status is sent already: end the stream, and the client resumes by its cursor.
        follower.end("restart")
    except asyncio.CancelledError:
        if follower.ended != "slow":
            raise
        task = asyncio.current_task()
        if task is not None:
            task.uncancel()
    finally:
        stream.hub.leave(name, follower)
    await stream.say_goodbye(follower)


async def _replay(stream: Stream, name: str, cursor: int, follower: Follower, channel: Channel) -> int:
    """Send what is in the log after the cursor; returns the seq up to which the reader has everything.

    The session's seq and the rows are of one moment, so nothing between the two is skipped. A cursor beyond the log (a
    database restored from a backup, or a forged one) begins again from the start.
    """
    while True:
        found = await since(stream.state.db, name, cursor, public_only=not follower.sees_internal)
        if found is None:
            raise SessionNotFound(session_name=name)
        head, entries = found
        if cursor > head.seq:
            cursor = 0
            continue
        if entries:
            await stream.write(b"".join(frame_of(notice_of(one)) for one in entries))
            cursor = entries[-1].seq
        if len(entries) == READ_LIMIT:
            continue
        cursor = max(cursor, head.seq)
        if channel.seq is None or cursor >= channel.seq:
            break
    channel.seq = cursor if channel.seq is None else channel.seq
    follower.forget_ephemeral()
    await stream.write(await _present(stream, head, cursor))
    return cursor


async def _present(stream: Stream, head: Head, cursor: int) -> bytes:
    """What holds at this moment and is in no log: the running draft, the place in the queue."""
    name = stream_of(head.name)
    now = [ephemeral(name, "stream.ready", seq=cursor, status=head.status, epoch=head.epoch)]
    if draft := stream.hub.drafts.of(head):
        now.append(ephemeral(name, "answer.delta", **draft))
    if head.status == Status.PENDING_MANUAL:
        async with stream.state.db.read() as tx:
            position, waiting = await place_in_queue(tx, head)
        now.append(ephemeral(name, "queue.position", position=position, waiting=waiting))
    return b"".join(frame_of(one) for one in now)
