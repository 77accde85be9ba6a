"""Post a visitor's message and see what comes of it, for callers who wait (`POST /api/chat`, `/api/chat/stream`)."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any, ClassVar

import orjson
from starlette.datastructures import State

from kefu.kit.errors import Conflict, Unavailable
from kefu.kit.i18n import Text
from kefu.log.log import read
from kefu.realtime.hub import Follower
from kefu.sessions.models import Session, stream_of
from kefu.sessions.post import Posted
from kefu.sessions.queries import find
from kefu.sessions.service import SessionNotFound
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
    """What happens after the stored message: drafts, then the answer or a move to another state; ends with either of them.

    Nothing is missed: the stream is joined before the log is read. Raises BotSilent after a minute without an end.
    """
    stream = posted.entry.stream
    name = stream.removeprefix(stream_of(""))
    follower = Follower(sees_internal=False)
    channel = state.hub.join(stream, follower)
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            async with state.db.read() as tx:
                session = await find(tx, name)
                if session is None:
                    raise SessionNotFound(session_name=name)
                earlier = await read(tx, stream, posted.entry.seq, public_only=True)
            channel.seq = session.seq if channel.seq is None else channel.seq
            frames = [one.shown for one in earlier]
            sent = session.seq
            while True:
                for frame in frames:
                    yield frame
                    if ends(frame, posted.entry.seq):
                        return
                taken = await follower.take()
                if not taken:
                    raise BotSilent(seq=posted.entry.seq)
                frames = [parsed for seq, raw in taken if (seq == 0 or seq > sent) and (parsed := parse(raw))]
    except TimeoutError:
        raise BotSilent(seq=posted.entry.seq) from None
    finally:
        state.hub.leave(stream, follower)


def ends(frame: dict[str, Any], seq: int) -> bool:
    """Whether the frame is the answer to message `seq`, or a move after which none will come."""
    if frame["type"] == "message.posted" and frame["role"] == "assistant":
        return bool(frame["reply_to"] >= seq)
    return "to" in frame and frame["to"] != Status.BOT_ACTIVE


def parse(raw: bytes) -> dict[str, Any] | None:
    """The object of an SSE frame; None for a comment."""
    _, found, data = raw.partition(b"data: ")
    return orjson.loads(data) if found else None
