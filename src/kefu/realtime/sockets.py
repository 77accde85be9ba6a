"""WebSockets beside the event streams, over the same hub: the same objects, and a way up (docs/adr/0015).

`/ws/session/{name}` for a visitor or an agent, `/ws/agent` for the workbench. The token comes in the first frame or as
a sub-protocol, never in the address. What goes up is a small function in `SESSION_FRAMES` or `DESK_FRAMES`.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any, ClassVar, Literal, TypeVar
from urllib.parse import parse_qs, urlsplit

import orjson
import structlog
from pydantic import BaseModel, Field, ValidationError
from starlette.datastructures import Headers
from starlette.types import Message, Receive, Scope, Send

from kefu.accounts.identity import Caller, identify, require
from kefu.kit.errors import Invalid, KefuError, NotSignedIn, TooMany, Unavailable
from kefu.kit.i18n import Text, preferred
from kefu.kit.web import field_reasons
from kefu.realtime.follower import JSON, Ending, Follower
from kefu.realtime.hub import Draining, ephemeral
from kefu.realtime.passing import MarkRead, Typing, move_mark, tell_typing
from kefu.realtime.streams import CLOSED, LAST_WORD_SECONDS, Stream, follower_of, session_in, whole
from kefu.sessions.access import may_read
from kefu.sessions.schemas import Body
from kefu.shops.origins import ForeignOrigin, Origins

log = structlog.get_logger()

PROTOCOL = "kefu.v1"
BEARER = "bearer."
HELLO_SECONDS = 5.0
BURST, PER_SECOND = 20, 10
BAD_FRAMES = 5
CLOSES: dict[Ending, int] = {"restart": 1012, "slow": 1013, "revoked": 4401, "hidden": 4403}

Frame = TypeVar("Frame", bound=BaseModel)


class TokenInAddress(Invalid):
    code = "TOKEN_IN_ADDRESS"
    text: ClassVar[Text] = {
        "en": "A token does not belong in the address: send it in the first frame.",
        "zh": "请勿在地址中携带凭证，请在首帧中发送。",
    }


class HelloLate(KefuError):
    status = 408
    code = "HELLO_LATE"
    text: ClassVar[Text] = {"en": "Nobody said hello in time.", "zh": "连接后未及时发送首帧。"}


class BadFrame(Invalid):
    code = "FRAME_INVALID"
    text: ClassVar[Text] = {"en": "This is not a frame that can be read.", "zh": "无法识别该帧。"}


class UnknownFrame(BadFrame):
    code = "FRAME_UNKNOWN"
    text: ClassVar[Text] = {"en": "Frames of this type are not known here.", "zh": "不支持该类型的帧。"}


class TooManyBadFrames(TooMany):
    code = "TOO_MANY_BAD_FRAMES"
    text: ClassVar[Text] = {"en": "Too many frames could not be read.", "zh": "无效的帧过多。"}


class Hello(Body):
    """The first frame. `after`: the last seq the reader has."""

    type: Literal["hello"]
    token: str = Field(max_length=2048)
    after: int = Field(0, ge=0, lt=10**16)


def close_code(error: KefuError) -> int:
    """4000 and the HTTP status; for what may pass, 1013 (try again later), and 1011 for a fault of ours."""
    if error.status >= 500:
        return 1013 if isinstance(error, Unavailable) else 1011
    return 4000 + error.status


class Socket(Stream):
    """One connection. `caller` is who said hello."""

    __slots__ = ("_bad", "_counted", "_credit", "_frames", "_locale", "_refusal", "_scope")
    wire = JSON

    def __init__(
        self, scope: Scope, receive: Receive, send: Send, name: str, frames: "Mapping[str, UpwardFrame]"
    ) -> None:
        super().__init__(scope, receive, send)
        self.name = name
        self._scope = scope
        self._frames = frames
        self._locale = preferred(Headers(scope=scope).get("accept-language"))
        self._bad = 0
        self._credit, self._counted = float(BURST), time.monotonic()
        self._refusal: KefuError | None = None

    async def run(self, follow: Callable[[Caller, int], Awaitable[None]]) -> None:
        """Accept, wait for the hello, then `follow` as who said it, from the cursor on.

        Raises, before accepting, what is wrong with the address: an ordinary HTTP answer.
        """
        await self._check_address()
        await self._receive()
        offered: Sequence[str] = self._scope["subprotocols"]
        await self._send({"type": "websocket.accept", "subprotocol": PROTOCOL if PROTOCOL in offered else None})
        try:
            after = await self._sign_in(offered)
            if self.caller:
                await follow(self.caller, after)
        except KefuError as error:
            await self._refuse(error)

    async def _sign_in(self, offered: Sequence[str]) -> int:
        """The cursor of the hello; `caller` is who said it, None when the reader has gone."""
        hello = self._hello_of(offered) or await self._first_frame()
        if hello is None:
            return 0
        self.authorization = f"Bearer {hello.token}"
        self.caller = await identify(self.state, self.authorization)
        return hello.after

    async def _check_address(self) -> None:
        """Browsers send no cookie that we would take, so a foreign page gains nothing; it is refused all the same."""
        if self.hub.is_draining:
            raise Draining
        if {"token", "access_token"} & self._query().keys():
            raise TokenInAddress(fields=[{"field": "token", "reason": TokenInAddress.text[self._locale]}])
        headers, origins = Headers(scope=self._scope), self.state.origins
        await origins.refresh()
        if not is_welcome(headers.get("origin"), headers.get("host", ""), origins):
            raise ForeignOrigin

    def _query(self) -> dict[str, list[str]]:
        return parse_qs(self._scope["query_string"].decode("latin-1"), keep_blank_values=True)

    def _hello_of(self, offered: Sequence[str]) -> Hello | None:
        """What the sub-protocols say, for clients that can send no first frame; the cursor is `?after=` then."""
        token = next((one.removeprefix(BEARER) for one in offered if one.startswith(BEARER)), None)
        if token is None:
            return None
        after = whole(self._query().get("after", ["0"])[-1], "after", 10**16 - 1)
        return self.checked(Hello, {"type": "hello", "token": token, "after": after})

    async def _first_frame(self) -> Hello | None:
        """None when the reader has gone. Raises HelloLate, NotSignedIn or BadFrame."""
        try:
            async with asyncio.timeout(HELLO_SECONDS):
                message = await self._receive()
        except TimeoutError:
            raise HelloLate from None
        if message["type"] == "websocket.disconnect":
            return None
        frame = _parsed(message)
        if frame["type"] != "hello":
            raise NotSignedIn
        return self.checked(Hello, frame)

    def message(self, frame: bytes) -> Message:
        return {"type": "websocket.send", "text": frame.decode()}

    async def write(self, frames: Sequence[bytes]) -> None:
        """Nothing happens when the reader has gone: `hear` notices."""
        self.is_open = True
        with suppress(*CLOSED):
            for frame in frames:
                await self._send(self.message(frame))

    async def say(self, type_: str, **facts: object) -> None:
        await self.show(ephemeral("", type_, **facts))

    async def hear(self, follower: Follower) -> None:
        """Do what comes up, until the reader goes or is refused."""
        try:
            while (message := await self._receive())["type"] != "websocket.disconnect":
                self._count()
                await self._obey(message)
            follower.end("gone")
        except KefuError as error:
            self._refusal = error
            follower.tear("refused")
        except Exception:
            log.exception("socket.failed", session=self.name)
            follower.tear("refused")

    def _count(self) -> None:
        now = time.monotonic()
        self._credit = min(BURST, self._credit + (now - self._counted) * PER_SECOND) - 1
        self._counted = now
        if self._credit < 0:
            raise TooMany(retry_after=1)

    async def _obey(self, message: Message) -> None:
        """An error is told and forgotten; who sends bad frames again and again is refused."""
        try:
            frame = _parsed(message)
            if frame["type"] not in self._frames:
                raise UnknownFrame
            await self._frames[frame["type"]](self, frame)
        except KefuError as error:
            await self._tell(error)
            self._bad += isinstance(error, Invalid)
            if self._bad >= BAD_FRAMES:
                raise TooManyBadFrames(retry_after=1) from None

    def checked(self, model: type[Frame], frame: Mapping[str, Any]) -> Frame:
        """The frame as `model` has it. Raises BadFrame with the fields."""
        try:
            return model.model_validate(frame)
        except ValidationError as error:
            raise BadFrame(fields=field_reasons(error.errors(), self._locale)) from None

    async def _tell(self, error: KefuError) -> None:
        details = {"details": error.details} if error.details else {}
        await self.say("error", code=error.code, message=error.message(self._locale), **details)

    async def _refuse(self, error: KefuError) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(LAST_WORD_SECONDS):
                await self._tell(error)
                await self._close(close_code(error))

    async def _close(self, code: int) -> None:
        with suppress(*CLOSED):
            await self._send({"type": "websocket.close", "code": code})

    async def say_goodbye(self, follower: Follower) -> None:
        if follower.ended == "refused":
            await self._refuse(self._refusal or KefuError())
        elif follower.ended in CLOSES:
            with suppress(TimeoutError):
                async with asyncio.timeout(LAST_WORD_SECONDS):
                    await self.say("stream.ended", reason=follower.ended)
                    await self._close(CLOSES[follower.ended])


def is_welcome(origin: str | None, host: str, origins: Origins) -> bool:
    """Whether a page of this origin may connect; what is no browser sends none."""
    if origin is None or origins.allows(origin):
        return True
    return urlsplit(origin).netloc.lower() == host.lower()


def _parsed(message: Message) -> dict[str, Any]:
    """The JSON object of a text frame. Raises BadFrame."""
    try:
        frame = orjson.loads(message.get("text") or "")
    except orjson.JSONDecodeError:
        raise BadFrame from None
    if not isinstance(frame, dict) or not isinstance(frame.get("type"), str):
        raise BadFrame
    return frame


UpwardFrame = Callable[[Socket, dict[str, Any]], Awaitable[None]]


async def ping(socket: Socket, _: dict[str, Any]) -> None:
    await socket.say("pong")


async def typing(socket: Socket, frame: dict[str, Any]) -> None:
    assert socket.caller
    await tell_typing(socket.state, socket.caller, socket.name, socket.checked(Typing, frame))


async def read(socket: Socket, frame: dict[str, Any]) -> None:
    """Answered by the `read` frame that everybody gets when the mark moved."""
    assert socket.caller
    await move_mark(socket.state, socket.caller, socket.name, socket.checked(MarkRead, frame))


SESSION_FRAMES: Mapping[str, UpwardFrame] = {"ping": ping, "typing": typing, "read": read}
DESK_FRAMES: Mapping[str, UpwardFrame] = {"ping": ping}


class SessionSocket:
    """`/ws/session/{name}`: what `/api/sessions/{name}/events` says, and up: ping, typing, read."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        socket = Socket(scope, receive, send, session_in(scope), SESSION_FRAMES)

        async def follow(caller: Caller, after: int) -> None:
            sees_internal = await may_read(socket.state.db, caller, socket.name)
            await socket.serve_session(socket.name, after, follower_of(caller, JSON, sees_internal=sees_internal))

        await socket.run(follow)


class DeskSocket:
    """`/ws/agent`: what `/api/agent/events` says, and up: ping."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        socket = Socket(scope, receive, send, "", DESK_FRAMES)

        async def follow(caller: Caller, _: int) -> None:
            await socket.serve_desk(require(caller, "sessions.read"))

        await socket.run(follow)
