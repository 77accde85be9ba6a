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
from kefu.log.log import Entry
from kefu.realtime.follower import JSON, Follower
from kefu.sessions.models import Session, stream_of
from kefu.sessions.post import Posted
from kefu.sessions.service import SessionNotFound
from kefu.sessions.since import Head, since
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

    Who is cut off for being slow, as while the log is read, reads it again: pieces of a draft may be missing then.
    Raises BotSilent after a minute without an end.
    """
    deadline, seen, is_cut = time.monotonic() + PATIENCE_SECONDS, posted.entry.seq, True
    while is_cut:
        follower = Follower(sees_internal=False, wire=JSON, may_hang=False)
        async for seq, frame in _frames_after(state, posted.entry.stream, seen, follower, deadline):
            seen = max(seen, seq)
            yield frame
            if ends(frame, posted.entry.seq):
                return
        is_cut = follower.ended == "slow"
    raise BotSilent(seq=posted.entry.seq)


async def _frames_after(
    state: State, stream: str, seq: int, follower: Follower, deadline: float
) -> AsyncIterator[tuple[int, dict[str, Any]]]:
    """The log after `seq`, then what follows, each with its seq; the stream is joined first, so nothing is missed."""
    channel = state.hub.join(stream, follower)
    try:
        head, earlier = await _log_after(state, stream, seq)
        channel.seq = head.seq if channel.seq is None else channel.seq
        for one in earlier:
            yield one.seq, one.shown
        while taken := await _take(follower, deadline, head.seq):
            for place, frame in taken:
                yield place, orjson.loads(frame)
    finally:
        state.hub.leave(stream, follower)


async def _log_after(state: State, stream: str, seq: int) -> tuple[Head, list[Entry]]:
    name = stream.removeprefix(stream_of(""))
    found = await since(state.db, name, seq, public_only=True)
    if found is None:
        raise SessionNotFound(session_name=name)
    return found


async def _take(follower: Follower, deadline: float, head: int) -> list[tuple[int, bytes]]:
    """The next frames that the log up to `head` did not hold; none when the stream ended or the time is up."""
    frames: list[tuple[int, bytes]] = []
    with suppress(TimeoutError):
        async with asyncio.timeout(deadline - time.monotonic()):
            while not frames and (taken := await follower.take()):
                frames = [(seq, frame) for seq, frame in taken if seq == 0 or seq > head]
    return frames


def ends(frame: dict[str, Any], seq: int) -> bool:
    """Whether the frame is the answer to message `seq`, or a move after which none will come."""
    if frame["type"] == "message.posted" and frame["role"] == "assistant":
        return bool(frame["reply_to"] >= seq)
    return "to" in frame and frame["to"] != Status.BOT_ACTIVE
