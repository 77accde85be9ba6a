"""When people serve a shop: weekly hours, days of their own, a time zone. Pure; instants are ms since 1970.

A span of local times becomes an interval of instants by one rule: it begins at the first instant whose local time is
`opens` or later, and ends behind the last instant whose local time is before `closes`. So where the clock jumps ahead a
time that is left out means the jump, and where it runs back a shop stays open through the hour that comes twice.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints
from pydantic_core import PydanticCustomError

from kefu.kit.clock import time_zones
from kefu.kit.config import Settings

DAY = 24 * 60
SPANS_A_DAY = 8
SPECIAL_DAYS = 400
# Longer than any row of closed days: whoever opens at all opens within it.
HORIZON_DAYS = 400
Time = Annotated[str, StringConstraints(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$|^24:00$")]


def _minutes(time: str) -> int:
    hours, minutes = time.split(":")
    return int(hours) * 60 + int(minutes)


class Span(BaseModel):
    """Local times of a day, `closes` not included. One that closes no later than it opens runs over midnight."""

    model_config = ConfigDict(frozen=True)

    opens: Time
    closes: Time

    @property
    def minutes(self) -> tuple[int, int]:
        """From the day's midnight; the second one above DAY when it runs over."""
        opens, closes = _minutes(self.opens), _minutes(self.closes)
        return opens, closes if closes > opens else closes + DAY


def _in_order(spans: list[Span]) -> list[Span]:
    for span in spans:
        if span.opens in {span.closes, "24:00"}:
            raise PydanticCustomError("empty_span", "opens and closes at the same time")
    spans = sorted(spans, key=lambda span: span.minutes)
    for before, after in pairwise(spans):
        if after.minutes[0] < before.minutes[1]:
            raise PydanticCustomError("overlap", "spans overlap")
    return spans


def _known_zone(name: str) -> str:
    if name not in time_zones():
        raise PydanticCustomError("unknown_zone", "not a time zone")
    return name


Day = Annotated[list[Span], Field(max_length=SPANS_A_DAY), AfterValidator(_in_order)]


class Hours(BaseModel):
    """`week`: the spans of each day, Monday first. `special`: days with spans of their own; none: closed that day.

    A span belongs to the day on which it opens: Friday's that runs over midnight is served although Saturday is closed.
    """

    model_config = ConfigDict(frozen=True)

    timezone: Annotated[str, StringConstraints(max_length=60), AfterValidator(_known_zone)]
    week: Annotated[list[Day], Field(min_length=7, max_length=7)]
    special: Annotated[dict[date, Day], Field(max_length=SPECIAL_DAYS)] = Field(default_factory=dict)

    def on(self, day: date) -> list[Span]:
        return self.special.get(day, self.week[day.weekday()])


@dataclass(frozen=True, slots=True)
class Interval:
    """`closes` is not included."""

    opens: int
    closes: int


@dataclass(frozen=True, slots=True)
class DayPreview:
    """A local day from `starts` to `ends` (23 or 25 hours where the clock changes) and when the shop is open in it."""

    day: date
    starts: int
    ends: int
    open: list[Interval]
    is_special: bool


def is_open(hours: Hours, at: int) -> bool:
    return closing(hours, at) is not None


def closing(hours: Hours, at: int) -> int | None:
    """When the opening that holds `at` ends; None when the shop is closed then.

    A shop that never closes has its end beyond eight days.
    """
    return next((one.closes for one in _intervals(hours, at, 8) if one.opens <= at < one.closes), None)


def next_opening(hours: Hours, at: int) -> int | None:
    """The first moment after `at` at which the shop is open; None when it is open now, or stays closed for a year."""
    for days in (8, HORIZON_DAYS):
        for one in _intervals(hours, at, days):
            if at < one.closes:
                return one.opens if at < one.opens else None
    return None


def preview(hours: Hours, at: int, days: int = 7) -> list[DayPreview]:
    """The local days from the one that holds `at`."""
    zone, found = ZoneInfo(hours.timezone), _intervals(hours, at, days + 1)
    first = _local(at, zone).date()
    shown = []
    for day in (first + timedelta(days=n) for n in range(days)):
        starts, ends = _first_at(_midnight(day), zone), _first_at(_midnight(day + timedelta(days=1)), zone)
        inside = [Interval(max(one.opens, starts), min(one.closes, ends)) for one in found]
        spans = [one for one in inside if one.opens < one.closes]
        shown.append(DayPreview(day, starts, ends, spans, day in hours.special))
    return shown


def _intervals(hours: Hours, at: int, days: int) -> list[Interval]:
    """What opens from the day before `at` for so many days, in order; what touches is one."""
    zone = ZoneInfo(hours.timezone)
    yesterday = _local(at, zone).date() - timedelta(days=1)
    joined: list[Interval] = []
    found = [one for n in range(days + 1) for one in _of_day(hours, yesterday + timedelta(days=n), zone)]
    for one in sorted(found, key=lambda interval: interval.opens):
        if joined and one.opens <= joined[-1].closes:
            joined[-1] = Interval(joined[-1].opens, max(joined[-1].closes, one.closes))
        else:
            joined.append(one)
    return joined


def _of_day(hours: Hours, day: date, zone: ZoneInfo) -> Iterator[Interval]:
    for span in hours.on(day):
        opens, closes = (_midnight(day) + timedelta(minutes=minute) for minute in span.minutes)
        interval = Interval(_first_at(opens, zone), _behind_last_before(closes, zone))
        if interval.opens < interval.closes:
            yield interval


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day)  # noqa: DTZ001 - a local time; its zone is applied by the callers


def _local(at: int, zone: ZoneInfo) -> datetime:
    return datetime.fromtimestamp(at / 1000, zone)


def _first_at(local: datetime, zone: ZoneInfo) -> int:
    """The first instant whose local time is `local` or later."""
    return _instant(local, zone, fold=0)


def _behind_last_before(local: datetime, zone: ZoneInfo) -> int:
    """The end of the last instant whose local time is before `local`."""
    return _instant(local, zone, fold=1)


def _instant(local: datetime, zone: ZoneInfo, fold: int) -> int:
    """Of a time that comes twice the first (`fold` 0) or the second; of one that is left out the jump over it."""
    before, after = (_utc(local, zone, which) for which in (1, 0))
    if before < after and _local(after, zone).replace(tzinfo=None) != local:
        return _jump(before, after, zone)
    return _utc(local, zone, fold)


def _utc(local: datetime, zone: ZoneInfo, fold: int) -> int:
    return int(local.replace(tzinfo=zone, fold=fold).astimezone(UTC).timestamp()) * 1000


def _jump(before: int, after: int, zone: ZoneInfo) -> int:
    """The instant between the two at which the clock jumps ahead, to the second."""
    low, high = before // 1000, after // 1000
    end = _local(after, zone).utcoffset()
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if _local(middle * 1000, zone).utcoffset() == end else (middle, high)
    return high * 1000


def default_hours(settings: Settings) -> Hours:
    """What holds for a shop that has set none. An end of 23:59 means the whole last minute, as it used to."""
    closes = "24:00" if settings.human_shift_end == "23:59" else settings.human_shift_end
    day = [{"opens": settings.human_shift_start, "closes": closes}]
    weekend: list[Any] = [] if settings.weekends_disabled else day
    return Hours.model_validate(
        {
            "timezone": settings.timezone,
            "week": [*[day] * 5, weekend, weekend],
            "special": {day: [] for day in settings.holidays},
        }
    )
