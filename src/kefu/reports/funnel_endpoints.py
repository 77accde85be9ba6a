"""The visitor funnel over HTTP: what browsers tell of it, and what came of it."""

from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response, StreamingResponse
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from kefu.accounts.identity import anyone
from kefu.kit.clock import now_ms
from kefu.kit.i18n import Locale
from kefu.kit.web import Done, caller_locale, caller_of
from kefu.reports import funnel as funnels
from kefu.reports.cost_endpoints import FILE, CostQuery, Reader
from kefu.shops.models import SHOP_ID
from kefu.shops.origins import LOCAL, ForeignOrigin
from kefu.shops.pages import CameFrom
from kefu.shops.service import find_shop

router = APIRouter(tags=["reports"])

MOST_TOLD = 20
MOST_SHOWN = 500


class SeenIn(CameFrom):
    stage: funnels.Stage


class Told(BaseModel):
    model_config = ConfigDict(extra="ignore")

    events: Annotated[list[SeenIn], Field(min_length=1, max_length=MOST_TOLD)]


class FunnelQuery(CostQuery):
    by: funnels.By = "page"


class FunnelCounts(BaseModel):
    """`impressions` and `opens` only of who agreed to be counted, the rest of all."""

    impressions: int
    opens: int
    sessions: int
    first_messages: int
    answered: int
    escalated: int
    rated: int
    closed: int


class FunnelQueryForFile(FunnelQuery):
    locale: Locale | None = None


class StepOut(FunnelCounts):
    """`key`: the page, the referrer, the day or the shop; "" for who did not agree to be counted."""

    shop: str
    key: str


class Funnel(BaseModel):
    """`steps`: at most 500, where most was seen first. `agreed`: what of the `total` is of who agreed to be counted."""

    first: str
    last: str
    by: funnels.By
    total: FunnelCounts
    agreed: FunnelCounts
    steps: list[StepOut]


class FunnelData(Done):
    data: Funnel


# Text, so that a browser need not ask first whether it may send it.
AS_TEXT: dict[str, Any] = {
    "requestBody": {"required": True, "content": {"text/plain": {"schema": {"type": "string"}}}},
}


@router.post("/api/funnel", status_code=202, dependencies=[Depends(anyone)], openapi_extra=AS_TEXT)
async def count_funnel(request: Request, shop: Annotated[str | None, Query(pattern=SHOP_ID)] = None) -> Done:
    """Where the chat was seen and opened, at most 20 times at once: `{events: [{stage, page, referrer}]}`.

    The body is JSON sent as text; `stage` is `impression` or `open`. Nothing says who it was, and a browser that asks
    not to be tracked is not counted. Not safe to repeat.
    """
    state, caller = request.app.state, caller_of(request)
    await state.limits.take("funnel", address=caller.address)
    await state.origins.refresh()
    if caller.page is not None and not _is_ours(request, caller.page, shop):
        raise ForeignOrigin
    try:
        told = Told.model_validate_json(await request.body())
    except ValidationError as wrong:
        raise RequestValidationError([{**one, "loc": ("body", *one["loc"])} for one in wrong.errors()]) from None
    if request.headers.get("sec-gpc") == "1" or request.headers.get("dnt") == "1":
        return Done()
    seen = [funnels.Seen(one.stage, one.page, one.referrer) for one in told.events]
    async with state.db.write() as tx:
        found = await find_shop(tx, shop)
        await funnels.count_seen(tx, found.id, funnels.day_of(now_ms(), state.settings.timezone), seen)
    return Done()


def _is_ours(request: Request, origin: str, shop: str | None) -> bool:
    """Whether it is a page of the shop, of our own, or, in development, any on this machine."""
    state = request.app.state
    is_own = origin.partition("://")[2] == request.headers.get("host")
    is_local = not state.settings.is_production and LOCAL.fullmatch(origin) is not None
    return bool(is_own or is_local or state.origins.holds(origin, shop))


@router.get("/api/reports/funnel")
async def read_funnel(request: Request, _: Reader, query: Annotated[FunnelQuery, Query()]) -> FunnelData:
    """How many saw the chat, opened it, wrote, were answered, asked for a person, rated and closed."""
    first, last = _days(request, query)
    async with request.app.state.db.read() as tx:
        steps = await funnels.funnel(tx, query.shop, first, last, query.by)
        total, agreed = (FunnelCounts(**asdict(one)) for one in await funnels.totals(tx, query.shop, first, last))
    shown = [StepOut(**asdict(one)) for one in steps[:MOST_SHOWN]]
    return FunnelData(data=Funnel(first=first, last=last, by=query.by, total=total, agreed=agreed, steps=shown))


@router.get("/api/reports/funnel/file", response_class=Response, responses=FILE)
async def funnel_file(request: Request, _: Reader, query: Annotated[FunnelQueryForFile, Query()]) -> Response:
    """All of its steps as CSV."""
    first, last = _days(request, query)
    async with request.app.state.db.read() as tx:
        steps = await funnels.funnel(tx, query.shop, first, last, query.by)
    headers = {"Content-Disposition": f'attachment; filename="funnel.{first}.{last}.csv"', "Cache-Control": "no-store"}
    content = funnels.csv_of(steps, query.by, query.locale or caller_locale(request))
    return StreamingResponse(content, media_type="text/csv; charset=utf-8", headers=headers)


def _days(request: Request, query: FunnelQuery) -> tuple[str, str]:
    first, last = query.days(request.app.state.settings.timezone)
    return first.isoformat(), last.isoformat()
