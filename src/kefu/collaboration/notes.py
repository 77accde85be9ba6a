"""Notes of agents beside a session: internal events, and a row for each note as it stands.

Every command locks the session's row first and writes the event, the row and the mentions together.
"""

from dataclasses import dataclass
from typing import Any, ClassVar

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from kefu.collaboration import mentions
from kefu.collaboration.models import Note
from kefu.kit.errors import Forbidden, NotFound
from kefu.kit.i18n import Text
from kefu.kit.ids import new_id
from kefu.log.log import Entry, Fact, read_last
from kefu.sessions.models import Session, stream_of
from kefu.sessions.service import Member, locked, record, repeated

ADDED, EDITED, REMOVED = "note.added", "note.edited", "note.removed"
SHOWN = 100
SEARCHED = 5000


class NoteNotFound(NotFound):
    code = "NOTE_NOT_FOUND"
    text: ClassVar[Text] = {"en": "There is no such note.", "zh": "找不到该备注。"}


class NotYourNote(Forbidden):
    code = "PERMISSION_DENIED"
    text: ClassVar[Text] = {
        "en": "Only its author or a lead may change a note.",
        "zh": "只有备注的作者或主管可以修改备注。",
    }


@dataclass(frozen=True, slots=True)
class Writing:
    """`mentions`: usernames beside those that the text names. `client_msg_id`: makes it repeatable."""

    content: str
    mentions: tuple[str, ...] = ()
    client_msg_id: str | None = None


async def add_note(tx: AsyncSession, name: str, author: Member, username: str, writing: Writing) -> Note:
    """A repeated client_msg_id returns the note that it made. Raises SessionNotFound, MentionUnknown."""
    session = await locked(tx, name)
    if known := await repeated(tx, name, writing.client_msg_id):
        return await _find(tx, name, known.facts.get("note_id", ""))
    named = await mentions.named(tx, writing.content, writing.mentions)
    facts: dict[str, Any] = {"note_id": new_id("note"), "content": writing.content, "mentions": named}
    (event,) = await record(tx, session, _fact(ADDED, author, facts, writing.client_msg_id))
    note = Note(
        id=facts["note_id"],
        session=name,
        content=writing.content,
        author_id=author.id,
        author_username=username,
        author_name=author.name,
        mentions=named,
        created_at=event.at,
        updated_at=event.at,
    )
    tx.add(note)
    await tx.flush()
    await mentions.keep(tx, note)
    return note


async def edit_note(tx: AsyncSession, name: str, note_id: str, member: Member, writing: Writing) -> Note:
    """Raises SessionNotFound, NoteNotFound, NotYourNote, MentionUnknown. The same words again change nothing."""
    session, note = await _own(tx, name, note_id, member)
    named = await mentions.named(tx, writing.content, writing.mentions)
    if (note.content, note.mentions) == (writing.content, named):
        return note
    facts: dict[str, Any] = {"note_id": note_id, "content": writing.content, "mentions": named}
    (event,) = await record(tx, session, _fact(EDITED, member, facts))
    note.content, note.mentions, note.updated_at = writing.content, named, event.at
    await mentions.keep(tx, note)
    return note


async def remove_note(tx: AsyncSession, name: str, note_id: str, member: Member) -> None:
    """The log keeps what it said. Raises SessionNotFound, NoteNotFound, NotYourNote."""
    session, note = await _own(tx, name, note_id, member)
    await record(tx, session, _fact(REMOVED, member, {"note_id": note_id}))
    await mentions.forget(tx, note)
    await tx.delete(note)


async def notes_of(tx: AsyncSession, name: str) -> tuple[list[Note], int]:
    """The newest notes of the session, the newest first, and how many there are."""
    query = select(Note).where(Note.session == name).order_by(Note.created_at.desc(), Note.id).limit(SHOWN)
    total = (await tx.execute(select(func.count()).where(Note.session == name))).scalar_one()
    return list(await tx.scalars(query)), total


async def history_of(tx: AsyncSession, name: str, note_id: str) -> list[Entry]:
    """What happened to the note, oldest first, also when it was removed. Raises NoteNotFound."""
    types = (ADDED, EDITED, REMOVED)
    entries = await read_last(tx, stream_of(name), SEARCHED, types=types, public_only=False)
    found = [one for one in entries if one.facts["note_id"] == note_id]
    if not found:
        raise NoteNotFound(note_id=note_id)
    return found


def _fact(type_: str, member: Member, facts: dict[str, Any], client_msg_id: str | None = None) -> Fact:
    return Fact(type_, member.actor, facts, audience="internal", client_msg_id=client_msg_id)


async def _find(tx: AsyncSession, name: str, note_id: str) -> Note:
    note = await tx.get(Note, note_id)
    if note is None or note.session != name:
        raise NoteNotFound(note_id=note_id)
    return note


async def _own(tx: AsyncSession, name: str, note_id: str, member: Member) -> tuple[Session, Note]:
    session = await locked(tx, name)
    note = await _find(tx, name, note_id)
    if note.author_id != member.id and not member.is_lead:
        raise NotYourNote
    return session, note
