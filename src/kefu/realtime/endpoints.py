"""Typing over plain HTTP, for who has no socket open."""

from fastapi import APIRouter, Request

from kefu.accounts.identity import SignedIn
from kefu.kit.web import Done
from kefu.realtime.passing import Typing, tell_typing
from kefu.sessions.schemas import NameInPath

router = APIRouter(tags=["realtime"])


@router.post("/api/sessions/{name}/typing")
async def say_typing(request: Request, name: NameInPath, body: Typing, caller: SignedIn) -> Done:
    """Tell the followers that the caller types, or stopped. Kept nowhere; it expires by itself after six seconds."""
    await tell_typing(request.app.state, caller, name, body)
    return Done()
