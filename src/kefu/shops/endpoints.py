"""Shops over HTTP: whether people serve now, and the hours that say so."""

from datetime import date
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Path, Query, Request
from pydantic import BaseModel, ConfigDict, Field

from kefu.accounts.identity import AgentIdentity, allowed, anyone
from kefu.kit.addresses import EmailAddress
from kefu.kit.clock import iso, now_ms
from kefu.kit.i18n import Text
from kefu.kit.web import caller_locale
from kefu.shops import service
from kefu.shops.hours import DayPreview, Hours, Interval, closing, is_open, next_opening, preview
from kefu.shops.models import SHOP_ID, Shop

router = APIRouter(tags=["shops"])

ShopInPath = Annotated[str, Path(pattern=SHOP_ID)]
ShopInQuery = Annotated[str | None, Query(pattern=SHOP_ID)]
Reader = Annotated[AgentIdentity, Depends(allowed("shops.read"))]
Writer = Annotated[AgentIdentity, Depends(allowed("shops.write"))]
MESSAGES: dict[bool, Text] = {
    True: {"en": "Our team is online", "zh": "人工客服在线"},
    False: {"en": "We are outside service hours", "zh": "当前为非工作时间"},
}


class ShopRef(BaseModel):
    id: str
    name: Text
    is_default: bool


class ShopList(BaseModel):
    success: Literal[True] = True
    data: list[ShopRef]


class ShiftConfig(BaseModel):
    """`week` and `special` say all; `shift_start` and `shift_end` are of the first day that has hours."""

    shift_start: str
    shift_end: str
    timezone: str
    weekends_disabled: bool
    holidays: list[date]
    is_in_shift: bool
    week: list[Any]
    special: dict[date, Any]


class ShiftConfigData(BaseModel):
    success: Literal[True] = True
    data: ShiftConfig


class IntervalOut(BaseModel):
    """ISO 8601, UTC."""

    opens: str
    closes: str


class ShiftStatus(BaseModel):
    """`next_opening` is null while it is open, and when it stays closed for a year; `closes_at` while it is closed."""

    is_in_shift: bool
    message: str
    shift_hours: str
    timezone: str
    next_opening: str | None
    closes_at: str | None
    today: list[IntervalOut]


class ShiftStatusData(BaseModel):
    success: Literal[True] = True
    data: ShiftStatus


class DayOut(BaseModel):
    """A local day, as instants: 23 or 25 hours long where the clock changes."""

    day: date
    starts: str
    ends: str
    open: list[IntervalOut]
    is_special: bool


class HoursOut(BaseModel):
    """`is_default`: the shop has set none, and the settings decide. `mail_ready`: a mail server is set up.

    `default_mail_to` hear of after-hours messages when `mail_to` is empty.
    """

    shop: str
    hours: Hours
    is_default: bool
    mail_to: list[str]
    default_mail_to: list[str]
    mail_ready: bool
    version: int
    preview: list[DayOut]


class HoursData(BaseModel):
    success: Literal[True] = True
    data: HoursOut


class PutHours(BaseModel):
    """`hours` null: as the settings say. `version`: of what the writer saw."""

    model_config = ConfigDict(extra="ignore")

    hours: Hours | None
    mail_to: Annotated[list[EmailAddress], Field(max_length=20)] = []
    version: Annotated[int, Field(ge=0, le=2**31 - 1)]


class PreviewData(BaseModel):
    success: Literal[True] = True
    data: list[DayOut]


@router.get("/api/shops")
async def list_shops(request: Request, _: Reader) -> ShopList:
    async with request.app.state.db.read() as tx:
        shops = await service.all_shops(tx)
    return ShopList(data=[ShopRef(id=one.id, name=one.name, is_default=one.is_default) for one in shops])


