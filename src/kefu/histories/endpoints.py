"""A visitor's conversations over HTTP: for the visitor, and for the agents who read them."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import StreamingResponse
from sqlalchemy.ext.asyncio import AsyncSession

from kefu.accounts.identity import AgentIdentity, Caller, SignedIn, Visitor, allowed
from kefu.histories import queries, schemas, service
from kefu.histories.access import own, readable, visitor_of
from kefu.histories.transcripts import MEDIA, Format, Transcript, Wish, transcript_of
from kefu.kit.errors import Forbidden
from kefu.kit.pages import from_cursor, to_cursor
from kefu.kit.web import caller_locale
from kefu.sessions.access import member, sees_contacts, visitor_token
from kefu.sessions.models import Session
from kefu.sessions.schemas import ConversationOpened, NameInPath, session_out
from kefu.sessions.states import Status

router = APIRouter(tags=["histories"])

FILES: dict[int | str, dict[str, Any]] = {
    200: {"description": "The file", "content": {media.partition(";")[0]: {"schema": {}} for media in MEDIA.values()}}
}
Reader = Annotated[AgentIdentity, Depends(allowed("sessions.read"))]
Joiner = Annotated[AgentIdentity, Depends(allowed("sessions.merge"))]


@router.get("/api/visitor/sessions")
async def own_sessions(
    request: Request, caller: SignedIn, query: Annotated[schemas.PageQuery, Query()]
) -> schemas.PastSessionsData:
    """The visitor's other conversations, the youngest first; of merged ones only the one that was kept."""
    name = visitor_of(caller).session_name
    async with request.app.state.db.read() as tx:
        session = await own(tx, name, name)
        return await _page(tx, session, query, merged=False)


@router.get("/api/sessions/{name}/history")
async def session_history(
    request: Request, name: NameInPath, agent: Reader, query: Annotated[schemas.PageQuery, Query()]
) -> schemas.PastSessionsData:
    """The other conversations of this visitor, the youngest first."""
    async with request.app.state.db.read() as tx:
        session = await readable(tx, agent, name)
        return await _page(tx, session, query, merged=True)


async def _page(
    tx: AsyncSession, session: Session, query: schemas.PageQuery, *, merged: bool
) -> schemas.PastSessionsData:
    after = from_cursor(query.cursor, (int, str)) if query.cursor else None
    found = await queries.others_of(tx, session, after, query.limit + 1, merged=merged)
    shown = found[: query.limit]
    ratings = await queries.ratings(tx, [one.name for one in shown])
    more = len(found) > query.limit
    data = schemas.PastSessions(
        sessions=[schemas.past(one, ratings.get(one.name)) for one in shown],
        next_cursor=to_cursor([shown[-1].created_at, shown[-1].name]) if more else None,
    )
    return schemas.PastSessionsData(data=data)


@router.get("/api/visitor/sessions/{name}/messages")
async def own_messages(
    request: Request, name: NameInPath, caller: SignedIn, query: Annotated[schemas.MessagesQuery, Query()]
) -> schemas.SaidMessagesData:
    """What was said in one of the visitor's conversations, merged parts included, in the order of reading."""
    return await _said(request, visitor_of(caller), name, query)


@router.get("/api/sessions/{name}/messages")
async def session_messages(
    request: Request, name: NameInPath, agent: Reader, query: Annotated[schemas.MessagesQuery, Query()]
) -> schemas.SaidMessagesData:
    """What was said in the conversation, merged parts included, in the order of reading."""
    return await _said(request, agent, name, query)


async def _said(request: Request, caller: Caller, name: str, query: schemas.MessagesQuery) -> schemas.SaidMessagesData:
    after = from_cursor(query.after, (str, int)) if query.after else None
    async with request.app.state.db.read() as tx:
        session = await readable(tx, caller, name)
        found = await queries.messages(tx, session, after, query.limit, others=query.others)
    full = len(found) == query.limit
    data = schemas.SaidMessages(
        messages=[schemas.said(session_name, entry) for session_name, entry in found],
        next_cursor=to_cursor([found[-1][0], found[-1][1].seq]) if full else None,
    )
    return schemas.SaidMessagesData(data=data)


@router.post("/api/visitor/sessions/{name}/token")
async def exchange_token(request: Request, name: NameInPath, caller: SignedIn) -> ConversationOpened:
    """The token of another of the visitor's conversations, to go on there; of a merged one, of where it goes on."""
    visitor = visitor_of(caller)
    async with request.app.state.db.read() as tx:
        session = await queries.goes_on_in(tx, await own(tx, visitor.session_name, name))
    return ConversationOpened(
        session_name=session.name,
        conversation_id=session.conversation_id,
        visitor_token=visitor_token(request.app.state, session, visitor),
        shop=session.shop,
        status=Status(session.status),
        seq=session.seq,
    )


@router.get("/api/sessions/{name}/transcript", response_class=Response, responses=FILES)
async def transcript(
    request: Request, name: NameInPath, caller: SignedIn, query: Annotated[schemas.TranscriptQuery, Query()]
) -> Response:
    """The conversation as a file. `include=internal` is for agents: with what visitors never see."""
    state, internal = request.app.state, query.include == "internal"
    if internal and isinstance(caller, Visitor):
        raise Forbidden
    async with state.db.read() as tx:
        session = await readable(tx, caller, name)
    await state.limits.take("transcript", who=caller.session_name if isinstance(caller, Visitor) else caller.id)
    wish = Wish(
        query.locale or caller_locale(request), schemas.zone(query.tz), query.tz, internal, sees_contacts(caller)
    )
    return await _file(request, session, await transcript_of(state.db, session, wish), query.format)


async def _file(request: Request, session: Session, made: Transcript, kind: Format) -> Response:
    db = request.app.state.db
    headers = {
        "Content-Disposition": f'attachment; filename="conversation-{session.name}.{kind}"',
        "Cache-Control": "no-store",
    }
    if kind == "pdf":
        return Response(await made.pdf(db), media_type=MEDIA[kind], headers=headers)
    pages = made.txt(db) if kind == "txt" else made.json(db)
    return StreamingResponse(pages, media_type=MEDIA[kind], headers=headers)


@router.post("/api/sessions/{name}/merge")
async def merge(request: Request, name: NameInPath, body: schemas.MergeInto, agent: Joiner) -> schemas.JoinedData:
    """Let the conversation go on in another one of the same visitor, which is answered. Safe to repeat."""
    async with request.app.state.db.write() as tx:
        kept = await service.merge(tx, name, body.into, member(agent, "sessions.merge"))
    return schemas.JoinedData(data=session_out(kept))


@router.post("/api/sessions/{name}/split")
async def split(request: Request, name: NameInPath, body: schemas.SplitFrom, agent: Joiner) -> schemas.JoinedData:
    """Let what was said from a message on go on in a new conversation, which is answered."""
    async with request.app.state.db.write() as tx:
        session = await service.split(tx, name, body.from_seq, member(agent, "sessions.merge"))
    return schemas.JoinedData(data=session_out(session))
