"""Sessions over HTTP: opening and writing by the visitor, and what agents do with them."""

from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request

from kefu.accounts.identity import AgentIdentity, SignedIn, TokenHolder, Visitor, allowed, anyone
from kefu.kit.clock import iso, now_ms
from kefu.kit.errors import Forbidden
from kefu.kit.ids import new_id
from kefu.kit.pages import BadCursor, from_cursor, to_cursor
from kefu.kit.web import Done, address_of, caller_of
from kefu.sessions import listing, queries, reading, search, service, stretches, suggested, summaries
from kefu.sessions import schemas as shapes
from kefu.sessions.access import actor, actor_of, may_read, member, own_visitor, reader_of, sees_contacts
from kefu.sessions.after_hours import is_in_shift
from kefu.sessions.contacts import without_contacts
from kefu.sessions.drafts import used
from kefu.sessions.opening import Wish, opened
from kefu.sessions.pages import show_page as show_page_to
from kefu.sessions.post import post
from kefu.sessions.states import InvalidStatus, Status
from kefu.sessions.visibility import check_seen

router = APIRouter(tags=["sessions"])

HISTORY = 50

Releaser = Annotated[AgentIdentity, Depends(allowed("sessions.release"))]
Closer = Annotated[AgentIdentity, Depends(allowed("sessions.close"))]
Reader = Annotated[AgentIdentity, Depends(allowed("sessions.read"))]


@router.post("/api/conversation/new", dependencies=[Depends(anyone)])
async def open_conversation(request: Request, body: shapes.OpenConversation) -> shapes.ConversationOpened:
    """Open a session. A name that exists needs its token and is returned as it stands."""
    state, page = request.app.state, body.page.model_dump() if body.page else None
    came_from = body.came_from.model_dump() if body.came_from else None
    who = (body.session_id, body.shop, body.locale, body.identity)
    wish = Wish(*who, page, came_from, body.introduction, body.invitation)
    found = await opened(state, caller_of(request), wish, state.store)
    session = found.session
    return shapes.ConversationOpened(
        session_name=session.name,
        conversation_id=session.conversation_id,
        visitor_token=found.token,
        shop=session.shop,
        status=Status(session.status),
        seq=session.seq,
    )


@router.post("/api/sessions/{name}/messages", status_code=201)
async def post_message(
    request: Request, name: shapes.NameInPath, body: shapes.PostMessage, caller: TokenHolder
) -> shapes.MessageStored:
    """The visitor's durable post, whatever the state; the answer comes on the stream."""
    visitor = own_visitor(caller, name)
    await request.app.state.limits.take("chat", visitor=name, address=address_of(request))
    posted = await post(request.app.state.db, name, body.content, body.client_msg_id, visitor.epoch, body.files)
    return shapes.MessageStored(
        session_name=name,
        seq=posted.entry.seq,
        client_msg_id=body.client_msg_id,
        at=iso(posted.entry.at),
        status=Status(posted.status),
    )


@router.put("/api/sessions/{name}/page")
async def show_page(request: Request, name: shapes.NameInPath, body: shapes.ShowPage, caller: TokenHolder) -> Done:
    """What the visitor looks at on the shop's page from now on, for the bot and the agents. Safe to repeat."""
    visitor = own_visitor(caller, name)
    await request.app.state.limits.take("page", visitor=name)
    async with request.app.state.db.write() as tx:
        await show_page_to(tx, name, visitor.epoch, body.card.model_dump() if body.card else None)
    return Done()


@router.post("/api/manual/escalate")
async def escalate(request: Request, body: shapes.Escalate, caller: SignedIn) -> shapes.EscalatedData:
    """Ask for a person. A repeat while one is awaited changes nothing; out of hours nothing changes either."""
    state = request.app.state
    actor = actor_of(caller, body.session_name, "sessions.reply")
    if actor.kind == "visitor":
        await state.limits.take("escalate", visitor=body.session_name, address=address_of(request))
    reason = "manual" if body.reason == "user_request" else body.reason
    async with state.db.write() as tx:
        in_shift = await is_in_shift(tx, body.session_name, state.hours, now_ms())
        session = await service.escalate(tx, body.session_name, actor, reason, body.details, in_shift=in_shift)
    data = shapes.session_out(session, sees_all=actor.kind == "agent")
    return shapes.EscalatedData(data=data, email_sent=False, is_in_shift=in_shift)


@router.post("/api/manual/messages")
async def post_manual_message(request: Request, body: shapes.ManualMessage, caller: SignedIn) -> shapes.ManualStored:
    """A message in a conversation that a person serves.

    Who writes is read from the token; `role` must agree with it.
    """
    name, db = body.session_name, request.app.state.db
    client_msg_id = body.client_msg_id or new_id("m")
    if body.role == "user":
        visitor = own_visitor(caller, name)
        await request.app.state.limits.take("chat", visitor=name, address=address_of(request))
        async with db.write() as tx:
            session = await service.locked(tx, name)
            service.check_epoch(session, visitor.epoch)
            service.refuse_merged(session)
            if session.status != Status.MANUAL_LIVE:
                raise InvalidStatus(status=session.status, move="message.posted")
            stored, _ = await service.post_by_visitor(tx, name, body.content, client_msg_id, body.files)
    else:
        if isinstance(caller, Visitor) or "sessions.reply" not in caller.permissions:
            raise Forbidden
        seen = None if body.seen_seq is None else reading.Seen(body.seen_seq, body.force)
        async with db.write() as tx:
            reply = service.Reply(body.content, client_msg_id, body.files)
            stored = await service.post_by_agent(tx, name, member(caller, "sessions.reply_any"), reply, seen)
            if body.draft_revision is not None:
                await used(tx, name, caller.id, body.draft_revision)
            if body.suggestion_id is not None:
                await suggested.used(tx, name, actor(caller), body.suggestion_id, stored.seq)
    data = shapes.StoredData(seq=stored.seq, timestamp=stored.at / 1000, client_msg_id=stored.client_msg_id)
    return shapes.ManualStored(data=data)


