"""Commands on documents, and the job that makes an article of one."""

import time
from dataclasses import asdict, dataclass
from datetime import timedelta
from pathlib import PurePath
from typing import Any, ClassVar

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession

from kefu.accounts.audit import audit, fields
from kefu.files.store import FileStore, Kept
from kefu.jobs.queue import Lane, Taken, Work, again, enqueue, finish, finish_alone
from kefu.kit.clock import now_ms
from kefu.kit.db import Database, is_sqlite
from kefu.kit.errors import Conflict, NotFound
from kefu.kit.i18n import Text
from kefu.kit.ids import new_id
from kefu.knowledge.documents.parser import parsed
from kefu.knowledge.documents.refusals import DocumentBroken, Refused
from kefu.knowledge.models import Article, Document
from kefu.knowledge.service import Content, change_article, create_article, locked, slug_of
from kefu.knowledge.words import language_of

# Of one process: the other places of the lane are for what is quick.
AT_ONCE = 1
PAUSE = timedelta(seconds=1)
SHOW_EVERY = 0.5  # seconds


class DocumentNotFound(NotFound):
    code = "DOCUMENT_NOT_FOUND"
    text: ClassVar[Text] = {"en": "There is no such document.", "zh": "找不到该文档。"}


class DocumentExists(Conflict):
    """`document_id`, `article_id` (null while it is read), `name`: of the one that holds the very same."""

    code = "DOCUMENT_EXISTS"
    text: ClassVar[Text] = {
        "en": "This shop has the very same file already: {name}.",
        "zh": "本店铺已有内容相同的文件：{name}。",
    }


class NotADocument(Conflict):
    code = "NOT_A_DOCUMENT"
    text: ClassVar[Text] = {
        "en": "This article was written here: a file cannot become its next version.",
        "zh": "该文章并非由文件生成，不能用文件更新。",
    }


@dataclass(frozen=True, slots=True)
class ReadDocument(Work):
    """Make an article, or its next version, of a file. Repeating it makes it once."""

    kind: ClassVar[str] = "read_document"
    lane: ClassVar[Lane] = "bulk"

    document: str


async def check_target(tx: AsyncSession, article_id: str) -> Article:
    """The article whose next version a file shall be, locked. Raises ArticleNotFound, NotADocument."""
    article = await locked(tx, article_id, None)
    if article.kind != "document":
        raise NotADocument
    return article


async def add_document(tx: AsyncSession, shop: str, article_id: str | None, kept: Kept, by: str) -> Document:
    """Have the file read. `article_id`: what it is a new version of. `by`: the id of who uploaded it.

    One that was refused before is read again. Raises DocumentExists: of two who bring the same, one wins.
    """
    now = now_ms()
    facts = {name: value for name, value in asdict(kept).items() if name not in {"width", "height"}}
    row = {**facts, "id": new_id("doc"), "shop": shop, "article_id": article_id, "status": "waiting"}
    row |= {"done": 0, "total": 0, "uploaded_by": by, "created_at": now, "updated_at": now}
    put = (sqlite if is_sqlite(tx) else postgresql).insert(Document).values(row)
    await tx.execute(put.on_conflict_do_nothing(index_elements=["shop", "sha256"]))
    there = select(Document).where(Document.shop == shop, Document.sha256 == kept.sha256).with_for_update()
    document = (await tx.execute(there)).scalar_one()
    if document.id != row["id"]:
        if document.status != "refused":
            raise DocumentExists(document_id=document.id, article_id=document.article_id, name=document.name)
        for name in ("name", "article_id", "status", "uploaded_by", "created_at", "updated_at"):
            setattr(document, name, row[name])
        document.code, document.done, document.total = None, 0, 0
    audit(tx, "document.uploaded", ("document", document.id), after=_told(document))
    await enqueue(tx, ReadDocument(document.id))
    return document


async def delete_document(tx: AsyncSession, document_id: str) -> None:
    """Let the file go; what it became stays, and so does what was quoted of it. Raises DocumentNotFound."""
    query = select(Document).where(Document.id == document_id).with_for_update()
    document = (await tx.execute(query)).scalar_one_or_none()
    if document is None:
        raise DocumentNotFound
    audit(tx, "document.deleted", ("document", document.id), before=_told(document))
    await tx.delete(document)


def _told(document: Document) -> dict[str, Any]:
    return fields(document, "shop", "name", "size", "article_id")


class DocumentReader:
    """Handles `ReadDocument`. At most AT_ONCE files are read at a time in one process; the others come back later."""

    def __init__(self, db: Database, store: FileStore) -> None:
        self._db = db
        self._store = store
        self._reading = 0

    async def __call__(self, job: Taken) -> None:
        if self._reading >= AT_ONCE:
            async with self._db.write() as tx:
                await again(tx, job, PAUSE)
            return
        self._reading += 1
        try:
            await self._read(job, ReadDocument(**job.payload).document)
        finally:
            self._reading -= 1

    async def _read(self, job: Taken, document_id: str) -> None:
        async with self._db.read() as tx:
            document = await tx.get(Document, document_id)
        if document is None:
            await finish_alone(self._db, job.id)
            return
        text, code = "", None
        try:
            place = self._store.path(document.sha256)
            text = await parsed(place, document.media_type, _Shown(self._db, document))
        except Refused as refused:
            code = refused.code
        except FileNotFoundError:
            code = DocumentBroken.code
        async with self._db.write() as tx:
            await _settle(tx, document_id, text, code)
            await finish(tx, job.id)


class _Shown:
    """Writes down how far the reading has come, not too often."""

    def __init__(self, db: Database, document: Document) -> None:
        self._db = db
        self._id = document.id
        self._at = 0.0

    async def __call__(self, done: int, total: int) -> None:
        if time.monotonic() - self._at < SHOW_EVERY:
            return
        self._at = time.monotonic()
        await self._db.execute(
            "UPDATE knowledge_documents SET status = 'reading', done = $1, total = $2 "
            "WHERE id = $3 AND status IN ('waiting', 'reading')",
            done,
            total,
            self._id,
        )


async def _settle(tx: AsyncSession, document_id: str, text: str, code: str | None) -> None:
    """Write down what came of it, unless that was done, or it was taken away, meanwhile."""
    query = select(Document).where(Document.id == document_id, Document.status.in_(("waiting", "reading")))
    document = (await tx.execute(query.with_for_update())).scalar_one_or_none()
    if document is None:
        return
    document.updated_at = now_ms()
    if code is None:
        article = await _article_of(tx, document, text)
        document.article_id, document.article_version, document.status = article.id, article.version, "read"
        document.done = document.total = document.total or document.size
    else:
        document.code, document.status = code, "refused"


async def _article_of(tx: AsyncSession, document: Document, text: str) -> Article:
    """A new draft, or the next version of what the file was meant for. The author is who brought it."""
    if document.article_id is not None:
        return await change_article(tx, document.article_id, None, {"body": text}, document.uploaded_by)
    title = PurePath(document.name).stem
    content = Content(
        lang=language_of(text, "en"),
        title=title,
        body=text,
        slug=f"{slug_of(title)[:70]}-{document.sha256[:8]}",
        kind="document",
    )
    return await create_article(tx, document.shop, content, document.uploaded_by)
