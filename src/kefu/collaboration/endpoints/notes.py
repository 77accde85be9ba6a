"""Notes and mentions over HTTP."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Request

from kefu.accounts.identity import AgentIdentity, allowed
from kefu.collaboration import mentions, notes
from kefu.collaboration import schemas as shapes
from kefu.kit.pages import from_cursor, to_cursor
from kefu.kit.web import Done
from kefu.sessions.access import in_sight, member
from kefu.sessions.queries import find
from kefu.sessions.schemas import NameInPath
from kefu.sessions.service import SessionNotFound

router = APIRouter(tags=["collaboration"], dependencies=[Depends(in_sight)])

NoteId = Annotated[str, Path(pattern=r"^[A-Za-z0-9_]{1,40}$")]
Annotator = Annotated[AgentIdentity, Depends(allowed("sessions.annotate"))]
Reader = Annotated[AgentIdentity, Depends(allowed("sessions.read"))]
LEAD = "sessions.reply_any"


def _writing(body: shapes.WriteNote) -> notes.Writing:
    return notes.Writing(body.content, tuple(body.mentions), body.client_msg_id)


@router.post("/api/sessions/{name}/notes")
async def add_note(request: Request, name: NameInPath, body: shapes.WriteNote, agent: Annotator) -> shapes.NoteData:
    """Write a note that only agents see. Whom it names finds it among their mentions."""
    await request.app.state.limits.take("note", agent=agent.id)
    async with request.app.state.db.write() as tx:
        note = await notes.add_note(tx, name, member(agent, LEAD), agent.username, _writing(body))
    return shapes.NoteData(data=shapes.NoteOut.of(note))


@router.get("/api/sessions/{name}/notes")
async def list_notes(request: Request, name: NameInPath, _: Reader) -> shapes.NotesData:
    """The newest first."""
    async with request.app.state.db.read() as tx:
        if await find(tx, name) is None:
            raise SessionNotFound(session_name=name)
        found, total = await notes.notes_of(tx, name)
    return shapes.NotesData(data=[shapes.NoteOut.of(one) for one in found], total=total)


@router.put("/api/sessions/{name}/notes/{note_id}")
async def edit_note(
    request: Request, name: NameInPath, note_id: NoteId, body: shapes.WriteNote, agent: Annotator
) -> shapes.NoteData:
    """Its author or a lead; what it said before stays in its history."""
    async with request.app.state.db.write() as tx:
        note = await notes.edit_note(tx, name, note_id, member(agent, LEAD), _writing(body))
    return shapes.NoteData(data=shapes.NoteOut.of(note))


@router.delete("/api/sessions/{name}/notes/{note_id}")
async def remove_note(request: Request, name: NameInPath, note_id: NoteId, agent: Annotator) -> Done:
    """Its author or a lead."""
    async with request.app.state.db.write() as tx:
        await notes.remove_note(tx, name, note_id, member(agent, LEAD))
    return Done()


@router.get("/api/sessions/{name}/notes/{note_id}/history")
async def note_history(request: Request, name: NameInPath, note_id: NoteId, _: Reader) -> shapes.NoteHistoryData:
    async with request.app.state.db.read() as tx:
        found = await notes.history_of(tx, name, note_id)
    return shapes.NoteHistoryData(data=[one.shown for one in found])


@router.get("/api/mentions")
async def list_mentions(
    request: Request, agent: Reader, query: Annotated[shapes.MentionQuery, Query()]
) -> shapes.MentionsData:
    """Where the caller is named, the newest first; `mentions.changed` on the desk's stream says when that changes."""
    after = from_cursor(query.cursor, (int, str)) if query.cursor else None
    async with request.app.state.db.read() as tx:
        page = await mentions.find(tx, agent.id, after, query.limit, unread_only=query.unread)
    data = shapes.MentionList(
        mentions=[shapes.MentionOut.of(mention, note) for mention, note in page.mentions],
        unread=page.unread,
        next_cursor=to_cursor(page.next_key) if page.next_key else None,
    )
    return shapes.MentionsData(data=data)


@router.post("/api/mentions/read")
async def read_mentions(request: Request, body: shapes.ReadMentions, agent: Reader) -> shapes.UnreadData:
    """The caller has read those, or all; how many are left."""
    async with request.app.state.db.write() as tx:
        left = await mentions.mark_read(tx, agent.id, body.note_ids)
    return shapes.UnreadData(data=shapes.Unread(unread=left))
