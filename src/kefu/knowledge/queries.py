"""Questions about articles."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, or_, select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import defer

from kefu.accounts.models import Agent
from kefu.kit.i18n import Locale
from kefu.knowledge.models import Article, ArticleVersion, Passage
from kefu.knowledge.service import ArticleNotFound


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which articles to list. Empty means any; `after` is where the last page ended."""

    shop: str = ""
    lang: str = ""
    status: str = ""
    kind: str = ""
    category: str = ""
    keyword: str = ""
    after: list[Any] | None = None
    limit: int = 50


@dataclass(frozen=True, slots=True)
class PublicText:
    """An article's text as a visitor may read it. `latest` is its present public version."""

    lang: Locale
    kind: str
    title: str
    body: str
    version: int
    latest: int
    at: int


async def find_article(tx: AsyncSession, article_id: str) -> Article:
    """Raises ArticleNotFound."""
    article = await tx.get(Article, article_id)
    if article is None:
        raise ArticleNotFound
    return article


async def list_articles(tx: AsyncSession, wanted: Wanted) -> tuple[list[Article], list[Any] | None]:
    """One page, the last changed first, without their texts, and the key of the next one if there is one."""
    query = (
        select(Article)
        .options(defer(Article.body))
        .where(*_filters(wanted))
        .order_by(Article.updated_at.desc(), Article.id.desc())
    )
    if wanted.after:
        query = query.where(tuple_(Article.updated_at, Article.id) < tuple_(*wanted.after))
    found = list((await tx.execute(query.limit(wanted.limit + 1))).scalars())
    page = found[: wanted.limit]
    return page, [page[-1].updated_at, page[-1].id] if len(found) > wanted.limit else None


def _filters(wanted: Wanted) -> list[ColumnElement[bool]]:
    names = ("shop", "lang", "status", "kind", "category")
    where = [getattr(Article, name) == getattr(wanted, name) for name in names if getattr(wanted, name)]
    if wanted.keyword:
        columns = (Article.title, Article.slug, Article.body)
        where.append(or_(*(column.icontains(wanted.keyword, autoescape=True) for column in columns)))
    return where


async def public_text(tx: AsyncSession, article_id: str, version: int | None) -> PublicText | None:
    """A version of a public article that visitors could see once; the present one for None."""
    query = select(Article.lang, Article.kind, Article.public_version, ArticleVersion).join(
        ArticleVersion, ArticleVersion.article_id == Article.id
    )
    query = query.where(
        Article.id == article_id,
        Article.public_version.is_not(None),
        ArticleVersion.public_at.is_not(None),
        ArticleVersion.version == (Article.public_version if version is None else version),
    )
    row = (await tx.execute(query)).first()
    if row is None:
        return None
    lang, kind, latest, said = row
    return PublicText("zh" if lang == "zh" else "en", kind, said.title, said.body, said.version, latest or 0, said.at)


async def versions_of(tx: AsyncSession, article_id: str) -> list[tuple[ArticleVersion, str | None]]:
    """All versions, the newest first, each with the name of who wrote it, None for the system.

    Without their texts. Raises ArticleNotFound.
    """
    query = select(ArticleVersion, Agent.name).outerjoin(Agent, Agent.id == ArticleVersion.author)
    query = query.where(ArticleVersion.article_id == article_id).options(defer(ArticleVersion.body))
    found: list[tuple[ArticleVersion, str | None]] = [
        (one, name) for one, name in await tx.execute(query.order_by(ArticleVersion.version.desc()))
    ]
    if not found:
        raise ArticleNotFound
    return found


async def version_text(tx: AsyncSession, article_id: str, version: int) -> ArticleVersion:
    """Raises ArticleNotFound."""
    found = await tx.get(ArticleVersion, (article_id, version))
    if found is None:
        raise ArticleNotFound
    return found


async def standing(tx: AsyncSession, article_ids: Collection[str]) -> dict[str, tuple[int, set[str]]]:
    """Of those that visitors can read now: the version, and the hashes of its passages' texts."""
    query = select(Article.id, Article.public_version).where(Article.id.in_(article_ids))
    rows = await tx.execute(query.where(Article.public_version.is_not(None)))
    found: dict[str, tuple[int, set[str]]] = {id_: (version or 0, set()) for id_, version in rows}
    passages = select(Passage.article_id, Passage.text_hash).where(Passage.article_id.in_(found))
    for id_, text_hash in await tx.execute(passages):
        found[id_][1].add(text_hash)
    return found
