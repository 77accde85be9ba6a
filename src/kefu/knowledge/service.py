"""Commands on articles. What is searched changes in the same transaction."""

import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, ClassVar, Literal

from sqlalchemy import insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from kefu.accounts.audit import audit, fields
from kefu.accounts.models import Agent
from kefu.kit.clock import now_ms
from kefu.kit.errors import Conflict, NotFound
from kefu.kit.i18n import Locale, Text
from kefu.kit.ids import new_id
from kefu.knowledge.index import reindex
from kefu.knowledge.models import Article, ArticleVersion
from kefu.knowledge.states import InvalidStatus, Move, Status, moved
from kefu.knowledge.words import normal

Kind = Literal["article", "qa", "document"]


class ArticleNotFound(NotFound):
    code = "ARTICLE_NOT_FOUND"
    text: ClassVar[Text] = {"en": "There is no such article.", "zh": "找不到该文章。"}


class StaleVersion(Conflict):
    """`version`: the article's now."""

    code = "STALE_VERSION"
    text: ClassVar[Text] = {
        "en": "Somebody has changed this article meanwhile (version {version}).",
        "zh": "文章已被他人修改（版本 {version}），请刷新后再试。",
    }


class SlugTaken(Conflict):
    """`slug`: the name another article of that shop and language has."""

    code = "SLUG_TAKEN"
    text: ClassVar[Text] = {"en": "Another article is named {slug}.", "zh": "已有文章使用标识 {slug}。"}


class OwnWork(Conflict):
    """Somebody else has to look at it: others are there who may publish."""

    code = "OWN_WORK"
    text: ClassVar[Text] = {
        "en": "You wrote this version. A colleague has to approve it.",
        "zh": "该版本由您编写，需由其他同事审核发布。",
    }


class DocumentText(Conflict):
    """What a document says is changed by another file."""

    code = "DOCUMENT_TEXT"
    text: ClassVar[Text] = {
        "en": "The text of a document comes from its file. Upload a new version of the file instead.",
        "zh": "文档正文来自文件，请上传新版本文件。",
    }


@dataclass(frozen=True, slots=True)
class Content:
    """What an author writes. An empty `slug` is made from the title."""

    lang: Locale
    title: str
    body: str
    slug: str = ""
    kind: Kind = "article"
    category: str = ""
    questions: list[str] = field(default_factory=list)
    tags: list[str] = field(default_factory=list)


def slug_of(title: str) -> str:
    """`how-to-return` of "How to return?"; a random one for a title without Latin letters."""
    words = re.findall(r"[a-z0-9]+", normal(title))
    return "-".join(words)[:80].strip("-") or new_id("a")[:14].replace("_", "-")


async def create_article(tx: AsyncSession, shop: str, content: Content, by: str) -> Article:
    """A draft. `by`: the author's id. Raises SlugTaken."""
    article = _new(shop, content, Status.DRAFT, by)
    tx.add(article)
    await _flush(tx, article.slug)
    await tx.execute(insert(ArticleVersion), [_version_row(article)])
    audit(tx, "article.created", ("article", article.id), after={"shop": shop, **asdict(content)})
    return article


async def change_article(
    tx: AsyncSession, article_id: str, version: int | None, changes: dict[str, Any], by: str
) -> Article:
    """Give fields of `Content` (not its language) new values; a new version unless all are as before.

    It is a draft: what was public stays public as it was. `version` None: whichever is there. Raises ArticleNotFound,
    StaleVersion, SlugTaken.
    """
    article = await locked(tx, article_id, version)
    before = fields(article, *changes)
    if not _apply(article, changes):
        return article
    article.status = moved(Status(article.status), Move.EDIT)
    article.author, article.note = by, ""
    audit(tx, "article.changed", ("article", article_id), before, changes)
    await _flush(tx, article.slug)
    await tx.execute(insert(ArticleVersion), [_version_row(article)])
    return article


async def rewrite_article(tx: AsyncSession, article_id: str, version: int, changes: dict[str, Any], by: str) -> Article:
    """`change_article` for whoever writes. Raises what that raises, and DocumentText."""
    if changes.keys() & {"body", "kind"}:
        article = await locked(tx, article_id, version)
        if article.kind == "document":
            raise DocumentText
    return await change_article(tx, article_id, version, changes, by)


async def submit_article(tx: AsyncSession, article_id: str, version: int) -> Article:
    """Ask for somebody's approval. Raises ArticleNotFound, StaleVersion, InvalidStatus."""
    return await _move(tx, await locked(tx, article_id, version), Move.SUBMIT, "article.submitted")


async def send_back(tx: AsyncSession, article_id: str, version: int, reason: str) -> Article:
    """Not yet: the author reads why. Raises ArticleNotFound, StaleVersion, InvalidStatus."""
    article = await locked(tx, article_id, version)
    article.note = reason
    return await _move(tx, article, Move.SEND_BACK, "article.sent_back")


async def publish_article(tx: AsyncSession, article_id: str, version: int, by: str) -> Article:
    """Let visitors and search see it: the one way there for whatever anybody writes.

    Raises ArticleNotFound, StaleVersion, InvalidStatus, OwnWork.
    """
    article = await locked(tx, article_id, version)
    if article.author == by and article.public_version != version and await _has_other_editors(tx, by):
        raise OwnWork
    article.public_version, article.published_at, article.note = version, now_ms(), ""
    await _move(tx, article, Move.PUBLISH, "article.published")
    await tx.execute(
        update(ArticleVersion)
        .where(ArticleVersion.article_id == article_id, ArticleVersion.version == version)
        .values(public_at=article.published_at)
    )
    await reindex(tx, article.shop, [article])
    return article


