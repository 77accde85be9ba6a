"""Documents over HTTP: brought up, watched while they are read, and let go."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Request
from sqlalchemy.ext.asyncio import AsyncSession

from kefu.accounts.identity import AgentIdentity, allowed
from kefu.files.form import FORM, one_file
from kefu.kit.pages import from_cursor, to_cursor
from kefu.kit.web import Done, address_of, caller_locale
from kefu.knowledge.documents import queries, service
from kefu.knowledge.documents import schemas as shapes
from kefu.knowledge.documents.kinds import LIMIT_MB, document_kind
from kefu.knowledge.documents.refusals import DocumentEmpty
from kefu.shops.service import find_shop

router = APIRouter(tags=["knowledge"])

Reader = Annotated[AgentIdentity, Depends(allowed("knowledge.read"))]
Author = Annotated[AgentIdentity, Depends(allowed("knowledge.write"))]
DocumentId = Annotated[str, Path(pattern=r"^[A-Za-z0-9_\-]{1,40}$")]


@router.post("/api/knowledge/documents", status_code=201, openapi_extra=FORM)
async def upload_document(
    request: Request, target: Annotated[shapes.DocumentTarget, Query()], agent: Author
) -> shapes.DocumentData:
    """A file that shall become a draft, or the next version of a document: multipart, its part named `file`.

    It is read afterwards. 409 DOCUMENT_EXISTS names the one of the shop that holds the very same.
    """
    state = request.app.state
    await state.limits.take("document", agent=agent.id, address=address_of(request))
    async with state.db.read() as tx:  # what goes nowhere need not be sent first
        shop = await _shop_of(tx, target)
    async with one_file(request, min(LIMIT_MB, state.files.most_mb)) as given:
        if not given.size:
            raise DocumentEmpty
        kept = await state.files.keep(given.file, given.filename or "", document_kind)
    async with state.db.write() as tx:
        shop = await _shop_of(tx, target)
        document = await service.add_document(tx, shop, target.article, kept, agent.id)
    return shapes.DocumentData(data=shapes.document_out(document, caller_locale(request)))


async def _shop_of(tx: AsyncSession, target: shapes.DocumentTarget) -> str:
    """Raises ShopNotFound, ArticleNotFound, NotADocument."""
    if target.article is not None:
        return (await service.check_target(tx, target.article)).shop
    return (await find_shop(tx, target.shop)).id


@router.get("/api/knowledge/documents")
async def list_documents(
    request: Request, query: Annotated[shapes.DocumentQuery, Query()], _: Reader
) -> shapes.DocumentPageData:
    """The last brought first."""
    after = from_cursor(query.cursor, (int, str)) if query.cursor else None
    where = query.model_dump(include={"shop", "status", "article_id"})
    async with request.app.state.db.read() as tx:
        found, next_key = await queries.list_documents(tx, where, after, query.limit)
    out = [shapes.document_out(one, caller_locale(request)) for one in found]
    page = shapes.DocumentPage(documents=out, next_cursor=to_cursor(next_key) if next_key else None)
    return shapes.DocumentPageData(data=page)


@router.get("/api/knowledge/documents/{document_id}")
async def read_document(request: Request, document_id: DocumentId, _: Reader) -> shapes.DocumentData:
    """How far the reading is, and what came of it."""
    async with request.app.state.db.read() as tx:
        document = await queries.find_document(tx, document_id)
    return shapes.DocumentData(data=shapes.document_out(document, caller_locale(request)))


@router.delete("/api/knowledge/documents/{document_id}")
async def delete_document(request: Request, document_id: DocumentId, _: Author) -> Done:
    """Only the file goes: the article it became stays."""
    async with request.app.state.db.write() as tx:
        await service.delete_document(tx, document_id)
    return Done()
