"""What people do without a word, by whichever line it comes: they type, they read."""

from dataclasses import replace
from typing import Annotated

import orjson
from pydantic import BaseModel, Field
from starlette.datastructures import State

from kefu.accounts.identity import AgentIdentity, Caller
from kefu.bus.ports import Bus, Notice
from kefu.bus.telling import desk_of
from kefu.realtime.hub import ephemeral
from kefu.sessions import reading
from kefu.sessions.access import actor_of, may_read
from kefu.sessions.models import stream_of
from kefu.sessions.queries import find
from kefu.sessions.reading import Mark
from kefu.sessions.schemas import MAX_SEQ, Body
from kefu.sessions.service import SessionNotFound


class Typing(Body):
    """`internal`: into a note, which is no business of the visitor's."""

    active: bool
    internal: bool = False


class MarkRead(Body):
    seq: Annotated[int, Field(ge=1, le=MAX_SEQ)]


class MarkData(BaseModel):
    """`seq`: where the caller's mark stands now; it never moves back."""

    seq: int
    unread: int


async def tell_typing(state: State, caller: Caller, name: str, typing: Typing) -> None:
    """Tell the followers of the session that the caller types, or stopped; the visitor only of who serves them.

    Raises ForeignSession, Forbidden, SessionHidden, SessionNotFound or TooMany.
    """
    actor = actor_of(caller, name, "sessions.reply")
    await state.limits.take("typing", who=f"{name} {actor.kind}")
    is_public = not typing.internal
    if isinstance(caller, AgentIdentity):
        session = await state.store.get(name)
        if session is None:
            raise SessionNotFound(session_name=name)
        await may_read(state.db, caller, name)
        is_public &= session.agent_id == caller.id or "sessions.reply_any" in caller.permissions
    who = orjson.Fragment(actor.json())
    notice = ephemeral(stream_of(name), "typing", actor=who, active=typing.active)
    state.bus.publish(replace(notice, public=is_public))


async def move_mark(state: State, caller: Caller, name: str, read: MarkRead) -> MarkData:
    """The caller has read the session up to there. Repeating it, or an earlier seq, changes nothing.

    Raises ForeignSession, Forbidden, SessionHidden, SessionNotFound or TooMany.
    """
    reader = actor_of(caller, name, "sessions.read")
    await may_read(state.db, caller, name)
    await state.limits.take("read", who=f"{name} {reading.reader_id(reader)}")
    async with state.db.write() as tx:
        session = await find(tx, name)
        if session is None:
            raise SessionNotFound(session_name=name)
        mark = await reading.mark_read(tx, session, reader, read.seq)
    return MarkData(seq=mark.seq, unread=reading.unread(session, reader, mark.read_count))


def read_notice(name: str, kind: str, seq: int) -> Notice:
    """How far one side of a session has read. Which agent looked is nobody's business but the agents'."""
    return ephemeral(stream_of(name), "read", actor={"kind": kind}, seq=seq)


def publish_mark(bus: Bus, mark: Mark) -> None:
    """Ticks for those who look at the session, and the figure for the other tabs of the agent who read."""
    bus.publish(read_notice(mark.session, mark.reader.kind, mark.seq))
    if mark.reader.id:
        facts = {"session": mark.session, "seq": mark.seq, "read_count": mark.read_count}
        bus.publish(ephemeral(desk_of(mark.reader.id), "session.read", **facts))
