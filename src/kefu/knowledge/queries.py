"""Questions about articles."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, or_, select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession

from kefu.kit.i18n import Locale
from kefu.knowledge.models import Article, ArticleVersion, Passage
from kefu.knowledge.service import ArticleNotFound
from kefu.knowledge.states import Status


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
    """An article's text as a visitor may read it. `latest` is its present version."""

    lang: Locale
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
    """One page, the last changed first, and the key of the next one if there is one."""
    query = select(Article).where(*_filters(wanted)).order_by(Article.updated_at.desc(), Article.id.desc())
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
    """A version of a published article that visitors could see once; the present one for None."""
    query = select(Article.lang, Article.version, ArticleVersion).join(
        ArticleVersion, ArticleVersion.article_id == Article.id
    )
    is_wanted = ArticleVersion.version == (Article.version if version is None else version)
    query = query.where(
        Article.id == article_id,
        Article.status == Status.PUBLISHED.value,
        ArticleVersion.public_at.is_not(None),
        is_wanted,
    )
    row = (await tx.execute(query)).first()
    if row is None:
        return None
    lang, latest, said = row
    return PublicText("zh" if lang == "zh" else "en", said.title, said.body, said.version, latest, said.at)


async def standing(tx: AsyncSession, article_ids: Collection[str]) -> dict[str, tuple[int, set[str]]]:
    """Of those that visitors can read now: the version, and the hashes of its passages' texts."""
    query = select(Article.id, Article.version).where(Article.id.in_(article_ids))
    rows = await tx.execute(query.where(Article.status == Status.PUBLISHED.value))
    found: dict[str, tuple[int, set[str]]] = {id_: (version, set()) for id_, version in rows}
    passages = select(Passage.article_id, Passage.text_hash).where(Passage.article_id.in_(found))
    for id_, text_hash in await tx.execute(passages):
        found[id_][1].add(text_hash)
    return found
