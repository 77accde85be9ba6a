"""Typing, which only those who look at this moment need to know, and the feed, which misses nothing."""

from typing import Annotated

import orjson
from fastapi import APIRouter, Depends, Query, Request

from kefu.accounts.identity import SignedIn, allowed
from kefu.kit.web import Done
from kefu.realtime.feed import FeedData, FeedQuery
from kefu.realtime.hub import ephemeral
from kefu.sessions.access import actor_of
from kefu.sessions.models import stream_of
from kefu.sessions.schemas import Body, NameInPath
from kefu.sessions.service import SessionNotFound

router = APIRouter(tags=["realtime"])

TYPING_PER_SESSION = "120/minute"


class Typing(Body):
    active: bool


@router.post("/api/sessions/{name}/typing")
async def say_typing(request: Request, name: NameInPath, body: Typing, caller: SignedIn) -> Done:
    """Tell the followers that the caller types, or stopped. Kept nowhere; it expires by itself after six seconds."""
    actor = actor_of(caller, name, "sessions.reply")
    await request.app.state.limits.take(TYPING_PER_SESSION, "typing", name, actor.kind)
    if actor.kind == "agent" and await request.app.state.store.get(name) is None:
        raise SessionNotFound(session_name=name)
    who = orjson.Fragment(actor.json())
    request.app.state.bus.publish(ephemeral(stream_of(name), "typing", actor=who, active=body.active))
    return Done()


@router.get("/api/events", dependencies=[Depends(allowed("events.read"))])
async def feed(request: Request, query: Annotated[FeedQuery, Query()]) -> FeedData:
    """Everything that happened in the workspace, from a cursor on; for integrators. Store `next` and come back with it.

    Nothing is missed. Order what you get by (stream, seq) and ignore what you have already.
    """
    return FeedData(data=await request.app.state.feed.page(query))