@router.post("/api/sessions/{name}/release")
async def release(
    request: Request, name: shapes.NameInPath, agent: Releaser, body: shapes.WithReason | None = None
) -> shapes.SessionData:
    """Give the conversation back to the bot."""
    reason = body.reason if body else "resolved"
    async with request.app.state.db.write() as tx:
        session = await service.release(tx, name, member(agent, "sessions.release_any"), reason)
    return shapes.SessionData(data=shapes.session_out(session))


@router.post("/api/sessions/{name}/close")
async def close(
    request: Request, name: shapes.NameInPath, agent: Closer, body: shapes.WithReason | None = None
) -> shapes.SessionData:
    """End the conversation; the visitor may write again and reopen it."""
    reason = body.reason if body else "resolved"
    async with request.app.state.db.write() as tx:
        session = await service.close(tx, name, member(agent, "sessions.release_any"), reason)
    return shapes.SessionData(data=shapes.session_out(session))


@router.get("/api/sessions")
async def list_sessions(
    request: Request, agent: Reader, query: Annotated[summaries.ListQuery, Query()]
) -> summaries.SessionListData:
    """One page of the sessions the caller may see, with counts by status. `default` puts first who waits for a person.

    Agents see their own sessions and those nobody holds; supervisors and inspectors see all.
    """
    narrow = replace(query.narrow, keyword=query.keyword.strip())
    after = listing.Key(*from_cursor(query.cursor, listing.KEY_SHAPE)) if query.cursor else None
    if after and after.sort != query.sort:
        raise BadCursor
    async with request.app.state.db.read() as tx:
        page = await listing.list_sessions(tx, reader_of(agent), narrow, query.sort, query.limit, after)
        reader = actor(agent)
        counts = await reading.read_counts(tx, reader, [one.name for one in page.sessions])
    data = summaries.SessionList(
        sessions=[summaries.listed(one, reading.unread(one, reader, counts.get(one.name, 0))) for one in page.sessions],
        total=page.total,
        counts=page.counts,
        mine=page.mine,
        unassigned=page.unassigned,
        next_cursor=to_cursor([*page.next_key]) if page.next_key else None,
        has_more=page.next_key is not None,
        limit=query.limit,
    )
    return summaries.SessionListData(data=data)


@router.get("/api/search/messages")
async def search_messages(
    request: Request, agent: Reader, query: Annotated[summaries.SearchQuery, Query()]
) -> summaries.SearchData:
    """Messages and notes with all the words of `q`, newest first, in the sessions the caller may see.

    Words are found as soon as they are indexed, which takes some seconds.
    """
    await request.app.state.limits.take("search", agent=agent.id)
    narrow = query.narrow
    wanted = search.Wanted.of(query.q, narrow.since, narrow.until, narrow.shop, query.session)
    before = from_cursor(query.cursor, (int,))[0] if query.cursor else None
    async with request.app.state.db.read() as tx:
        where = listing.conditions(reader_of(agent), replace(narrow, since=None, until=None), with_status=True)
        hits = await search.search(tx, reader_of(agent), wanted, where, query.limit + 1, before)
    shown, has_more = hits[: query.limit], len(hits) > query.limit
    data = summaries.SearchPage(
        hits=[summaries.hit_out(hit, wanted) for hit in shown],
        next_cursor=to_cursor([shown[-1].position]) if has_more else None,
        has_more=has_more,
    )
    return summaries.SearchData(data=data)


@router.get("/api/sessions/{name}")
async def get_session(request: Request, name: shapes.NameInPath, caller: SignedIn) -> shapes.OneSessionData:
    """The session with its newest messages; the visitor of the session sees no internal part."""
    sees_all = await may_read(request.app.state.db, caller, name)
    async with request.app.state.db.read() as tx:
        found = await reading.find_with_marks(tx, name)
        if found is None:
            raise service.SessionNotFound(session_name=name)
        session, marks = found
        reader = actor(caller)
        counts = await reading.read_counts(tx, reader, [name])
        said = await queries.history(tx, name, HISTORY, public_only=not sees_all)
        moves = await queries.audit_trail(tx, name, HISTORY) if sees_all else []
    unread = reading.unread(session, reader, counts.get(name, 0))
    contacts = sees_contacts(caller)
    one = shapes.OneSession(
        session=shapes.session_with_history(session, said, marks, unread, sees_all=sees_all, sees_contacts=contacts),
        audit_trail=[(move if contacts else without_contacts(move)).shown for move in moves],
    )
    return shapes.OneSessionData(data=one)


@router.get("/api/sessions/{name}/log")
async def session_log(
    request: Request, name: shapes.NameInPath, agent: Reader, query: Annotated[stretches.StretchQuery, Query()]
) -> stretches.StretchData:
    """The log from its end backwards, stretch by stretch: go on with `before` = `first` until that is 1."""
    async with request.app.state.db.read() as tx:
        await check_seen(tx, reader_of(agent), name)
        if await queries.find(tx, name) is None:
            raise service.SessionNotFound(session_name=name)
        found = await stretches.stretch(tx, name, query.before, query.limit)
    entries = found.entries if sees_contacts(agent) else [without_contacts(one) for one in found.entries]
    data = stretches.StretchOut(
        events=[one.shown for one in entries], first=found.first, messages=found.messages, theirs=found.theirs
    )
    return stretches.StretchData(data=data)
