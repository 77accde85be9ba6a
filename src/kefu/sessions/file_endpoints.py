"""Files over HTTP: sent up before the message that takes them along, and fetched by whoever may read it.

Who fetches shows a token like everywhere else, so no address is a secret, none is worth stealing from a log, and what
somebody may see ends when their right does. Browsers cannot send one with an `<img>`: the web apps fetch the content
and show it from memory.
"""

import asyncio
from contextlib import suppress
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request
from fastapi.responses import FileResponse
from sqlalchemy.ext.asyncio import AsyncSession

from kefu.accounts.identity import AgentIdentity, Caller, SignedIn, Visitor, require
from kefu.files import service as files
from kefu.files.form import FORM, one_file
from kefu.files.kinds import MEDIA_TYPES
from kefu.files.models import File
from kefu.kit.web import Done, address_of
from kefu.log.log import read_last
from kefu.sessions import service
from kefu.sessions.access import member, own_visitor, reader_of
from kefu.sessions.models import Session, stream_of
from kefu.sessions.queries import find, find_many
from kefu.sessions.schemas import FileId, FileOut, NameInPath
from kefu.sessions.visibility import SessionHidden, check_seen

router = APIRouter(tags=["files"])

SPLITS_LIMIT = 1000
CONTENT: dict[int | str, dict[str, Any]] = {
    200: {"description": "The file", "content": {one: {"schema": {}} for one in MEDIA_TYPES}},
    206: {"description": "A part of it"},
}
# Opened by itself a file does nothing, whatever it turns out to be; a browser keeps it for who it was given to.
HARMLESS = {
    "Content-Security-Policy": "default-src 'none'; sandbox; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "private, max-age=3600, immutable",
    "Vary": "Authorization",
}


class FileStored(Done):
    data: FileOut


@router.post("/api/sessions/{name}/files", status_code=201, openapi_extra=FORM)
async def upload_file(request: Request, name: NameInPath, caller: SignedIn) -> FileStored:
    """A file for a message of one's own: multipart, its part named `file`. Its content decides what it is.

    A message takes it along within a day, or it is removed. The same request again is another file.
    """
    state, owner = request.app.state, _owner(caller, name)
    await state.limits.take("upload", who=f"{name}/{owner}", address=address_of(request))
    async with state.db.read() as tx:  # who may not send one need not send it first
        _check_writer(await find(tx, name), caller, name)
        await files.check_room(tx, name, owner)
    async with one_file(request, state.files.most_mb) as given:
        kept = await state.files.keep(given.file, given.filename or "")
    async with state.db.write() as tx:
        _check_writer(await service.locked(tx, name), caller, name)
        stored = await files.add(tx, name, owner, kept)
    return FileStored(data=FileOut(**files.facts_of(stored)))


def _owner(caller: Caller, name: str) -> str:
    """Raises ForeignSession, or Forbidden for an agent who never writes to visitors."""
    if isinstance(caller, Visitor):
        own_visitor(caller, name)
        return files.VISITOR
    return require(caller, "sessions.reply").id


def _check_writer(session: Session | None, caller: Caller, name: str) -> None:
    """Raises SessionNotFound, SessionMerged, IdentityChanged, InvalidStatus, NotHolder."""
    if session is None:
        raise service.SessionNotFound(session_name=name)
    if isinstance(caller, AgentIdentity):
        service.check_serving(session, member(caller, "sessions.reply_any"))
    else:
        service.refuse_merged(session)
        service.check_epoch(session, caller.epoch)


@router.get("/api/files/{file_id}", response_class=FileResponse, responses=CONTENT)
async def fetch_file(request: Request, file_id: Annotated[FileId, Path()], caller: SignedIn) -> FileResponse:
    """The content, for whoever may read the message; before that for who sent it up. Ranges are served.

    Pictures may be shown where they are asked for, everything else is to be kept as a file.
    """
    async with request.app.state.db.read() as tx:
        file = await _readable(tx, caller, file_id)
    place = request.app.state.files.path(file.sha256)
    try:
        found = await asyncio.to_thread(place.stat)
    except FileNotFoundError:
        raise files.FileNotFound from None
    return FileResponse(
        place,
        headers=HARMLESS,
        media_type=file.media_type,
        filename=file.name,
        stat_result=found,
        content_disposition_type="inline" if file.width else "attachment",
    )


async def _readable(tx: AsyncSession, caller: Caller, file_id: str) -> File:
    """The row. Raises FileNotFound, whether there is none or it is none of the caller's business."""
    file = await tx.get(File, file_id)
    if file is None:
        raise files.FileNotFound
    if isinstance(caller, Visitor):
        is_seen = await _is_same_visitor(tx, caller.session_name, file.session)
        is_seen &= file.seq is not None or file.owner == files.VISITOR
    elif file.seq is None:
        is_seen = file.owner == caller.id
    else:
        is_seen = await _is_read_by(tx, require(caller, "sessions.read"), file.session, file.seq)
    if not is_seen:
        raise files.FileNotFound
    return file


async def _is_same_visitor(tx: AsyncSession, mine: str, other: str) -> bool:
    """Visitors read their earlier conversations as well."""
    found = {one.name: one.visitor_id for one in await find_many(tx, [mine, other])}
    return mine == other or (bool(found.get(mine)) and found.get(mine) == found.get(other))


async def _is_read_by(tx: AsyncSession, agent: AgentIdentity, name: str, seq: int) -> bool:
    """Whether the agent sees the session of that message, or one to which a split has moved it.

    One that was merged is held by nobody, so all agents see it.
    """
    splits = await read_last(tx, stream_of(name), SPLITS_LIMIT, types=("session.split_off",), public_only=False)
    moved = [one.facts for one in splits]
    for place in [name, *(facts["into"] for facts in moved if facts["from_seq"] <= seq <= facts["to_seq"])]:
        with suppress(SessionHidden):
            await check_seen(tx, reader_of(agent), place)
            return True
    return False
