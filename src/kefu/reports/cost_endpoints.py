"""What models have cost, over HTTP."""

from dataclasses import asdict
from datetime import date, datetime, timedelta
from typing import Annotated, Any, ClassVar
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response, StreamingResponse
from pydantic import BaseModel, Field, StringConstraints

from kefu.accounts.identity import AgentIdentity, allowed
from kefu.kit.clock import now_ms
from kefu.kit.errors import Invalid
from kefu.kit.i18n import Locale, Text
from kefu.kit.web import Done, caller_locale
from kefu.reports.costs import Used, costs, csv_of

router = APIRouter(tags=["reports"])

Reader = Annotated[AgentIdentity, Depends(allowed("stats.read"))]
USUAL_DAYS = 30
MOST_DAYS = 366
FILE: dict[int | str, dict[str, Any]] = {200: {"description": "The file", "content": {"text/csv": {"schema": {}}}}}


class BadDays(Invalid):
    code = "BAD_DAYS"
    text: ClassVar[Text] = {
        "en": "The first day must not be after the last, nor more than {most} days before it.",
        "zh": "开始日期不能晚于结束日期，且跨度不能超过 {most} 天。",
    }


class CostQuery(BaseModel):
    """`shop`: of that shop alone; of all without it.

    Days of the installation's time zone, both inclusive; without them the last 30.
    """

    shop: Annotated[str, StringConstraints(pattern=r"^([a-z0-9][a-z0-9\-]{0,39})?$")] = ""
    first: date | None = Field(None, alias="from")
    last: date | None = Field(None, alias="to")

    def days(self, zone: str) -> tuple[date, date]:
        """Raises BadDays."""
        last = self.last or datetime.fromtimestamp(now_ms() / 1000, ZoneInfo(zone)).date()
        first = self.first or date.fromordinal(max(1, last.toordinal() - USUAL_DAYS + 1))
        if not timedelta(0) <= last - first < timedelta(days=MOST_DAYS):
            raise BadDays(most=MOST_DAYS)
        return first, last


class CostQueryForFile(CostQuery):
    locale: Locale | None = None


class UsedOut(BaseModel):
    """`cost` in US dollars, by the prices of the time of each call.

    `unpriced` calls are not in it: nobody had named a price. null when it is of those alone.
    """

    shop: str
    day: str
    provider: str
    model: str
    purpose: str
    calls: int
    tokens_in: int
    tokens_out: int
    cost: float | None
    unpriced: int


class Costs(BaseModel):
    first: str
    last: str
    used: list[UsedOut]


class CostsData(Done):
    data: Costs


@router.get("/api/reports/costs")
async def model_costs(request: Request, _: Reader, query: Annotated[CostQuery, Query()]) -> CostsData:
    """Tokens and money by shop, day, provider, model and purpose, in order of the days."""
    (first, last), found = await _asked(request, query)
    used = [UsedOut(**asdict(one)) for one in found]
    return CostsData(data=Costs(first=first.isoformat(), last=last.isoformat(), used=used))


@router.get("/api/reports/costs/file", response_class=Response, responses=FILE)
async def model_costs_file(request: Request, _: Reader, query: Annotated[CostQueryForFile, Query()]) -> Response:
    """The same as CSV."""
    (first, last), found = await _asked(request, query)
    headers = {"Content-Disposition": f'attachment; filename="costs.{first}.{last}.csv"', "Cache-Control": "no-store"}
    content = csv_of(found, query.locale or caller_locale(request))
    return StreamingResponse(content, media_type="text/csv; charset=utf-8", headers=headers)


async def _asked(request: Request, query: CostQuery) -> tuple[tuple[date, date], list[Used]]:
    state = request.app.state
    first, last = query.days(state.settings.timezone)
    async with state.db.read() as tx:
        return (first, last), await costs(tx, query.shop, first.isoformat(), last.isoformat())
