"""What people do without a word (they type, they read, they are here), and the feed, which misses nothing."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from pydantic import BaseModel, Field

from kefu.accounts.identity import AgentIdentity, SignedIn, allowed
from kefu.kit.web import Done
from kefu.realtime.feed import FeedData, FeedQuery
from kefu.realtime.passing import Typing, tell_typing
from kefu.sessions import reading
from kefu.sessions.access import actor_of
from kefu.sessions.queries import find
from kefu.sessions.schemas import MAX_SEQ, AgentRef, Body, NameInPath
from kefu.sessions.service import SessionNotFound

router = APIRouter(tags=["realtime"])

READS_PER_READER = "240/minute"


class MarkRead(Body):
    seq: Annotated[int, Field(ge=1, le=MAX_SEQ)]


class MarkData(BaseModel):
    """`seq`: where the caller's mark stands now; it never moves back."""

    seq: int
    unread: int


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


@router.get("/api/events", dependencies=[Depends(allowed("events.read"))])
async def feed(request: Request, query: Annotated[FeedQuery, Query()]) -> FeedData:
    """Everything that happened in the workspace, from a cursor on; for integrators. Store `next` and come back with it.

    Nothing is missed. Order what you get by (stream, seq) and ignore what you have already.
    """
    return FeedData(data=await request.app.state.feed.page(query))


@router.post("/api/sessions/{name}/read")
async def mark_read(request: Request, name: NameInPath, body: MarkRead, caller: SignedIn) -> Marked:
    """The caller has read the log up to `seq`. Moves only forward; beyond the log it stands at the log's end."""
    reader = actor_of(caller, name, "sessions.read")
    await request.app.state.limits.take(READS_PER_READER, "read", name, reading.reader_id(reader))
    async with request.app.state.db.write() as tx:
        session = await find(tx, name)
        if session is None:
            raise SessionNotFound(session_name=name)
        mark = await reading.mark_read(tx, session, reader, body.seq)
    data = MarkData(seq=mark.seq, unread=reading.unread(session, reader, mark.read_count))
    return Marked(data=data)


@router.get("/api/presence")
async def get_presence(request: Request, _: Annotated[AgentIdentity, Depends(allowed("sessions.read"))]) -> OnlineData:
    """Who is online now, in all processes; `presence` frames on the desk's stream tell when it changes."""
    return OnlineData(data=Online(agents=[AgentRef(**one) for one in request.app.state.presence.agents()]))
