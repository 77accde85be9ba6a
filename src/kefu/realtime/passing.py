"""Typing, which only those who look at this moment need to know."""

import orjson
from starlette.datastructures import State

from kefu.accounts.identity import Caller
from kefu.realtime.hub import ephemeral
from kefu.sessions.access import actor_of
from kefu.sessions.models import stream_of
from kefu.sessions.schemas import Body
from kefu.sessions.service import SessionNotFound

TYPING_PER_SESSION = "120/minute"


class Typing(Body):
    active: bool


async def tell_typing(state: State, caller: Caller, name: str, typing: Typing) -> None:
    """Tell the followers of the session that the caller types, or stopped.

    Raises ForeignSession, Forbidden, SessionNotFound or TooMany.
    """
    actor = actor_of(caller, name, "sessions.reply")
    await state.limits.take(TYPING_PER_SESSION, "typing", name, actor.kind)
    if actor.kind == "agent" and await state.store.get(name) is None:
        raise SessionNotFound(session_name=name)
    who = orjson.Fragment(actor.json())
    state.bus.publish(ephemeral(stream_of(name), "typing", actor=who, active=typing.active))
