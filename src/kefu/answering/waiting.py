"""Post a visitor's message and see what comes of it, for callers who wait (`POST /api/chat`, `/api/chat/stream`)."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any, ClassVar

import orjson
from starlette.datastructures import State

from kefu.kit.errors import Conflict, Unavailable
from kefu.kit.i18n import Text
from kefu.realtime.hub import JSON, Follower
from kefu.sessions.models import Session, stream_of
from kefu.sessions.post import Posted
from kefu.sessions.service import SessionNotFound
from kefu.sessions.since import since
from kefu.sessions.states import Status

PATIENCE_SECONDS = 60.0


class SessionInManualMode(Conflict):
    """`seq` is there when the message was stored before a person came in."""

    code = "SESSION_IN_MANUAL_MODE"
    text: ClassVar[Text] = {
        "en": "A person is taking care of this conversation ({status}).",
        "zh": "会话已转人工（{status}），请等待人工客服回复。",
    }


class BotSilent(Unavailable):
    """`seq`: the message is stored; its answer will come on the event stream."""

    code = "BOT_SILENT"
    text: ClassVar[Text] = {"en": "The assistant takes longer than usual.", "zh": "智能客服响应较慢，请稍候。"}


def expect_bot(session: Session) -> None:
    """Raises SessionInManualMode unless the bot answers here (a closed session is reopened by a message)."""
    if session.status not in {Status.BOT_ACTIVE, Status.CLOSED}:
        raise SessionInManualMode(status=session.status)


async def outcome(state: State, posted: Posted) -> AsyncIterator[dict[str, Any]]:
    """What happens after the stored message: drafts, then the answer or a move to another state, and no more.

    Raises BotSilent after a minute without an end.
    """
    async for frame in _frames_after(state, posted.entry.stream, posted.entry.seq):
        yield frame
        if ends(frame, posted.entry.seq):
            return
    raise BotSilent(seq=posted.entry.seq)


async def _frames_after(state: State, stream: str, seq: int) -> AsyncIterator[dict[str, Any]]:
    """The log after `seq`, then what follows for a minute; the stream is joined first, so nothing is missed."""
    name = stream.removeprefix(stream_of(""))
    follower = Follower(sees_internal=False, wire=JSON)
    deadline = time.monotonic() + PATIENCE_SECONDS
    channel = state.hub.join(stream, follower)
    try:
        found = await since(state.db, name, seq, public_only=True)
        if found is None:
            raise SessionNotFound(session_name=name)
        head, earlier = found
        channel.seq = head.seq if channel.seq is None else channel.seq
        for one in earlier:
            yield one.shown
        while taken := await _take(follower, deadline, head.seq):
            for frame in taken:
                yield frame
    finally:
        state.hub.leave(stream, follower)


async def _take(follower: Follower, deadline: float, head: int) -> list[dict[str, Any]]:
    """The next frames that the log up to `head` did not hold; none when the stream ended or the time is up."""
    frames: list[dict[str, Any]] = []
    with suppress(TimeoutError):
        async with asyncio.timeout(deadline - time.monotonic()):
            while not frames and (taken := await follower.take()):
                frames = [orjson.loads(frame) for seq, frame in taken if seq == 0 or seq > head]
    return frames


def ends(frame: dict[str, Any], seq: int) -> bool:
    """Whether the frame is the answer to message `seq`, or a move after which none will come."""
    if frame["type"] == "message.posted" and frame["role"] == "assistant":
        return bool(frame["reply_to"] >= seq)
    return "to" in frame and frame["to"] != Status.BOT_ACTIVE