async def archive_article(tx: AsyncSession, article_id: str, version: int) -> Article:
    """Take it away from visitors and search, with whatever draft is beside it.

    Raises ArticleNotFound, StaleVersion, InvalidStatus: what was never public is no more than a draft.
    """
    article = await locked(tx, article_id, version)
    if article.public_version is None:
        raise InvalidStatus(status=article.status)
    article.public_version = None
    await _move(tx, article, Move.ARCHIVE, "article.archived")
    await reindex(tx, article.shop, [article])
    return article


async def _move(tx: AsyncSession, article: Article, move: Move, action: str) -> Article:
    """Raises InvalidStatus, which undoes what the caller has changed."""
    before = fields(article, "status")
    article.status = moved(Status(article.status), move)
    article.updated_at = now_ms()
    after = fields(article, "status") | ({"reason": article.note} if article.note else {})
    audit(tx, action, ("article", article.id), before, after)
    await tx.flush()
    return article


async def _has_other_editors(tx: AsyncSession, agent_id: str) -> bool:
    """Whether anybody else on the team may publish."""
    others = await tx.scalars(select(Agent).where(Agent.is_active, Agent.id != agent_id))
    return any("knowledge.publish" in one.permissions for one in others)


async def delete_draft(tx: AsyncSession, article_id: str) -> None:
    """Raises ArticleNotFound, InvalidStatus: what visitors may have been told stays, as archived."""
    article = await locked(tx, article_id, None)
    if article.status != Status.DRAFT or article.published_at is not None:
        raise InvalidStatus(status=article.status)
    audit(tx, "article.deleted", ("article", article_id), before=fields(article, "shop", "lang", "slug", "title"))
    await tx.delete(article)
    await tx.flush()


async def put_published(tx: AsyncSession, shop: str, contents: Sequence[Content]) -> int:
    """Create or change published articles, found by language and slug, and say how many changed.

    A repeat changes nothing.
    """
    named = select(Article).where(Article.shop == shop, Article.slug.in_({content.slug for content in contents}))
    known = {(one.lang, one.slug): one for one in (await tx.execute(named)).scalars()}
    changed: list[Article] = []
    for content in contents:
        article = known.get((content.lang, content.slug))
        if article is None:
            article = _new(shop, content, Status.PUBLISHED)
            tx.add(article)
        elif not _apply(article, asdict(content)) and article.status == Status.PUBLISHED:
            continue
        article.status, article.public_version = Status.PUBLISHED.value, article.version
        article.published_at = article.published_at or article.updated_at
        changed.append(article)
    if changed:
        await tx.flush()
        await _put_versions(tx, changed)
        await reindex(tx, shop, changed)
    return len(changed)


async def _put_versions(tx: AsyncSession, articles: Sequence[Article]) -> None:
    """The rows of these articles' present versions, public; one that was drawn up as a draft is there already."""
    ids = [article.id for article in articles]
    query = select(ArticleVersion.article_id, ArticleVersion.version).where(ArticleVersion.article_id.in_(ids))
    there = {(article_id, version) for article_id, version in await tx.execute(query)}
    rows = [_version_row(article) for article in articles]
    new = [row for row in rows if (row["article_id"], row["version"]) not in there]
    if new:
        await tx.execute(insert(ArticleVersion), new)
    for row in rows:
        if row not in new:
            await tx.execute(
                update(ArticleVersion)
                .where(ArticleVersion.article_id == row["article_id"], ArticleVersion.version == row["version"])
                .values(public_at=row["public_at"])
            )


def _new(shop: str, content: Content, status: Status, author: str = "") -> Article:
    now = now_ms()
    return Article(
        **asdict(content) | {"slug": content.slug or slug_of(content.title)},
        id=new_id("art"),
        shop=shop,
        status=status.value,
        version=1,
        created_at=now,
        updated_at=now,
        published_at=now if status is Status.PUBLISHED else None,
        public_version=1 if status is Status.PUBLISHED else None,
        author=author,
        note="",
    )


def _apply(article: Article, changes: dict[str, Any]) -> bool:
    """Whether anything is new; if so it is the next version."""
    new = {name: value for name, value in changes.items() if getattr(article, name) != value}
    for name, value in new.items():
        setattr(article, name, value)
    if new:
        article.version += 1
        article.updated_at = now_ms()
    return bool(new)


def _version_row(article: Article) -> dict[str, Any]:
    return {
        "article_id": article.id,
        "version": article.version,
        "title": article.title,
        "body": article.body,
        "at": article.updated_at,
        "public_at": article.updated_at if article.status == Status.PUBLISHED else None,
        "author": article.author,
    }


async def locked(tx: AsyncSession, article_id: str, version: int | None) -> Article:
    """Raises ArticleNotFound, and StaleVersion unless `version` is the one that is there, or None."""
    query = select(Article).where(Article.id == article_id).with_for_update()
    article = (await tx.execute(query)).scalar_one_or_none()
    if article is None:
        raise ArticleNotFound
    if version is not None and article.version != version:
        raise StaleVersion(version=article.version)
    return article


async def _flush(tx: AsyncSession, slug: str) -> None:
    try:
        await tx.flush()
    except IntegrityError:
        raise SlugTaken(slug=slug) from None
