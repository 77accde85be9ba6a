"""An agent's saved views over HTTP: each sees their own and nobody else's."""

from collections.abc import Sequence
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Path, Request
from pydantic import BaseModel, StringConstraints

from kefu.accounts.identity import AgentIdentity, allowed
from kefu.collaboration import views
from kefu.collaboration.models import SavedView
from kefu.kit.clock import iso
from kefu.kit.web import Done
from kefu.sessions.schemas import Body

router = APIRouter(prefix="/api/agent/views", tags=["views"])

Reader = Annotated[AgentIdentity, Depends(allowed("sessions.read"))]
ViewId = Annotated[str, Path(pattern=r"^[A-Za-z0-9_\-]{1,40}$")]


class Shown(Body):
    """The list's tab and what narrows it, as the workbench names them; "" where nothing was chosen. `tag`: its id."""

    tab: Literal["waiting", "unassigned", "mine", "later", "bot", "closed", "all"]
    agent: Literal["", "mine", "unassigned"] = ""
    customer: Literal["", "vip", "new", "old"] = ""
    began: Literal["", "day", "week", "month"] = ""
    sort: Literal["", "newest", "oldest", "vip", "waitTime"] = ""
    tag: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_\-]{0,60}$")] = ""
    keyword: Annotated[str, StringConstraints(max_length=100, pattern=r"^[^\x00]*$")] = ""


class SaveView(Body):
    name: Annotated[
        str, StringConstraints(min_length=1, max_length=40, strip_whitespace=True, pattern=r"^[^\x00-\x1f]*$")
    ]
    shown: Shown


class ViewOut(BaseModel):
    view_id: str
    name: str
    shown: Shown
    saved_at: str


class ViewsData(Done):
    data: list[ViewOut]


def _out(saved: Sequence[SavedView]) -> ViewsData:
    return ViewsData(
        data=[
            ViewOut(view_id=one.id, name=one.name, shown=Shown.model_validate(one.shown), saved_at=iso(one.saved_at))
            for one in saved
        ]
    )


@router.get("")
async def list_views(request: Request, agent: Reader) -> ViewsData:
    """The caller's own, by name."""
    async with request.app.state.db.read() as tx:
        return _out(await views.views_of(tx, agent.id))


@router.put("")
async def save_view(request: Request, body: SaveView, agent: Reader) -> ViewsData:
    """Keep it; one of the same name is replaced. Safe to repeat."""
    async with request.app.state.db.write() as tx:
        return _out(await views.save_view(tx, agent.id, body.name, body.shown.model_dump()))


@router.delete("/{view_id}")
async def drop_view(request: Request, view_id: ViewId, agent: Reader) -> ViewsData:
    """Safe to repeat; one that is another agent's stays."""
    async with request.app.state.db.write() as tx:
        return _out(await views.drop_view(tx, agent.id, view_id))
