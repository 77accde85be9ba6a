"""The audit log over HTTP: search and export."""

from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response, StreamingResponse
from pydantic import BaseModel, Field, StringConstraints

from kefu.accounts.audit import audit
from kefu.accounts.audit_files import MEDIA, Format, chunks, csv_file, xlsx_file
from kefu.accounts.audit_queries import Wanted, page
from kefu.accounts.identity import AgentIdentity, allowed
from kefu.accounts.models import AuditEntry
from kefu.kit.clock import iso
from kefu.kit.i18n import Locale
from kefu.kit.pages import from_cursor, to_cursor
from kefu.kit.web import Done, caller_locale

router = APIRouter(tags=["audit"])

Auditor = Annotated[AgentIdentity, Depends(allowed("audit.read"))]
FILES: dict[int | str, dict[str, Any]] = {
    200: {"description": "The file", "content": {media.partition(";")[0]: {"schema": {}} for media in MEDIA.values()}}
}
Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.\-]{0,120}$")]
Time = Annotated[float, Field(ge=0, le=253_402_300_799, allow_inf_nan=False)]


class AuditFilter(BaseModel):
    """`actor`: an agent's id, or `system`. `time_start`, `time_end`: Unix seconds, inclusive.

    `q`: a text in names, objects, addresses, or in what was before and after.
    """

    actor: Name = ""
    action: Name = ""
    object_type: Name = ""
    object_id: Name = ""
    time_start: Time | None = None
    time_end: Time | None = None
    q: Annotated[str, StringConstraints(max_length=100, pattern=r"^[^\x00]*$", strip_whitespace=True)] = ""

    def wanted(self, after: list[Any] | None = None) -> Wanted:
        since, until = (None if at is None else int(at * 1000) for at in (self.time_start, self.time_end))
        return Wanted(self.actor, self.action, self.object_type, self.object_id, since, until, self.q, after)


class AuditQuery(AuditFilter):
    cursor: Annotated[str, StringConstraints(max_length=400)] = ""
    limit: Annotated[int, Field(ge=1, le=200)] = 50


class ExportQuery(AuditFilter):
    """`locale`: of the head line; the caller's language without it."""

    format: Format = "csv"
    locale: Locale | None = None


class ActorOut(BaseModel):
    """`role`: `system` for a job or the command line, `anyone` for who had not signed in."""

    id: str
    name: str
    role: str


class ObjectOut(BaseModel):
    type: str
    id: str


class EntryOut(BaseModel):
    """`before`, `after`: the fields that were changed. `at`: ISO 8601, UTC."""

    seq: int
    at: str
    actor: ActorOut
    action: str
    object: ObjectOut
    before: dict[str, Any] | None
    after: dict[str, Any] | None
    address: str
    user_agent: str
    request_id: str
    hash: str


class AuditPage(BaseModel):
    """With `q` a page may be short and yet have more: each looks through a stretch of the log."""

    entries: list[EntryOut]
    next_cursor: str | None
    has_more: bool
    limit: int


class AuditPageData(Done):
    data: AuditPage


@router.get("/api/audit")
async def list_audit(request: Request, query: Annotated[AuditQuery, Query()], _: Auditor) -> AuditPageData:
    """What agents and administrators did, the newest first."""
    after = from_cursor(query.cursor, (int, int)) if query.cursor else None
    async with request.app.state.db.read() as tx:
        found, key = await page(tx, query.wanted(after), query.limit)
    data = AuditPage(
        entries=[_entry_out(one) for one in found],
        next_cursor=to_cursor(key) if key else None,
        has_more=key is not None,
        limit=query.limit,
    )
    return AuditPageData(data=data)


@router.get("/api/audit/export", response_class=Response, responses=FILES)
async def export_audit(request: Request, query: Annotated[ExportQuery, Query()], me: Auditor) -> Response:
    """The same as a file, at most the newest 100,000; its last line says when there are more. It is audited too."""
    state, locale = request.app.state, query.locale or caller_locale(request)
    await state.limits.take("audit_export", agent=me.id)
    async with state.db.write() as tx:
        audit(tx, "audit.exported", ("audit", ""), after=query.model_dump(exclude_defaults=True))
    headers = {"Content-Disposition": f'attachment; filename="audit.{query.format}"', "Cache-Control": "no-store"}
    if query.format == "csv":
        return StreamingResponse(csv_file(state.db, query.wanted(), locale), media_type=MEDIA["csv"], headers=headers)
    made = await xlsx_file(state.db, query.wanted(), locale)
    return StreamingResponse(chunks(made), media_type=MEDIA["xlsx"], headers=headers)


def _entry_out(entry: AuditEntry) -> EntryOut:
    return EntryOut(
        seq=entry.seq,
        at=iso(entry.at),
        actor=ActorOut(id=entry.actor_id, name=entry.actor_name, role=entry.actor_role),
        action=entry.action,
        object=ObjectOut(type=entry.object_type, id=entry.object_id),
        before=orjson.loads(entry.before) if entry.before else None,
        after=orjson.loads(entry.after) if entry.after else None,
        address=entry.address,
        user_agent=entry.user_agent,
        request_id=entry.request_id,
        hash=entry.hash,
    )
