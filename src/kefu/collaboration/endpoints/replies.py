"""Quick replies over HTTP."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from sqlalchemy.ext.asyncio import AsyncSession

from kefu.accounts.identity import AgentIdentity, allowed
from kefu.collaboration import replies
from kefu.collaboration import reply_shapes as shapes
from kefu.collaboration.placeholders import fill, known, names_in, times_at
from kefu.kit.clock import now_ms
from kefu.kit.pages import from_cursor, to_cursor
from kefu.kit.web import Done, caller_locale
from kefu.sessions.queries import find
from kefu.sessions.service import SessionNotFound
from kefu.shops.service import find_shop, hours_of

router = APIRouter(tags=["quick replies"])

Writer = Annotated[AgentIdentity, Depends(allowed("sessions.reply"))]
Lead = Annotated[AgentIdentity, Depends(allowed("stats.read"))]


def _writer(agent: AgentIdentity) -> replies.Writer:
    return replies.Writer(agent.id, "replies.write" in agent.permissions)


OrderFacts = shapes.OrderFacts | None


async def _values(
    request: Request, tx: AsyncSession, agent: AgentIdentity, session_name: str | None, order: OrderFacts = None
) -> dict[str, str]:
    """What the variables stand for; times are the shop's. Raises SessionNotFound."""
    session = await find(tx, session_name) if session_name else None
    if session is None and session_name:
        raise SessionNotFound(session_name=session_name)
    shop = await find_shop(tx, session.shop if session else None)
    values = times_at(now_ms(), hours_of(shop, request.app.state.hours).timezone)
    values |= {"agent_name": agent.name, "customer_name": (session and session.nickname) or ""}
    return values | (order.model_dump() if order else {})


@router.get("/api/quick-replies/categories")
async def reply_categories(request: Request, _: Writer) -> shapes.VocabularyData:
    """The categories and the variables, in the caller's language."""
    return shapes.VocabularyData(data=shapes.vocabulary(caller_locale(request)))


@router.get("/api/quick-replies/stats")
async def reply_stats(request: Request, agent: Lead) -> shapes.ReplyStatsData:
    """How the team's replies are used."""
    async with request.app.state.db.read() as tx:
        by_category, top = await replies.stats(tx)
    may_share = "replies.write" in agent.permissions
    return shapes.ReplyStatsData(data=shapes.stats_out(by_category, top, may_share=may_share))


@router.post("/api/quick-replies/preview")
async def preview_reply(request: Request, body: shapes.PreviewWish, agent: Writer) -> shapes.FilledData:
    """What a text would say; nothing is counted or kept."""
    async with request.app.state.db.read() as tx:
        values = await _values(request, tx, agent, body.session_name, body.order)
    return shapes.FilledData(data=shapes.filled_out(fill(body.content, values)))


@router.get("/api/quick-replies")
async def list_replies(
    request: Request, query: Annotated[shapes.ReplyQuery, Query()], agent: Writer
) -> shapes.ReplyPageData:
    """The caller's own and the team's; with `session_name` the variables are filled in beside each."""
    writer = _writer(agent)
    wanted = replies.Wanted(
        category=query.category or "",
        keyword=query.keyword,
        include_shared=query.include_shared,
        sort=query.sort,
        after=from_cursor(query.cursor, (int, str)) if query.cursor else None,
        limit=query.limit,
    )
    async with request.app.state.db.read() as tx:
        values = await _values(request, tx, agent, query.session_name) if query.session_name else None
        page = await replies.list_replies(tx, writer, wanted)
    data = shapes.ReplyPage(
        items=[shapes.reply_out(one, may_share=writer.may_share, values=values) for one in page.replies],
        total=page.total,
        next_cursor=to_cursor(page.next_key) if page.next_key else None,
        has_more=page.next_key is not None,
        limit=query.limit,
    )
    return shapes.ReplyPageData(data=data)


@router.post("/api/quick-replies", status_code=201)
async def create_reply(request: Request, body: shapes.NewReply, agent: Writer) -> shapes.ReplyData:
    """One's own, or the team's for those who may write them."""
    writer = _writer(agent)
    async with request.app.state.db.write() as tx:
        reply = await replies.create_reply(tx, writer, body.model_dump())
    return shapes.ReplyData(data=shapes.reply_out(reply, may_share=writer.may_share))


@router.get("/api/quick-replies/{reply_id}")
async def get_reply(request: Request, reply_id: shapes.ReplyId, agent: Writer) -> shapes.ReplyData:
    writer = _writer(agent)
    async with request.app.state.db.read() as tx:
        reply = await replies.find_reply(tx, writer, reply_id)
    return shapes.ReplyData(data=shapes.reply_out(reply, may_share=writer.may_share))


@router.put("/api/quick-replies/{reply_id}")
async def change_reply(
    request: Request, reply_id: shapes.ReplyId, body: shapes.ReplyChange, agent: Writer
) -> shapes.ReplyData:
    writer = _writer(agent)
    async with request.app.state.db.write() as tx:
        reply = await replies.change_reply(tx, writer, reply_id, body.model_dump(exclude_unset=True))
    return shapes.ReplyData(data=shapes.reply_out(reply, may_share=writer.may_share))


@router.delete("/api/quick-replies/{reply_id}")
async def delete_reply(request: Request, reply_id: shapes.ReplyId, agent: Writer) -> Done:
    async with request.app.state.db.write() as tx:
        await replies.delete_reply(tx, _writer(agent), reply_id)
    return Done()


@router.post("/api/quick-replies/{reply_id}/use")
async def use_reply(
    request: Request, reply_id: shapes.ReplyId, agent: Writer, body: shapes.Use | None = None
) -> shapes.UsedReplyData:
    """The text with its variables filled in; each call counts as one use."""
    wish = body or shapes.Use()
    async with request.app.state.db.write() as tx:
        values = await _values(request, tx, agent, wish.session_name, wish.order)
        reply = await replies.use_reply(tx, _writer(agent), reply_id)
    filled = fill(reply.content, values)
    data = shapes.UsedReply(
        id=reply.id,
        title=reply.title,
        original_content=reply.content,
        replaced_content=filled.text,
        variables=known(names_in(reply.content)),
        missing=filled.missing,
        usage_count=reply.usage_count,
    )
    return shapes.UsedReplyData(data=data)
