"""When a shop is open: every rule against a reckoning minute by minute on the clocks of zoneinfo."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from kefu.kit.config import Settings
from kefu.shops.hours import Hours, closing, default_hours, is_open, next_opening, preview

MINUTE = 60_000
# Both changes of daylight saving in north and south, one by half an hour, and zones that have none.
DAYS = [date(2026, 3, 29), date(2026, 10, 25), date(2026, 4, 5), date(2026, 10, 4), date(2026, 11, 1), date(2026, 7, 1)]
ZONES = ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Shanghai", "UTC", "America/Santiago"]
TIMES = st.integers(0, 24 * 60 - 1) | st.integers(0, 3 * 60)


def clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"


@st.composite
def day_spans(draw: st.DrawFn) -> list[dict[str, str]]:
    """Up to three spans that do not overlap; the last may run over midnight."""
    times = sorted(draw(st.sets(TIMES, max_size=6)))
    spans = [{"opens": clock(a), "closes": clock(b)} for a, b in zip(times[::2], times[1::2], strict=False)]
    if len(times) % 2 and times[-1] > 0:
        spans.append({"opens": clock(times[-1]), "closes": clock(draw(st.integers(0, times[-1] - 1)))})
    return spans


@st.composite
def hours_and_day(draw: st.DrawFn) -> tuple[Hours, date]:
    day = draw(st.sampled_from(DAYS)) + timedelta(days=draw(st.integers(-1, 1)))
    special = draw(st.dictionaries(st.sampled_from([day + timedelta(days=n) for n in (-1, 0, 1)]), day_spans()))
    week = draw(st.lists(day_spans(), min_size=7, max_size=7))
    zone = draw(st.sampled_from(ZONES))
    return Hours.model_validate({"timezone": zone, "week": week, "special": special}), day


def reckoned(hours: Hours, day: date) -> dict[int, bool]:
    """For each minute around the day whether the shop is open: the clock is read every minute, nothing is computed."""
    zone = ZoneInfo(hours.timezone)
    start = datetime(day.year, day.month, day.day, tzinfo=UTC) - timedelta(days=3)
    minutes = [start + timedelta(minutes=n) for n in range(6 * 24 * 60)]
    read = [(int(one.timestamp()) * 1000, one.astimezone(zone).replace(tzinfo=None)) for one in minutes]
    open_at = {at: False for at, _ in read}
    for near in (day + timedelta(days=n) for n in range(-2, 2)):
        for span in hours.on(near):
            midnight = datetime(near.year, near.month, near.day)  # noqa: DTZ001 - what the clock shows
            opens, closes = (midnight + timedelta(minutes=m) for m in span.minutes)
            first = next(at for at, local in read if local >= opens)
            last = max(at for at, local in read if local < closes)
            open_at |= {at: True for at, _ in read if first <= at <= last}
    return open_at


@settings(max_examples=30, deadline=None, derandomize=True, database=None)
@given(hours_and_day())
def test_it_is_open_when_the_clock_on_the_wall_says_so(given: tuple[Hours, date]) -> None:
    hours, day = given
    expected = reckoned(hours, day)
    noon = int(datetime(day.year, day.month, day.day, 12, tzinfo=UTC).timestamp()) * 1000
    minutes = range(noon - 18 * 60 * MINUTE, noon + 18 * 60 * MINUTE, MINUTE)
    shown = dict.fromkeys(minutes, False)
    for one in (one for shown_day in preview(hours, noon - 24 * 60 * MINUTE, 3) for one in shown_day.open):
        shown |= {at: True for at in minutes if one.opens <= at < one.closes}
    assert shown == {at: expected[at] for at in minutes}
    for at in (*minutes[:: 7 * 60], *(at for at in minutes if expected[at] != expected[at - MINUTE])):
        assert is_open(hours, at) == expected[at]
        later = next((then for then in minutes if then > at and expected[then]), None)
        if not expected[at] and later:
            assert next_opening(hours, at) == later
        ends = next((then for then in minutes if then > at and not expected[then]), None)
        if expected[at] and ends:
            assert closing(hours, at) == ends


def hours_in(zone: str, *spans: tuple[str, str], special: dict[str, list[object]] | None = None) -> Hours:
    day = [{"opens": opens, "closes": closes} for opens, closes in spans]
    return Hours.model_validate({"timezone": zone, "week": [day] * 7, "special": special or {}})


def at(zone: str, *when: int, fold: int = 0) -> int:
    local = datetime(*when, tzinfo=ZoneInfo(zone), fold=fold)  # type: ignore[arg-type,misc]  # mypy counts no starred numbers
    return int(local.timestamp()) * 1000


def test_a_time_that_is_left_out_means_the_jump_and_one_that_comes_twice_is_served_twice() -> None:
    berlin = "Europe/Berlin"
    spring = preview(hours_in(berlin, ("02:30", "05:00")), at(berlin, 2026, 3, 29, 12), 1)[0]
    assert [(one.opens, one.closes) for one in spring.open] == [
        (at(berlin, 2026, 3, 29, 3), at(berlin, 2026, 3, 29, 5))
    ]
    assert preview(hours_in(berlin, ("02:00", "03:00")), at(berlin, 2026, 3, 29, 12), 1)[0].open == []
    autumn = preview(hours_in(berlin, ("01:00", "02:30")), at(berlin, 2026, 10, 25, 12), 1)[0]
    twice = at(berlin, 2026, 10, 25, 2, 30, fold=1)
    assert [(one.opens, one.closes) for one in autumn.open] == [(at(berlin, 2026, 10, 25, 1), twice)]
    assert [(day.ends - day.starts) // 3_600_000 for day in (spring, autumn)] == [23, 25]


def test_a_span_over_midnight_is_served_although_the_next_day_is_a_holiday() -> None:
    shanghai = "Asia/Shanghai"
    hours = hours_in(shanghai, ("20:00", "02:00"), special={"2026-10-01": []})
    assert is_open(hours, at(shanghai, 2026, 10, 1, 1, 59))
    assert not is_open(hours, at(shanghai, 2026, 10, 1, 2))
    assert next_opening(hours, at(shanghai, 2026, 10, 1, 2)) == at(shanghai, 2026, 10, 2, 20)


def test_round_the_clock_never_closes_and_a_shop_without_hours_never_opens() -> None:
    now = at("UTC", 2026, 11, 27, 12)
    ends = closing(hours_in("UTC", ("00:00", "24:00")), now)
    assert ends is not None
    assert ends > now + 6 * 24 * 60 * MINUTE
    assert (closing(hours_in("UTC"), now), next_opening(hours_in("UTC"), now)) == (None, None)


def test_the_settings_are_the_hours_of_a_shop_that_has_none() -> None:
    day = {"human_shift_start": "09:00", "human_shift_end": "18:00"}
    given = Settings.model_validate(day | {"weekends_disabled": True, "holidays": "2026-12-25"})
    hours, shanghai = default_hours(given), "Asia/Shanghai"
    assert [is_open(hours, at(shanghai, *when)) for when in ((2026, 11, 27, 9), (2026, 11, 27, 18))] == [True, False]
    assert not is_open(hours, at(shanghai, 2026, 11, 28, 12))
    assert not is_open(hours, at(shanghai, 2026, 12, 25, 12))
    whole_day = default_hours(Settings(human_shift_end="23:59"))
    assert is_open(whole_day, at(shanghai, 2026, 11, 28, 23, 59) + 59_000)


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        ({"timezone": "Mars/Olympus"}, "unknown_zone"),
        ({"week": [[]] * 6}, "too_short"),
        ({"week": [[{"opens": "9:00", "closes": "10:00"}], *[[]] * 6]}, "string_pattern_mismatch"),
        ({"week": [[{"opens": "09:00", "closes": "09:00"}], *[[]] * 6]}, "empty_span"),
        (
            {"week": [[{"opens": "09:00", "closes": "12:00"}, {"opens": "11:59", "closes": "13:00"}], *[[]] * 6]},
            "overlap",
        ),
        ({"special": {"2026-02-30": []}}, "date_from_datetime_parsing"),
    ],
)
def test_wrong_hours_are_refused_with_what_is_wrong(wrong: dict[str, object], error: str) -> None:
    with pytest.raises(ValidationError) as refused:
        Hours.model_validate({"timezone": "UTC", "week": [[]] * 7} | wrong)
    assert [one["type"] for one in refused.value.errors()] == [error]