@router.get("/api/shift/config", dependencies=[Depends(anyone)])
async def shift_config(request: Request, shop: ShopInQuery = None) -> ShiftConfigData:
    hours = await _hours_of(request, shop)
    spans = next((day for day in hours.week if day), [])
    config = ShiftConfig(
        shift_start=spans[0].opens if spans else "00:00",
        shift_end=spans[-1].closes if spans else "00:00",
        timezone=hours.timezone,
        weekends_disabled=not hours.week[5] and not hours.week[6],
        holidays=sorted(day for day, spans in hours.special.items() if not spans),
        is_in_shift=is_open(hours, now_ms()),
        week=hours.model_dump()["week"],
        special=hours.model_dump()["special"],
    )
    return ShiftConfigData(data=config)


@router.get("/api/shift/status", dependencies=[Depends(anyone)])
async def shift_status(request: Request, shop: ShopInQuery = None) -> ShiftStatusData:
    """Whether people serve now, and if not, when again."""
    hours, now = await _hours_of(request, shop), now_ms()
    (today,) = preview(hours, now, days=1)
    spans = hours.on(today.day) or next((day for day in hours.week if day), [])
    closes, opens = closing(hours, now), next_opening(hours, now)
    status = ShiftStatus(
        is_in_shift=closes is not None,
        message=MESSAGES[closes is not None][caller_locale(request)],
        shift_hours=", ".join(f"{span.opens} - {span.closes}" for span in spans),
        timezone=hours.timezone,
        next_opening=iso(opens) if opens else None,
        closes_at=iso(closes) if closes else None,
        today=[_interval_out(one) for one in today.open],
    )
    return ShiftStatusData(data=status)


@router.get("/api/shops/{shop_id}/hours")
async def read_hours(request: Request, shop_id: ShopInPath, _: Reader) -> HoursData:
    """The shop's hours, with the next seven days."""
    async with request.app.state.db.read() as tx:
        shop = await service.find_shop(tx, shop_id)
    return _hours_data(request, shop)


@router.put("/api/shops/{shop_id}/hours")
async def put_hours(request: Request, shop_id: ShopInPath, body: PutHours, _: Writer) -> HoursData:
    """Of two who change what they saw at the same time one is told so: 409 HOURS_CHANGED with what is there now."""
    async with request.app.state.db.write() as tx:
        shop = await service.put_hours(tx, shop_id, body.hours, list(body.mail_to), body.version)
    return _hours_data(request, shop)


@router.post("/api/shops/{shop_id}/hours/preview")
async def preview_hours(request: Request, shop_id: ShopInPath, body: Hours, _: Reader) -> PreviewData:
    """The next seven days as they would be with these hours."""
    async with request.app.state.db.read() as tx:
        await service.find_shop(tx, shop_id)
    return PreviewData(data=[_day_out(day) for day in preview(body, now_ms())])


async def _hours_of(request: Request, shop_id: str | None) -> Hours:
    async with request.app.state.db.read() as tx:
        shop = await service.find_shop(tx, shop_id)
    return service.hours_of(shop, request.app.state.hours)


def _hours_data(request: Request, shop: Shop) -> HoursData:
    state = request.app.state
    hours = service.hours_of(shop, state.hours)
    found = HoursOut(
        shop=shop.id,
        hours=hours,
        is_default=shop.hours is None,
        mail_to=shop.mail_to,
        default_mail_to=state.settings.email_recipients,
        mail_ready=bool(state.settings.smtp_host and (state.settings.email_from or state.settings.smtp_username)),
        version=shop.hours_version,
        preview=[_day_out(day) for day in preview(hours, now_ms())],
    )
    return HoursData(data=found)


def _day_out(day: DayPreview) -> DayOut:
    spans = [_interval_out(one) for one in day.open]
    return DayOut(day=day.day, starts=iso(day.starts), ends=iso(day.ends), open=spans, is_special=day.is_special)


def _interval_out(one: Interval) -> IntervalOut:
    return IntervalOut(opens=iso(one.opens), closes=iso(one.closes))
