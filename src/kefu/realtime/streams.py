"""Server-sent events as plain ASGI: one bounded queue per follower, the same bytes for everybody (docs/adr/0005).

`GET /api/sessions/{name}/events` for a visitor or an agent, resumed by `Last-Event-ID` or `?after=seq`; `GET
/api/agent/events` for the workbench. What is wrong before the first byte is an ordinary JSON error.
"""

import asyncio
import re
import time
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from functools import partial
from typing import Any, ClassVar, cast
from urllib.parse import parse_qs

from starlette.datastructures import Headers, State
from starlette.routing import Match, Route, WebSocketRoute
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from kefu.accounts.identity import AgentIdentity, Caller, Visitor, claimed, identify, require
from kefu.bus.ports import Notice
from kefu.bus.telling import DESK, desk_of
from kefu.kit.errors import Invalid, KefuError, Unavailable
from kefu.kit.i18n import preferred
from kefu.kit.web import Json, error_response
from kefu.log.log import READ_LIMIT
from kefu.realtime.doorkeeper import Doorkeeper
from kefu.realtime.follower import JSON, SSE, Follower, Wire, WriteNow, frame_of
from kefu.realtime.hub import Channel, Following, Hub, ephemeral, notice_of
from kefu.realtime.polls import LONGEST_WAIT, Poll, reached
from kefu.realtime.presence import Here, Presence
from kefu.realtime.replay import page, present, ready
from kefu.realtime.server import Line
from kefu.sessions.access import actor, may_read, reader_of, sees_contacts
from kefu.sessions.models import stream_of
from kefu.sessions.schemas import NAME
from kefu.sessions.service import IdentityChanged, SessionNotFound
from kefu.sessions.visibility import SessionHidden

HEADERS = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-cache, no-transform"),
    (b"x-accel-buffering", b"no"),
]
UNCACHED = {"Cache-Control": "no-store"}
RETRY = b"retry: 1000\n\n"
LAST_WORD_SECONDS = 1.0
RECHECK_SECONDS = 10.0
# What a send may raise when the line has just been closed under it: uvicorn says one or the other.
CLOSED = (OSError, RuntimeError)
StreamRoute = Route | WebSocketRoute
NOBODY = nullcontext()


class Shortcut:
    """Pure ASGI, outermost: takes the requests for `routes` to `edge` before FastAPI sees them.

    Every follower would hold the layers of FastAPI for hours.
    """

    def __init__(self, otherwise: ASGIApp, routes: Sequence[StreamRoute], edge: ASGIApp) -> None:
        self.otherwise = otherwise
        self.routes = routes
        self.edge = edge

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        return (self.edge if self._finds(scope, send) else self.otherwise)(scope, receive, send)

    def _finds(self, scope: Scope, send: Send) -> bool:
        for route in self.routes:
            match, found = route.matches(scope)
            if match is Match.FULL:
                scope.update(found, route=route, line=Line.under(send))
                return True
        return False


async def open_stream(scope: Scope, receive: Receive, send: Send) -> None:
    """The stream that `Shortcut` found. What it raises is raised before the first byte and becomes its JSON."""
    try:
        await scope["endpoint"](scope, receive, send)
    except KefuError as error:
        locale = preferred(Headers(scope=scope).get("accept-language"))
        await error_response(error, locale)(scope, receive, send)


