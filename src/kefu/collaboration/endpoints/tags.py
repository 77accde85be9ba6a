"""Tags over HTTP."""

from typing import Annotated

import orjson
from fastapi import APIRouter, Depends, Query, Request

from kefu.accounts.identity import AgentIdentity, allowed
from kefu.collaboration import tag_shapes as shapes
from kefu.collaboration import tags
from kefu.kit.clock import iso
from kefu.kit.pages import from_cursor, to_cursor
from kefu.kit.web import caller_locale
from kefu.sessions.access import in_sight, member, reader_of
from kefu.sessions.queries import find, tagged
from kefu.sessions.schemas import NameInPath, OutcomeData, Several
from kefu.sessions.service import SessionNotFound
from kefu.sessions.summaries import summary_of
from kefu.sessions.tagged import tags_of

router = APIRouter(tags=["tags"], dependencies=[Depends(in_sight)])

Reader = Annotated[AgentIdentity, Depends(allowed("sessions.read"))]
Annotator = Annotated[AgentIdentity, Depends(allowed("sessions.annotate"))]
Editor = Annotated[AgentIdentity, Depends(allowed("tags.write"))]


@router.get("/api/tags")
async def list_tags(request: Request, _: Reader) -> shapes.TagListData:
    """All of them, archived ones too, in the caller's language."""
    async with request.app.state.db.read() as tx:
        found = await tags.all_tags(tx)
    return shapes.TagListData(data=shapes.tag_list(found, caller_locale(request)))


@router.post("/api/tags", status_code=201)
async def create_tag(request: Request, body: shapes.NewTag, _: Editor) -> shapes.OneTagData:
    """A tag of the team's own."""
    async with request.app.state.db.write() as tx:
        tag = await tags.create_tag(tx, body.model_dump())
    return shapes.OneTagData(data=shapes.OneTag(tag=shapes.tag_out(tag, caller_locale(request))))


@router.put("/api/tags/{tag_id}")
async def change_tag(
    request: Request, tag_id: shapes.TagIdInPath, body: shapes.TagChange, _: Editor
) -> shapes.OneTagData:
    """Name, colour, group, rules; `is_archived: true` takes it out of use. What is left out stays."""
    async with request.app.state.db.write() as tx:
        tag = await tags.change_tag(tx, tag_id, body.model_dump(exclude_unset=True))
    return shapes.OneTagData(data=shapes.OneTag(tag=shapes.tag_out(tag, caller_locale(request))))


@router.post("/api/tags/{tag_id}/sessions")
async def tag_several_sessions(
    request: Request, tag_id: shapes.TagIdInPath, body: Several, agent: Annotator
) -> OutcomeData:
    """Add one tag to up to 100 sessions; those where it cannot be done are told, the others are tagged."""
    async with request.app.state.db.write() as tx:
        done = await tags.tag_several(tx, body.session_names, tag_id, member(agent, "sessions.read_any"))
    return OutcomeData(data=done)


@router.post("/api/tags/{tag_id}/sessions/remove")
async def untag_several_sessions(
    request: Request, tag_id: shapes.TagIdInPath, body: Several, agent: Annotator
) -> OutcomeData:
    """Take one tag off up to 100 sessions; those where it cannot be done are told."""
    async with request.app.state.db.write() as tx:
        done = await tags.untag_several(tx, body.session_names, tag_id, member(agent, "sessions.read_any"))
    return OutcomeData(data=done)


@router.get("/api/sessions/by-tag/{tag_id}")
async def sessions_by_tag(
    request: Request, tag_id: shapes.TagIdInPath, query: Annotated[shapes.ByTagQuery, Query()], agent: Reader
) -> shapes.ByTagData:
    """Of those the caller may see, the last tagged first."""
    after = from_cursor(query.cursor, (int, str)) if query.cursor else None
    async with request.app.state.db.read() as tx:
        await tags.find_tag(tx, tag_id)
        sessions, next_key = await tagged(tx, reader_of(agent), tag_id, after, query.limit)
    data = shapes.ByTag(
        sessions=[summary_of(one) for one in sessions],
        next_cursor=to_cursor(next_key) if next_key else None,
        has_more=next_key is not None,
        limit=query.limit,
    )
    return shapes.ByTagData(data=data)


@router.get("/api/sessions/{name}/tags")
async def get_session_tags(request: Request, name: NameInPath, _: Reader) -> shapes.CarriedTagsData:
    """What the session carries, with who added it and when."""
    async with request.app.state.db.read() as tx:
        if await find(tx, name) is None:
            raise SessionNotFound(session_name=name)
        rows = await tags_of(tx, name)
    carried = [
        shapes.Carried(tag_id=row.tag, added_by=orjson.loads(row.by), added_at=iso(row.at), is_auto=row.is_auto)
        for row in rows
    ]
    return shapes.CarriedTagsData(data=shapes.CarriedTags(session_name=name, tags=carried))


@router.post("/api/sessions/{name}/tags")
async def add_session_tags(
    request: Request, name: NameInPath, body: shapes.AddTags, agent: Annotator
) -> shapes.SessionTagsData:
    """All of them or, when one cannot be added, none. A repeat changes nothing."""
    async with request.app.state.db.write() as tx:
        session = await tags.tag_session(tx, name, body.ids, member(agent, "sessions.read_any"))
    return shapes.SessionTagsData(data=shapes.SessionTags(session_name=name, tags=session.tags))


@router.delete("/api/sessions/{name}/tags/{tag_id}")
async def remove_session_tag(
    request: Request, name: NameInPath, tag_id: shapes.TagIdInPath, agent: Annotator
) -> shapes.SessionTagsData:
    """A repeat changes nothing."""
    async with request.app.state.db.write() as tx:
        session = await tags.untag_session(tx, name, tag_id, member(agent, "sessions.read_any"))
    return shapes.SessionTagsData(data=shapes.SessionTags(session_name=name, tags=session.tags))
