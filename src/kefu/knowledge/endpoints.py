"""Knowledge over HTTP: authors' work on articles, the hit test, and the page a source link opens."""

import asyncio
import re
import time
from functools import partial
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Request, Response

from kefu.accounts.identity import AgentIdentity, allowed, anyone
from kefu.kit.errors import Forbidden
from kefu.kit.pages import from_cursor, to_cursor
from kefu.kit.web import Done, caller_locale
from kefu.knowledge import page, queries, service
from kefu.knowledge import schemas as shapes
from kefu.knowledge.index import warm
from kefu.knowledge.passages import PAGE_BREAK, cut
from kefu.knowledge.search import search
from kefu.knowledge.vectors import Asker
from kefu.shops.service import find_shop

router = APIRouter(tags=["knowledge"])

Reader = Annotated[AgentIdentity, Depends(allowed("knowledge.read"))]
Author = Annotated[AgentIdentity, Depends(allowed("knowledge.write"))]
Editor = Annotated[AgentIdentity, Depends(allowed("knowledge.publish"))]
ARTICLE_ID = r"[A-Za-z0-9_\-]{1,40}"
ArticleId = Annotated[str, Path(pattern=f"^{ARTICLE_ID}$")]


def _forced(body: shapes.Publishing, agent: AgentIdentity) -> str:
    """Why golden questions may break. Raises Forbidden for who may not say so."""
    if body.force and "quality.write" not in agent.permissions:
        raise Forbidden
    return body.force or ""


@router.get("/api/knowledge/articles")
async def list_articles(
    request: Request, query: Annotated[shapes.ArticleQuery, Query()], _: Reader
) -> shapes.ArticlePageData:
    """The last changed first."""
    wanted = queries.Wanted(
        **query.model_dump(exclude={"cursor"}), after=from_cursor(query.cursor, (int, str)) if query.cursor else None
    )
    async with request.app.state.db.read() as tx:
        articles, next_key = await queries.list_articles(tx, wanted)
    found = shapes.ArticlePage(
        articles=[shapes.summary_of(article) for article in articles],
        next_cursor=to_cursor(next_key) if next_key else None,
        has_more=next_key is not None,
        limit=query.limit,
    )
    return shapes.ArticlePageData(data=found)


@router.post("/api/knowledge/articles", status_code=201)
async def create_article(request: Request, body: shapes.NewArticle, agent: Author) -> shapes.ArticleData:
    """A draft; nobody finds it before it is published."""
    async with request.app.state.db.write() as tx:
        shop = await find_shop(tx, body.shop)
        article = await service.create_article(tx, shop.id, body.content(), agent.id)
    return shapes.ArticleData(data=shapes.article_out(article))


@router.get("/api/knowledge/articles/{article_id}")
async def read_article(request: Request, article_id: ArticleId, _: Reader) -> shapes.ArticleData:
    async with request.app.state.db.read() as tx:
        article = await queries.find_article(tx, article_id)
    return shapes.ArticleData(data=shapes.article_out(article))


@router.patch("/api/knowledge/articles/{article_id}")
async def change_article(
    request: Request, article_id: ArticleId, body: shapes.ArticleChange, agent: Author
) -> shapes.ArticleData:
    """409 STALE_VERSION when somebody was quicker. What is public stays as it is until the change is published."""
    async with request.app.state.db.write() as tx:
        article = await service.rewrite_article(tx, article_id, body.version, body.changes(), agent.id)
    return shapes.ArticleData(data=shapes.article_out(article))


@router.post("/api/knowledge/articles/{article_id}/submit")
async def submit_article(
    request: Request, article_id: ArticleId, body: shapes.AtVersion, _: Author
) -> shapes.ArticleData:
    """Ask for a colleague's approval."""
    async with request.app.state.db.write() as tx:
        article = await service.submit_article(tx, article_id, body.version)
    return shapes.ArticleData(data=shapes.article_out(article))


@router.post("/api/knowledge/articles/{article_id}/send-back")
async def send_article_back(
    request: Request, article_id: ArticleId, body: shapes.SentBack, _: Editor
) -> shapes.ArticleData:
    """Not approved: it is a draft again, and its author reads why."""
    async with request.app.state.db.write() as tx:
        article = await service.send_back(tx, article_id, body.version, body.reason)
    return shapes.ArticleData(data=shapes.article_out(article))


