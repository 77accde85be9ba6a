"""The visitor funnel: seen, opened, first message, answered, escalated, rated, closed; by page, referrer, day, shop.

What only a browser knows comes from it (`count_seen`). The rest is read from the log (`follow_funnel`), so that no
browser's word, and no lost request, changes it; whoever did not agree to be counted has a session without a page.
"""

from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import Any, Literal
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, String, case, delete, func, literal_column, select, tuple_
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession

from kefu.jobs.queue import Taken, again
from kefu.kit.clock import now_ms
from kefu.kit.db import Database, is_sqlite
from kefu.kit.i18n import Locale, Text
from kefu.kit.spreadsheets import BOM, csv_row
from kefu.log.feed import Place, Placed, follow
from kefu.log.log import Entry
from kefu.reports.models import FunnelPage, FunnelSession
from kefu.sessions.fold import begins_episode
from kefu.sessions.marks import Overtaken, move, place_of
from kefu.sessions.models import stream_of
from kefu.sessions.queries import find_many
from kefu.sessions.service import CAME_FROM

Stage = Literal["impression", "open"]
By = Literal["page", "referrer", "day", "shop"]
FOLLOWER = "funnel"
EVERY = timedelta(seconds=15)
# Few, for SQLite has one writer, and whoever posts waits for it.
BATCH = 50
KEPT = timedelta(days=400)
# Of one shop on one day. What comes to more is counted without a page, so that nobody fills the table.
MOST_PAGES = 2_000
STAGES = ("first_message_at", "answered_at", "escalated_at", "rated_at", "closed_at")


@dataclass(frozen=True, slots=True)
class Seen:
    stage: Stage
    page: str
    referrer: str


@dataclass(slots=True)
class Counts:
    """How many came how far."""

    impressions: int = 0
    opens: int = 0
    sessions: int = 0
    first_messages: int = 0
    answered: int = 0
    escalated: int = 0
    rated: int = 0
    closed: int = 0


@dataclass(slots=True)
class Step(Counts):
    """`key`: the page, the referrer, the day or the shop."""

    shop: str = ""
    key: str = ""


HEADS: dict[str, Text] = {
    "shop": {"en": "Shop", "zh": "店铺"},
    "page": {"en": "Page", "zh": "页面"},
    "referrer": {"en": "Came from", "zh": "来源网站"},
    "day": {"en": "Day", "zh": "日期"},
    "impressions": {"en": "Saw the chat", "zh": "看到入口"},
    "opens": {"en": "Opened it", "zh": "打开聊天"},
    "sessions": {"en": "Conversations", "zh": "会话"},
    "first_messages": {"en": "Wrote", "zh": "首次发言"},
    "answered": {"en": "Got an answer", "zh": "获得回答"},
    "escalated": {"en": "Asked for a person", "zh": "请求人工"},
    "rated": {"en": "Rated", "zh": "评价"},
    "closed": {"en": "Closed", "zh": "已结束"},
}
COUNTS = tuple(one.name for one in fields(Counts))
PAGE_COUNTS, SESSION_COUNTS = COUNTS[:2], COUNTS[2:]
Table = type[FunnelPage] | type[FunnelSession]


def day_of(at: int, zone: str) -> str:
    return datetime.fromtimestamp(at / 1000, ZoneInfo(zone)).date().isoformat()


async def count_seen(tx: AsyncSession, shop: str, day: str, seen: Iterable[Seen]) -> None:
    """Add to the day's counts. Not safe to repeat: a browser tells once."""
    counts = Counter(seen)
    keys = {(one.page, one.referrer) for one in counts}
    where = (FunnelPage.shop == shop, FunnelPage.day == day)
    if int(await tx.scalar(select(func.count()).where(*where)) or 0) >= MOST_PAGES:
        known = select(FunnelPage.page, FunnelPage.referrer).where(*where)
        there = await tx.execute(known.where(tuple_(FunnelPage.page, FunnelPage.referrer).in_(keys)))
        keys = {(page, referrer) for page, referrer in there}
    rows: dict[tuple[str, str], dict[str, Any]] = {}
    for one, times in counts.items():
        page, referrer = key = (one.page, one.referrer) if (one.page, one.referrer) in keys else ("", "")
        row = rows.setdefault(key, {"page": page, "referrer": referrer, "impressions": 0, "opens": 0})
        row["impressions" if one.stage == "impression" else "opens"] += times
    put = _insert(tx)(FunnelPage).values([{"shop": shop, "day": day, **rows[key]} for key in sorted(rows)])
    added = {name: getattr(FunnelPage, name) + put.excluded[name] for name in PAGE_COUNTS}
    await tx.execute(put.on_conflict_do_update(index_elements=["shop", "day", "page", "referrer"], set_=added))


async def follow_funnel(db: Database, zone: str, job: Taken) -> None:
    """Handles `FollowFunnel`: follows the log to its end. Repeating it, or doing it twice at once, changes nothing."""
    while not await _follow_page(db, zone, job):
        pass


async def _follow_page(db: Database, zone: str, job: Taken) -> bool:
    """Whether it was the last one, with which the job is due again and what is too old goes."""
    async with db.read() as tx:
        place = await place_of(tx, FOLLOWER)
        found = await follow(tx, place, BATCH)
        rows = await _rows(tx, zone, [one.entry for one in found])
    is_last = len(found) < BATCH
    try:
        async with db.write() as tx:
            if found:
                await _write(tx, place, found, rows)
            if is_last:
                await _forget(tx, day_of(now_ms() - int(KEPT.total_seconds() * 1000), zone))
                await again(tx, job, EVERY)
    except Overtaken:
        return False
    return is_last


