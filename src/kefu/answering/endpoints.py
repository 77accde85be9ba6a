"""Chat for callers who wait for the bot: as one answer, or as a stream of it."""

from collections.abc import AsyncIterator
from typing import Annotated, Any, Literal

import orjson
from fastapi import APIRouter, Depends, Request
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, Field, StringConstraints

from kefu.accounts.identity import anyone
from kefu.answering.waiting import SessionInManualMode, expect_bot, outcome
from kefu.kit.clock import now_ms
from kefu.kit.errors import KefuError
from kefu.kit.i18n import Locale
from kefu.kit.ids import new_id
from kefu.kit.web import address_of, caller_of
from kefu.sessions import schemas as shapes
from kefu.sessions.models import Session
from kefu.sessions.opening import Wish, opened
from kefu.sessions.post import Posted, post
from kefu.sessions.store import DatabaseStore
from kefu.shops.customers import Proof
from kefu.shops.look import Introduction

router = APIRouter(tags=["chat"])


class Chat(shapes.Body):
    """`user_id` is the session's name; an unknown one opens the session. `introduction`: where the shop requires one.

    `conversation_id` is accepted for older callers and not needed.
    """

    message: shapes.Content
    user_id: shapes.Name | None = None
    conversation_id: Annotated[str, StringConstraints(max_length=80)] | None = None
    client_msg_id: shapes.ClientMessageId | None = None
    shop: shapes.ShopId | None = None
    locale: Locale | None = None
    identity: Proof | None = None
    introduction: Introduction | None = None


class SourceOut(BaseModel):
    article_id: str
    passage_id: str
    version: int
    title: str
    url: str
    excerpt: str
    score: float


class ChatAnswer(BaseModel):
    """`answered` is false, and there are no sources, when the knowledge does not say.

    `visitor_token` comes with a session opened now.
    """

    success: Literal[True] = True
    message: str
    answered: bool
    session_name: str
    visitor_token: str | None = Field(description="Keep it: it opens this session again")
    seq: int
    sources: list[SourceOut]


async def _say(request: Request, body: Chat) -> tuple[Session, Posted, str | None]:
    """Store the message; the session's token when the session is new.

    Raises SessionInManualMode before anything is stored.
    """
    state = request.app.state
    wish, store = (
        Wish(body.user_id, body.shop, body.locale, body.identity, introduction=body.introduction),
        DatabaseStore(state.db, state.settings.session_expire_seconds),
    )
    found = await opened(state, caller_of(request), wish, store)
    session = found.session
    expect_bot(session)
    await state.limits.take("chat", visitor=session.name, address=address_of(request))
    client_msg_id = body.client_msg_id or new_id("m")
    posted = await post(state.db, session.name, body.message, client_msg_id, session.identity_epoch)
    return session, posted, found.token if found.is_new else None


@router.post("/api/chat", dependencies=[Depends(anyone)])
async def chat(request: Request, body: Chat) -> ChatAnswer:
    """Say something and wait for the bot's answer."""
    session, posted, token = await _say(request, body)
    last: dict[str, Any] = {}
    async for frame in outcome(request.app.state, posted):
        last = frame
    if last["type"] != "message.posted":
        opening = {"session_name": session.name, "visitor_token": token}
        raise SessionInManualMode(status=last["to"], seq=posted.entry.seq, **opening)
    return ChatAnswer(
        message=last["content"],
        answered=last["answered"],
        session_name=session.name,
        visitor_token=token,
        seq=posted.entry.seq,
        sources=[SourceOut(**source) for source in last["sources"]],
    )


STREAM_HEADERS = {"Cache-Control": "no-cache, no-transform", "X-Accel-Buffering": "no"}


@router.post("/api/chat/stream", dependencies=[Depends(anyone)], response_class=StreamingResponse)
async def chat_stream(request: Request, body: Chat) -> StreamingResponse:
    """The same as `text/event-stream`: `message` deltas, `sources`, `status_change`, then `done` or `error`.

    `reset` takes back the deltas so far: a newer message made that answer void, and one answer to both follows.
    """
    session, posted, token = await _say(request, body)
    opening = {"session_name": session.name, "visitor_token": token, "seq": posted.entry.seq}
    locale = caller_of(request).locale
    return StreamingResponse(
        _frames(request, posted, opening, locale), media_type="text/event-stream", headers=STREAM_HEADERS
    )


async def _frames(request: Request, posted: Posted, opening: dict[str, Any], locale: Locale) -> AsyncIterator[bytes]:
    n = 0
    try:
        async for part in _parts(request, posted, opening):
            n += 1
            yield b"id: %d.%d\ndata: %s\n\n" % (posted.entry.seq, n, orjson.dumps(part))
    except KefuError as error:
        part = {"type": "error", "code": error.code, "content": error.message(locale)}
        yield b"id: %d.%d\ndata: %s\n\n" % (posted.entry.seq, n + 1, orjson.dumps(part))


async def _parts(request: Request, posted: Posted, opening: dict[str, Any]) -> AsyncIterator[dict[str, Any]]:
    said, draft, answered = "", "", False
    async for frame in outcome(request.app.state, posted):
        if frame["type"] == "answer.delta" and frame["reply_to"] >= posted.entry.seq:
            draft = draft[: frame["offset"]] + frame["text"]
            if draft.startswith(said) and draft != said:
                yield {"type": "message", "content": draft[len(said) :]}
                said = draft
        elif frame["type"] == "answer.dropped" and said:
            said = draft = ""
            yield {"type": "reset"}
        elif frame["type"] == "message.posted" and frame["role"] == "assistant":
            rest = frame["content"].removeprefix(said)
            if rest:
                yield {"type": "message", "content": rest}
            answered = frame["answered"]
            yield {"type": "sources", "sources": frame["sources"]}
        elif "to" in frame:
            agent = (
                {"agent_info": {"agent_id": frame["agent"]["id"], "agent_name": frame["agent"]["name"]}}
                if "agent" in frame
                else {}
            )
            yield {"type": "status_change", "status": frame["to"], "timestamp": now_ms() // 1000, **agent}
    yield {"type": "done", "content": "", "answered": answered, **opening}
