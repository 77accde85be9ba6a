"""Knowledge over HTTP: authors' work on articles, the hit test, and the page a source link opens."""

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
from kefu.knowledge.search import search
from kefu.shops.service import find_shop

router = APIRouter(tags=["knowledge"])

Reader = Annotated[AgentIdentity, Depends(allowed("knowledge.read"))]
Author = Annotated[AgentIdentity, Depends(allowed("knowledge.write"))]
ARTICLE_ID = r"[A-Za-z0-9_\-]{1,40}"
ArticleId = Annotated[str, Path(pattern=f"^{ARTICLE_ID}$")]


def _forced(body: shapes.AtVersion, author: AgentIdentity) -> str:
    """Why golden questions may break. Raises Forbidden for who may not say so."""
    if body.force and "quality.write" not in author.permissions:
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
async def create_article(request: Request, body: shapes.NewArticle, _: Author) -> shapes.ArticleData:
    """A draft; nobody finds it before it is published."""
    async with request.app.state.db.write() as tx:
        shop = await find_shop(tx, body.shop)
        article = await service.create_article(tx, shop.id, body.content())
    return shapes.ArticleData(data=shapes.article_out(article))


@router.get("/api/knowledge/articles/{article_id}")
async def read_article(request: Request, article_id: ArticleId, _: Reader) -> shapes.ArticleData:
    async with request.app.state.db.read() as tx:
        article = await queries.find_article(tx, article_id)
    return shapes.ArticleData(data=shapes.article_out(article))


@router.patch("/api/knowledge/articles/{article_id}")
async def change_article(
    request: Request, article_id: ArticleId, body: shapes.ArticleChange, author: Author
) -> shapes.ArticleData:
    """409 STALE_VERSION when somebody was quicker. Of a published article the change is public at once.

    409 GATE_FAILED, here and where an article is published or archived, when golden questions would be answered worse.
    """
    change = partial(service.change_article, article_id=article_id, version=body.version, changes=body.changes())
    article = await request.app.state.gate.carry_out(article_id, change, force=_forced(body, author))
    return shapes.ArticleData(data=shapes.article_out(article))


@router.post("/api/knowledge/articles/{article_id}/publish")
async def publish_article(
    request: Request, article_id: ArticleId, body: shapes.AtVersion, author: Author
) -> shapes.ArticleData:
    change = partial(service.publish_article, article_id=article_id, version=body.version)
    article = await request.app.state.gate.carry_out(article_id, change, publishes=True, force=_forced(body, author))
    return shapes.ArticleData(data=shapes.article_out(article))


@router.post("/api/knowledge/articles/{article_id}/archive")
async def archive_article(
    request: Request, article_id: ArticleId, body: shapes.AtVersion, author: Author
) -> shapes.ArticleData:
    change = partial(service.archive_article, article_id=article_id, version=body.version)
    article = await request.app.state.gate.carry_out(article_id, change, force=_forced(body, author))
    return shapes.ArticleData(data=shapes.article_out(article))


@router.delete("/api/knowledge/articles/{article_id}")
async def delete_draft(request: Request, article_id: ArticleId, _: Author) -> Done:
    """Only a draft; a published article is archived instead."""
    async with request.app.state.db.write() as tx:
        await service.delete_draft(tx, article_id)
    return Done()


@router.post("/api/knowledge/search")
async def hit_test(request: Request, body: shapes.HitTest, agent: Reader) -> shapes.HitTestData:
    """What the bot would find."""
    await request.app.state.limits.take("search", agent=agent.id)
    started = time.perf_counter()
    async with request.app.state.db.read() as tx:
        shop = await find_shop(tx, body.shop)
        found = await search(tx, shop.id, body.query, body.lang, body.limit)
    return shapes.HitTestData(data=shapes.hits_out(found, round((time.perf_counter() - started) * 1000, 1)))


@router.get("/articles/{article_id}", dependencies=[Depends(anyone)], response_class=Response, include_in_schema=False)
async def article_page(request: Request, article_id: str, v: str = "") -> Response:
    """A published article as a page; `v` asks for the version that was quoted."""
    article = None
    if re.fullmatch(ARTICLE_ID, article_id) and re.fullmatch(r"[0-9]{0,9}", v):
        async with request.app.state.db.read() as tx:
            article = await queries.public_text(tx, article_id, int(v) if v else None)
    html = page.article(article_id, article) if article else page.missing(caller_locale(request))
    return Response(html, 200 if article else 404, media_type="text/html", headers=page.HEADERS)