@router.post("/api/knowledge/articles/{article_id}/publish")
async def publish_article(
    request: Request, article_id: ArticleId, body: shapes.Publishing, agent: Editor
) -> shapes.ArticleData:
    """Approve this version. 409 OWN_WORK when one wrote it oneself and somebody else may publish.

    409 GATE_FAILED, here and where an article is archived, when golden questions would be answered worse.
    """
    async with request.app.state.db.read() as tx:
        article = await queries.find_article(tx, article_id)
    await warm(article)
    change = partial(service.publish_article, article_id=article_id, version=body.version, by=agent.id)
    article = await request.app.state.gate.carry_out(article_id, change, publishes=True, force=_forced(body, agent))
    return shapes.ArticleData(data=shapes.article_out(article))


@router.post("/api/knowledge/articles/{article_id}/archive")
async def archive_article(
    request: Request, article_id: ArticleId, body: shapes.Publishing, agent: Editor
) -> shapes.ArticleData:
    change = partial(service.archive_article, article_id=article_id, version=body.version)
    article = await request.app.state.gate.carry_out(article_id, change, force=_forced(body, agent))
    return shapes.ArticleData(data=shapes.article_out(article))


@router.delete("/api/knowledge/articles/{article_id}")
async def delete_draft(request: Request, article_id: ArticleId, _: Author) -> Done:
    """Only a draft; a published article is archived instead."""
    async with request.app.state.db.write() as tx:
        await service.delete_draft(tx, article_id)
    return Done()


@router.get("/api/knowledge/articles/{article_id}/versions")
async def list_versions(request: Request, article_id: ArticleId, _: Reader) -> shapes.VersionList:
    async with request.app.state.db.read() as tx:
        found = await queries.versions_of(tx, article_id)
    return shapes.VersionList(data=[shapes.version_out(one, author) for one, author in found])


@router.get("/api/knowledge/articles/{article_id}/versions/{version}")
async def read_version(
    request: Request, article_id: ArticleId, version: Annotated[int, Path(ge=1, le=2_000_000_000)], _: Reader
) -> shapes.VersionTextData:
    async with request.app.state.db.read() as tx:
        found = await queries.version_text(tx, article_id, version)
    text = shapes.VersionText(version=found.version, title=found.title, body=found.body)
    return shapes.VersionTextData(data=text)


@router.get("/api/knowledge/articles/{article_id}/passages")
async def list_passages(
    request: Request, article_id: ArticleId, query: Annotated[shapes.PassageQuery, Query()], _: Reader
) -> shapes.PassagePageData:
    """What search would find of the newest version, once it is published."""
    async with request.app.state.db.read() as tx:
        article = await queries.find_article(tx, article_id)
    found = await asyncio.to_thread(cut, article.kind, article.body)
    is_page = PAGE_BREAK in article.body
    some = list(enumerate(found))[query.offset : query.offset + query.limit]
    passages = [
        shapes.PassageOut(ordinal=at, heading=one.heading, text=one.text, part=one.part, is_page=is_page)
        for at, one in some
    ]
    return shapes.PassagePageData(data=shapes.PassagePage(passages=passages, total=len(found)))


@router.post("/api/knowledge/search")
async def hit_test(request: Request, body: shapes.HitTest, agent: Reader) -> shapes.HitTestData:
    """What the bot would find."""
    await request.app.state.limits.take("search", agent=agent.id)
    started = time.perf_counter()
    async with request.app.state.db.read() as tx:
        shop = (await find_shop(tx, body.shop)).id
    (near,) = await request.app.state.near_of(Asker(shop, body.lang), [body.query])
    async with request.app.state.db.read() as tx:
        found = await search(tx, shop, body.query, body.lang, body.limit, near)
    return shapes.HitTestData(data=shapes.hits_out(found, round((time.perf_counter() - started) * 1000, 1)))


@router.get("/articles/{article_id}", dependencies=[Depends(anyone)], response_class=Response, include_in_schema=False)
async def article_page(request: Request, article_id: str, v: str = "", p: str = "") -> Response:
    """A published article as a page; `v` asks for the version that was quoted, `p` for a part of a document."""
    article = None
    if re.fullmatch(ARTICLE_ID, article_id) and re.fullmatch(r"[0-9]{0,9}", v):
        async with request.app.state.db.read() as tx:
            article = await queries.public_text(tx, article_id, int(v) if v else None)
    part = int(p) if re.fullmatch(r"[0-9]{1,6}", p) else 1
    html = page.article(article_id, article, part) if article else page.missing(caller_locale(request))
    return Response(html, 200 if article else 404, media_type="text/html", headers=page.HEADERS)