async def _rows(tx: AsyncSession, zone: str, entries: Sequence[Entry]) -> list[dict[str, Any]]:
    """What these entries say of their sessions, a row for each."""
    told: dict[str, dict[str, Any]] = {}
    for entry in sorted(entries, key=lambda one: one.seq):
        said = _said(entry)
        if said is not None:
            name = entry.stream.removeprefix(stream_of(""))
            told[name] = said | told.get(name, {})
    rows = list[dict[str, Any]]()
    for session in await find_many(tx, sorted(told)):
        row = {"page": "", "referrer": "", **dict.fromkeys(STAGES), **told[session.name]}
        rows.append({"session": session.name, "shop": session.shop, "day": day_of(session.created_at, zone), **row})
    return sorted(rows, key=lambda one: str(one["session"]))


def _said(entry: Entry) -> dict[str, Any] | None:
    """What of a funnel's row this entry gives; None when it is of no interest."""
    if entry.type == "session.opened":
        return {}
    if entry.type == CAME_FROM:
        return {"page": entry.facts["page"], "referrer": entry.facts["referrer"]}
    stage = _stage(entry)
    return {stage: entry.at} if stage else None


def _stage(entry: Entry) -> str | None:
    facts = entry.facts
    if entry.type == "message.posted":
        if facts["role"] == "user":
            return "first_message_at"
        return None if facts.get("answered") is False else "answered_at"
    if entry.type == "session.rated":
        return "rated_at"
    if entry.type.startswith("session."):
        if facts.get("to") == "closed":
            return "closed_at"
        return "escalated_at" if begins_episode(facts) else None
    return None


async def _write(tx: AsyncSession, place: Place, found: Sequence[Placed], rows: list[dict[str, Any]]) -> None:
    await move(tx, FOLLOWER, place, found[-1].place)
    if not rows:
        return
    put = _insert(tx)(FunnelSession).values(rows)
    table, new = FunnelSession, put.excluded
    first = {name: func.coalesce(getattr(table, name), new[name]) for name in STAGES}
    place_names = {
        name: case((new[name] != "", new[name]), else_=getattr(table, name)) for name in ("page", "referrer")
    }
    await tx.execute(put.on_conflict_do_update(index_elements=["session"], set_={**first, **place_names}))


async def _forget(tx: AsyncSession, before: str) -> None:
    for table in (FunnelPage, FunnelSession):
        await tx.execute(delete(table).where(table.day < before))


async def funnel(tx: AsyncSession, shop: str, first: str, last: str, by: By) -> list[Step]:
    """From the `first` day to the `last`, of one shop, or of all for an empty one; where most was seen comes first.

    A session counts on the day it was opened.
    """
    steps = await _steps(tx, shop, (first, last), lambda table: getattr(table, by))
    return sorted(steps, key=lambda one: (-one.impressions, -one.sessions, one.shop, one.key))


async def totals(tx: AsyncSession, shop: str, first: str, last: str) -> tuple[Counts, Counts]:
    """As `funnel`: all of it, and of the sessions those alone that are counted by page."""

    def is_paged(table: Table) -> ColumnElement[str]:
        nothing = literal_column("''", String)
        return case((table.page == nothing, nothing), else_=literal_column("'page'", String))

    steps = await _steps(tx, shop, (first, last), is_paged)
    return _sum(steps), _sum(one for one in steps if one.key)


async def csv_of(steps: Sequence[Step], by: By, locale: Locale) -> AsyncIterator[str]:
    keys = ["shop"] if by == "shop" else ["shop", by]
    yield BOM + csv_row([HEADS[name][locale] for name in (*keys, *COUNTS)])
    for step in steps:
        yield csv_row([step.shop, step.key][: len(keys)] + [getattr(step, name) for name in COUNTS])


def _sum(steps: Iterable[Counts]) -> Counts:
    rows = list(steps)
    return Counts(**{name: sum(getattr(one, name) for one in rows) for name in COUNTS})


async def _steps(
    tx: AsyncSession, shop: str, days: tuple[str, str], key_of: Callable[[Table], ColumnElement[str]]
) -> list[Step]:
    steps: dict[tuple[str, str], Step] = {}
    seen = [func.sum(FunnelPage.impressions), func.sum(FunnelPage.opens)]
    became = [func.count(), *(func.count(getattr(FunnelSession, name)) for name in STAGES)]
    tables: tuple[tuple[Table, list[Any], tuple[str, ...]], ...] = (
        (FunnelPage, seen, PAGE_COUNTS),
        (FunnelSession, became, SESSION_COUNTS),
    )
    for table, counts, names in tables:
        key = key_of(table)
        query = select(table.shop, key, *counts).where(table.day.between(*days)).group_by(table.shop, key)
        for of, what, *found in await tx.execute(query.where(table.shop == shop) if shop else query):
            step = steps.setdefault((of, what), Step(shop=of, key=what))
            for name, count in zip(names, found, strict=True):
                setattr(step, name, int(count))
    return list(steps.values())


def _insert(tx: AsyncSession) -> Any:
    return sqlite.insert if is_sqlite(tx) else postgresql.insert
