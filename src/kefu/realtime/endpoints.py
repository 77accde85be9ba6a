"""Typing, which only those who look at this moment need to know."""

from typing import Literal

from fastapi import APIRouter, Request
from pydantic import BaseModel

from kefu.accounts.identity import SignedIn, Visitor
from kefu.kit.errors import Forbidden
from kefu.realtime.hub import ephemeral
from kefu.sessions.access import may_read
from kefu.sessions.models import stream_of
from kefu.sessions.schemas import Body, NameInPath

router = APIRouter(tags=["realtime"])

TYPING_PER_SESSION = "120/minute"


class Typing(Body):
    active: bool


class Done(BaseModel):
    success: Literal[True] = True


@router.post("/api/sessions/{name}/typing")
async def say_typing(request: Request, name: NameInPath, body: Typing, caller: SignedIn) -> Done:
    """Tell the followers that the caller types, or stopped. Kept nowhere; it expires by itself after six seconds."""
    may_read(caller, name)
    if isinstance(caller, Visitor):
        actor = {"kind": "visitor"}
    elif "sessions.reply" in caller.permissions:
        actor = {"kind": "agent", "id": caller.id, "name": caller.name}
    else:
        raise Forbidden
    await request.app.state.limits.take(TYPING_PER_SESSION, "typing", name, actor["kind"])
    request.app.state.bus.publish(ephemeral(stream_of(name), "typing", actor=actor, active=body.active))
    return Done()
