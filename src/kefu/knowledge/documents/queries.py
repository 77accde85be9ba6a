"""Questions about documents."""

from typing import Any

from sqlalchemy import select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession

from kefu.knowledge.documents.service import DocumentNotFound
from kefu.knowledge.models import Document


async def find_document(tx: AsyncSession, document_id: str) -> Document:
    """Raises DocumentNotFound."""
    document = await tx.get(Document, document_id)
    if document is None:
        raise DocumentNotFound
    return document


async def list_documents(
    tx: AsyncSession, where: dict[str, str], after: list[Any] | None, limit: int
) -> tuple[list[Document], list[Any] | None]:
    """One page, the last brought first, and the key of the next. Of `where`, columns by name, empty ones mean any."""
    query = select(Document).where(*(getattr(Document, name) == value for name, value in where.items() if value))
    if after:
        query = query.where(tuple_(Document.created_at, Document.id) < tuple_(*after))
    newest = query.order_by(Document.created_at.desc(), Document.id.desc()).limit(limit + 1)
    found = list(await tx.scalars(newest))
    page = found[:limit]
    return page, [page[-1].created_at, page[-1].id] if len(found) > limit else None