class Stream(ABC):
    """One follower's line. How frames travel is the transport's: `EventStream` here, `Socket` in sockets.py.

    `receive` tells when the reader has gone; `authorization` is looked at again while an agent's stream lives. `name`:
    the session that it is about, "" at the desk.
    """

    __slots__ = ("_receive", "_send", "authorization", "caller", "is_open", "name", "state")
    wire: ClassVar[Wire]

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.state: State = scope["app"].state
        self.authorization = Headers(scope=scope).get("authorization")
        self.caller: Caller | None = None
        self.is_open = False
        self.name = ""
        self._receive, self._send = receive, send

    @property
    def hub(self) -> Hub:
        hub: Hub = self.state.hub
        return hub

    @property
    def presence(self) -> Presence:
        presence: Presence = self.state.presence
        return presence

    @property
    def doorkeeper(self) -> Doorkeeper:
        doorkeeper: Doorkeeper = self.state.doorkeeper
        return doorkeeper

    @abstractmethod
    def message(self, frame: bytes) -> Message:
        """What brings the frame to the reader."""

    @abstractmethod
    async def write(self, frames: Sequence[bytes]) -> None: ...

    @abstractmethod
    async def hear(self, follower: Follower) -> None:
        """Listen to the reader until it has gone."""

    @abstractmethod
    async def say_goodbye(self, follower: Follower) -> None:
        """Say why the stream ends, to a reader who still listens."""

    async def show(self, *notices: Notice) -> None:
        await self.write([self.wire.frame(one) for one in notices])

    @property
    def writer(self) -> WriteNow:
        """What writes without waiting."""
        return self._write_now

    def _write_now(self, frame: bytes) -> bool:
        """Write without waiting; False, and nothing is written, while the reader is behind.

        An ASGI send that need not wait for the reader runs through without giving way. One that must gives way before
        it writes.
        """
        sending = cast("Coroutine[Any, Any, None]", self._send(self.message(frame)))
        try:
            sending.send(None)
        except StopIteration:
            return True
        except CLOSED:
            return False
        sending.close()
        return False

    async def live(self, follower: Follower, sent: int) -> None:
        """Pass on what the hub hands out with seq > `sent`, until one side ends."""
        stop_listening = self.listen(follower)
        follower.sent = sent
        if not follower.sees_internal:  # whose token is looked at again by the task
            follower.write_now = self.writer
        try:
            while frames := await follower.take():
                if follower.sees_internal and not await self._may_go_on(follower):
                    break
                fresh = [frame for seq, frame in frames if seq == 0 or seq > follower.sent]
                follower.sent = max(follower.sent, frames[-1][0])
                if fresh:
                    await self.write(fresh)
        finally:
            stop_listening()

    def listen(self, follower: Follower) -> Callable[[], object]:
        """Listen to the reader beside what is sent, until the returned function is called."""
        return asyncio.create_task(self.hear(follower)).cancel

    async def _may_go_on(self, follower: Follower) -> bool:
        """Look again, now and then and after a move, whether this is still for the agent's eyes; False if it ended."""
        if not follower.is_unsure and time.monotonic() - follower.checked_at < RECHECK_SECONDS:
            return True
        follower.checked_at = time.monotonic()
        was_unsure, follower.is_unsure = follower.is_unsure, False
        try:
            agent = require(await identify(self.state, self.authorization), "sessions.read")
            await may_read(self.state.db, agent, self.name)
        except Unavailable:
            if was_unsure:  # who comes back is asked then
                follower.end("restart")
            return not was_unsure
        except SessionHidden:
            follower.end("hidden")
            return False
        except KefuError:
            follower.end("revoked")
            return False
        self.caller, follower.reader, follower.sees_contacts = agent, reader_of(agent), sees_contacts(agent)
        return True

    def watched(self, follower: Follower) -> AbstractContextManager[None]:
        """What an agent follows ends when their sign-in does; visitors have none."""
        if not isinstance(self.caller, AgentIdentity):
            return NOBODY
        return self.doorkeeper.inside(self.caller, partial(self._look_again, follower))

    async def _look_again(self, follower: Follower) -> None:
        follower.is_unsure = True
        await self._may_go_on(follower)

    async def serve(self, name: str, follower: Follower, replay: Callable[[Channel], Awaitable[int]]) -> None:
        """Join the stream, replay, live on, say goodbye. Raises what goes wrong before the first write."""
        with self.watched(follower), Following(self.hub, name, follower) as channel:
            try:
                await self.live(follower, await replay(channel))
            except KefuError:
                if not self.is_open:
                    raise
                # The log cannot be read now, and the stream has begun: end it, and the client resumes by its cursor.
                follower.end("restart")
        if follower.ended != "gone":
            await self.say_goodbye(follower)

    async def serve_session(self, name: str, cursor: int, follower: Follower) -> None:
        assert self.caller
        self.name = name
        if isinstance(self.caller, Visitor):
            self.authorization = None  # only an agent's is looked at again
        here = self.presence.here(stream_of(name), actor(self.caller))
        try:
            await self.serve(stream_of(name), follower, partial(self._replay, name, cursor, follower, here))
        finally:
            here.leave()

    async def serve_desk(self, agent: AgentIdentity) -> None:
        """No cursor: the workbench reads the list again after it reconnects."""
        self.caller = agent
        follower = Follower(sees_internal=True, wire=self.wire, reader=reader_of(agent))

        async def replay(_: Channel) -> int:
            await self.show(ephemeral(DESK, "stream.ready"), *self.presence.now(DESK))
            return 0

        own = desk_of(agent.id)
        self.hub.join(own, follower)
        try:
            with self.presence.here(DESK, actor(agent)):
                await self.serve(DESK, follower, replay)
        finally:
            self.hub.leave(own, follower)

    async def _replay(self, name: str, cursor: int, follower: Follower, here: Here, channel: Channel) -> int:
        """Send what is in the log after the cursor; returns the seq up to which the reader has everything.

        Raises SessionNotFound, or IdentityChanged for a visitor's token that is void.
        """
        while True:
            head, entries = await page(self.state.db, name, cursor, follower)
            # From here on the hub tells; before, nobody did.
            if isinstance(self.caller, Visitor) and self.caller.epoch != head.identity_epoch:
                raise IdentityChanged
            here.come()
            cursor = reached(head, entries)
            if len(entries) < READ_LIMIT and (channel.seq is None or cursor >= channel.seq):
                break
            await self.show(*map(notice_of, entries))
        channel.seq = cursor if channel.seq is None else channel.seq
        follower.forget_ephemeral()
        now = ready(head, cursor), *await present(self.state, head, sees_internal=follower.sees_internal)
        await self.show(*map(notice_of, entries), *now)  # together: a write costs as much as what is in it
        return cursor


