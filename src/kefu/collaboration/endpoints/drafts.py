"""An agent's drafts over HTTP: each sees their own and nobody else's."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from pydantic import BaseModel, Field, StringConstraints
from sqlalchemy.ext.asyncio import AsyncSession

from kefu.accounts.identity import AgentIdentity, allowed
from kefu.kit.clock import iso
from kefu.kit.web import Done
from kefu.sessions import drafts
from kefu.sessions.access import in_sight
from kefu.sessions.queries import find
from kefu.sessions.schemas import MAX_SEQ, TEXT_LIMIT, Body, NameInPath
from kefu.sessions.service import SessionNotFound

router = APIRouter(tags=["drafts"], dependencies=[Depends(in_sight)])

Writer = Annotated[AgentIdentity, Depends(allowed("sessions.reply"))]
Revision = Annotated[int, Field(ge=1, le=MAX_SEQ)]


class SaveDraft(Body):
    """`revision`: one more than the last that the writer saved or was shown."""

    content: Annotated[str, StringConstraints(max_length=TEXT_LIMIT, pattern=r"^[^\x00]*$")]
    revision: Revision


class DropQuery(BaseModel):
    revision: Revision


class DraftOut(BaseModel):
    """What stands. `is_ours`: false when a later one stood already, and the save changed nothing."""

    session_name: str
    content: str
    revision: int
    saved_at: str | None
    is_ours: bool


class DraftData(Done):
    data: DraftOut


async def _check_exists(tx: AsyncSession, name: str) -> None:
    if await find(tx, name) is None:
        raise SessionNotFound(session_name=name)


def _shown(name: str, saved: drafts.Saved) -> DraftData:
    at = iso(saved.at) if saved.at else None
    out = DraftOut(
        session_name=name, content=saved.content, revision=saved.revision, saved_at=at, is_ours=saved.is_ours
    )
    return DraftData(data=out)


@router.get("/api/sessions/{name}/draft")
async def get_draft(request: Request, name: NameInPath, agent: Writer) -> DraftData:
    """Empty, of revision 0, when there was never any."""
    async with request.app.state.db.read() as tx:
        await _check_exists(tx, name)
        return _shown(name, await drafts.draft_of(tx, name, agent.id))


@router.put("/api/sessions/{name}/draft")
async def save_draft(request: Request, name: NameInPath, body: SaveDraft, agent: Writer) -> DraftData:
    """The higher revision wins, whichever comes first. Safe to repeat."""
    async with request.app.state.db.write() as tx:
        await _check_exists(tx, name)
        return _shown(name, await drafts.save(tx, name, agent.id, body.content, body.revision))


@router.delete("/api/sessions/{name}/draft")
async def drop_draft(
    request: Request, name: NameInPath, query: Annotated[DropQuery, Query()], agent: Writer
) -> DraftData:
    """Empty it, unless a later revision stands."""
    async with request.app.state.db.write() as tx:
        await _check_exists(tx, name)
        return _shown(name, await drafts.save(tx, name, agent.id, "", query.revision))
