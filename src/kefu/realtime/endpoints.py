"""What people do without a word (they type, they read, they are here), and the feed, which misses nothing."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from pydantic import BaseModel

from kefu.accounts.identity import AgentIdentity, SignedIn, allowed, identify, require
from kefu.kit.web import Done
from kefu.realtime.feed import FeedData, FeedQuery
from kefu.realtime.passing import MarkData, MarkRead, Typing, move_mark, tell_typing
from kefu.sessions.access import sees_contacts
from kefu.sessions.schemas import AgentRef, NameInPath

router = APIRouter(tags=["realtime"])


class Marked(Done):
    data: MarkData


class Online(BaseModel):
    """The agents who have the workbench open, by name."""

    agents: list[AgentRef]


class OnlineData(Done):
    data: Online


@router.post("/api/sessions/{name}/typing")
async def say_typing(request: Request, name: NameInPath, body: Typing, caller: SignedIn) -> Done:
    """Tell the followers that the caller types, or stopped. Kept nowhere; it expires by itself after six seconds."""
    await tell_typing(request.app.state, caller, name, body)
    return Done()


@router.get("/api/events")
async def feed(
    request: Request,
    query: Annotated[FeedQuery, Query()],
    me: Annotated[AgentIdentity, Depends(allowed("events.read"))],
) -> FeedData:
    """Everything that happened in the workspace, from a cursor on; for integrators. Store `next` and come back with it.

    Nothing is missed. Order what you get by (stream, seq) and ignore what you have already.
    """
    page = await request.app.state.feed.page(query, sees_contacts=sees_contacts(me))
    if query.wait:  # they may have signed out meanwhile
        require(await identify(request.app.state, request.headers.get("authorization")), "events.read")
    return FeedData(data=page)


@router.post("/api/sessions/{name}/read")
async def mark_read(request: Request, name: NameInPath, body: MarkRead, caller: SignedIn) -> Marked:
    """The caller has read the log up to `seq`. Moves only forward; beyond the log it stands at the log's end."""
    return Marked(data=await move_mark(request.app.state, caller, name, body))


@router.get("/api/presence")
async def get_presence(request: Request, _: Annotated[AgentIdentity, Depends(allowed("sessions.read"))]) -> OnlineData:
    """Who is online now, in all processes; `presence` frames on the desk's stream tell when it changes."""
    return OnlineData(data=Online(agents=[AgentRef(**one) for one in request.app.state.presence.agents()]))