class EventStream(Stream):
    """One response, open from the first `write` on."""

    __slots__ = ("_line",)
    wire = SSE

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        super().__init__(scope, receive, send)
        self._line: Line | None = scope.pop("line", None)

    @property
    def writer(self) -> WriteNow:
        return self._line.write_now if self._line else super().writer

    def listen(self, follower: Follower) -> Callable[[], object]:
        if self._line is None:
            return super().listen(follower)
        self._line.forget_request()
        self._line.watch(follower.gone)
        return self._line.release

    def message(self, frame: bytes) -> Message:
        return {"type": "http.response.body", "body": frame, "more_body": True}

    async def write(self, frames: Sequence[bytes]) -> None:
        if not self.is_open:
            self.is_open = True
            with self._line.gathered() if self._line else NOBODY:
                await self._send({"type": "http.response.start", "status": 200, "headers": HEADERS})
                await self._send(self.message(b"".join([RETRY, *frames])))
        else:
            await self._send(self.message(b"".join(frames)))

    async def hear(self, follower: Follower) -> None:
        await until_gone(self._receive, follower)

    async def say_goodbye(self, follower: Follower) -> None:
        last = frame_of(ephemeral("", "stream.ended", reason=follower.ended or "restart"))
        with suppress(TimeoutError):
            async with asyncio.timeout(LAST_WORD_SECONDS):
                await self._send({"type": "http.response.body", "body": last, "more_body": False})


def follower_of(caller: Caller, wire: Wire, *, sees_internal: bool) -> Follower:
    """Somebody who may read the session that they are about to follow."""
    reader = reader_of(caller) if isinstance(caller, AgentIdentity) else None
    return Follower(sees_internal=sees_internal, sees_contacts=sees_contacts(caller), wire=wire, reader=reader)


async def until_gone(receive: Receive, follower: Follower) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    follower.end("gone")


class SessionEvents:
    """`/api/sessions/{name}/events`: replay from the cursor, then live; with `wait`, one answer of what there is."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        stream = EventStream(scope, receive, send)
        query = parse_qs(scope["query_string"].decode("latin-1"), keep_blank_values=True)
        # A stream that stays compares the epoch of a visitor's token with what it reads anyway.
        knows = identify if "wait" in query else claimed
        stream.caller = caller = await knows(stream.state, stream.authorization)
        stream.name = name = session_in(scope)
        sees_internal = await may_read(stream.state.db, caller, name)
        cursor = whole(Headers(scope=scope).get("last-event-id") or query.get("after", ["0"])[-1], "after", 10**16)
        if "wait" not in query:
            await stream.serve_session(name, cursor, follower_of(caller, SSE, sees_internal=sees_internal))
            return
        poll = Poll(stream.state, name, follower_of(caller, JSON, sees_internal=sees_internal))
        hearing = asyncio.create_task(until_gone(receive, poll.follower))
        try:
            with stream.presence.here(stream_of(name), actor(caller)), stream.watched(poll.follower):
                answer = await poll.answer(cursor, whole(query["wait"][-1], "wait", LONGEST_WAIT))
            # They may have signed out while we waited, a colleague may have taken it, or the visitor may have gone.
            await may_read(stream.state.db, await identify(stream.state, stream.authorization), name)
        finally:
            hearing.cancel()
        await Json({"success": True, "data": answer}, headers=UNCACHED)(scope, receive, send)


def session_in(scope: Scope) -> str:
    """The name in the address. Raises SessionNotFound for one that no session can have."""
    name: str = scope["path_params"]["name"]
    if not re.fullmatch(NAME, name):
        raise SessionNotFound(session_name=name)
    return name


def whole(given: str, field: str, most: int) -> int:
    """A number of the address. Raises Invalid for anything but digits, and for more than `most`."""
    if not re.fullmatch(r"[0-9]{1,16}", given) or int(given) > most:
        raise Invalid(fields=[{"field": field, "reason": f"0…{most}"}])
    return int(given)


class DeskEvents:
    """`/api/agent/events`: summaries of sessions as they change."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        stream = EventStream(scope, receive, send)
        agent = require(await identify(stream.state, stream.authorization), "sessions.read")
        await stream.serve_desk(agent)
