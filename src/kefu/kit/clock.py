"""The one place that reads the clock. Times inside Kefu are whole milliseconds since 1970, UTC."""

import time
from datetime import UTC, datetime
from functools import cache
from typing import NewType
from zoneinfo import ZoneInfo, available_timezones

Ms = NewType("Ms", int)


def now_ms() -> Ms:
    """Milliseconds since 1970-01-01 UTC."""
    return Ms(time.time_ns() // 1_000_000)


@cache
def time_zones() -> frozenset[str]:
    """The names of all; looking for them means opening hundreds of files."""
    return frozenset(available_timezones())


def start_of_day(at: int, zone: str) -> Ms:
    """The midnight at which the day of `at` began in that time zone."""
    day = datetime.fromtimestamp(at / 1000, ZoneInfo(zone)).replace(hour=0, minute=0, second=0, microsecond=0)
    return Ms(int(day.timestamp() * 1000))


def iso(at: int) -> str:
    """`2026-11-20T12:00:00.123Z`, the form of every new shape of the API."""
    return datetime.fromtimestamp(at / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{at % 1000:03d}Z"


def ms_of(written: str) -> Ms:
    """Of a time as `iso` writes it. Raises ValueError."""
    return Ms(round(datetime.fromisoformat(written).timestamp() * 1000))


def unix_seconds(at: int | None) -> float | None:
    """Float seconds, the form of the older shapes of the API."""
    return None if at is None else at / 1000
