"""What crosses HTTP about documents. Times are ISO 8601 UTC."""

from typing import Annotated, Literal

from pydantic import BaseModel, Field, StringConstraints

from kefu.kit.clock import iso
from kefu.kit.i18n import Locale
from kefu.kit.web import Done
from kefu.knowledge.documents.refusals import in_words
from kefu.knowledge.models import Document
from kefu.knowledge.schemas import ShopId

DocumentStatus = Literal["waiting", "reading", "read", "refused"]


class DocumentError(BaseModel):
    """Why it was refused, in the caller's language."""

    code: str
    message: str


class DocumentOut(BaseModel):
    """`done` of `total`: pages, or bytes where a format has none; `total` is 0 until it is known.

    `article_id`: what it became once it is `read`.
    """

    id: str
    shop: str
    article_id: str | None
    article_version: int | None
    name: str
    media_type: str
    size: int
    status: DocumentStatus
    done: int
    total: int
    error: DocumentError | None
    created_at: str
    updated_at: str


class DocumentQuery(BaseModel):
    shop: ShopId | Literal[""] = ""
    status: DocumentStatus | Literal[""] = ""
    article_id: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_\-]{0,40}$")] = ""
    cursor: Annotated[str, StringConstraints(max_length=400)] = ""
    limit: Annotated[int, Field(ge=1, le=100)] = 50


class DocumentTarget(BaseModel):
    """`shop`: the default one when left out. `article`: the document of which this file is a new version."""

    shop: ShopId | None = None
    article: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_\-]{1,40}$")] | None = None


class DocumentData(Done):
    data: DocumentOut


class DocumentPage(BaseModel):
    documents: list[DocumentOut]
    next_cursor: str | None


class DocumentPageData(Done):
    data: DocumentPage


def document_out(document: Document, locale: Locale) -> DocumentOut:
    names = DocumentOut.model_fields.keys() - {"error", "created_at", "updated_at"}
    return DocumentOut(
        **{name: getattr(document, name) for name in names},
        error=DocumentError(code=document.code, message=in_words(document.code, locale)) if document.code else None,
        created_at=iso(document.created_at),
        updated_at=iso(document.updated_at),
    )
