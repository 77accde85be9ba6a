"""Back-tests: a version of the policies, or the draft, run over past sessions page by page. Nothing is sent."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, ClassVar, NamedTuple

import orjson
import structlog
from sqlalchemy import Select, func, select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession

from kefu.accounts.audit import audit
from kefu.jobs.queue import Lane, Taken, Work, enqueue, finish
from kefu.kit.clock import now_ms
from kefu.kit.db import Database
from kefu.kit.errors import Conflict, NotFound
from kefu.kit.i18n import Text
from kefu.kit.ids import new_id
from kefu.log.log import COLUMNS, Entry
from kefu.log.models import Event
from kefu.sessions.models import Session, stream_of
from kefu.sessions.queries import visible
from kefu.sessions.visibility import KEFU
from kefu.shops.hours import Hours
from kefu.shops.models import Shop
from kefu.supervision.models import Backtest
from kefu.supervision.replay import EXAMPLES, REPLAYED, Tally, blank_found, people_in, replay
from kefu.supervision.rules import Book, Ruling
from kefu.supervision.versions import Author, draft, find_version, in_force, ready_book

log = structlog.get_logger()

PAGE = 100
KEPT = 50
RUNNING_LIMIT = 3
DIFFERENT = ("candidate", "baseline")


class BacktestNotFound(NotFound):
    code = "BACKTEST_NOT_FOUND"
    text: ClassVar[Text] = {"en": "There is no such back-test.", "zh": "找不到该回测。"}


class TooManyBacktests(Conflict):
    """`most`: how many may run at once."""

    code = "TOO_MANY_BACKTESTS"
    text: ClassVar[Text] = {
        "en": "{most} back-tests are running already; wait for one, or stop it.",
        "zh": "已有 {most} 个回测正在运行，请等待或先停止其中一个。",
    }


@dataclass(frozen=True, slots=True)
class RunBacktest(Work):
    """Look at the next sessions until there are no more. Repeating it counts no page twice."""

    kind: ClassVar[str] = "run_backtest"
    lane: ClassVar[Lane] = "bulk"

    backtest: str


@dataclass(frozen=True, slots=True)
class Wanted:
    """`version` null is the draft as it is; `baseline` null what is in force. Times are ms, `until` not included."""

    version: int | None
    baseline: int | None
    shop: str | None
    since: int
    until: int
    within_minutes: int


class Place(NamedTuple):
    """Sessions in the order in which they were opened."""

    created_at: int
    name: str


async def start(tx: AsyncSession, wanted: Wanted, author: Author) -> Backtest:
    """Have it run. Raises VersionNotFound, TooManyBacktests."""
    running = select(func.count()).select_from(Backtest).where(Backtest.state == "running")
    if (await tx.execute(running)).scalar_one() >= RUNNING_LIMIT:
        raise TooManyBacktests(most=RUNNING_LIMIT)
    candidate = await draft(tx) if wanted.version is None else await find_version(tx, wanted.version)
    baseline = await in_force(tx) if wanted.baseline is None else await find_version(tx, wanted.baseline)
    row = Backtest(
        id=new_id("bt"),
        state="running",
        candidate={"version": wanted.version, "policies": candidate.policies},
        baseline={"version": baseline.number, "policies": baseline.policies},
        shop=wanted.shop,
        since=wanted.since,
        until=wanted.until,
        within_minutes=wanted.within_minutes,
        total=0,
        looked_at=0,
        place=None,
        found={"candidate": blank_found(), "baseline": blank_found(), "only": blank_only()},
        started_at=now_ms(),
        started_by=author.name,
    )
    row.total = (await tx.execute(select(func.count()).select_from(_sessions(row).subquery()))).scalar_one()
    tx.add(row)
    await enqueue(tx, RunBacktest(row.id))
    audit(tx, "backtest.started", ("backtest", row.id), after=asdict(wanted))
    return row


def blank_only() -> dict[str, dict[str, Any]]:
    """Hits of one of the two that the other has not."""
    return {side: {"count": 0, "examples": []} for side in DIFFERENT}


async def find_backtest(tx: AsyncSession, id_: str) -> Backtest:
    """Raises BacktestNotFound."""
    row = await tx.get(Backtest, id_)
    if row is None:
        raise BacktestNotFound(backtest=id_)
    return row


async def all_backtests(tx: AsyncSession) -> Sequence[Backtest]:
    """The newest first."""
    return (await tx.scalars(select(Backtest).order_by(Backtest.started_at.desc()).limit(KEPT))).all()


async def cancel(tx: AsyncSession, id_: str) -> Backtest:
    """Stop it after the page it is at; what it found stays. Safe to repeat. Raises BacktestNotFound."""
    row = await tx.get(Backtest, id_, with_for_update=True)
    if row is None:
        raise BacktestNotFound(backtest=id_)
    if row.state == "running":
        row.state, row.ended_at = "cancelled", now_ms()
    audit(tx, "backtest.cancelled", ("backtest", id_), after={"state": row.state, "looked_at": row.looked_at})
    return row


def _sessions(row: Backtest) -> Select[int, str]:
    query = visible(KEFU).where(Session.created_at >= row.since, Session.created_at < row.until)
    query = query.where(Session.shop == row.shop) if row.shop else query
    return query.with_only_columns(Session.created_at, Session.name)


@dataclass(frozen=True, slots=True)
class Page:
    """Some sessions with their logs. `hours`: of each shop that has its own."""

    row: Backtest
    sessions: Sequence[Place]
    events: Mapping[str, Sequence[Entry]]
    hours: Mapping[str, Hours]
    otherwise: Hours


async def run_backtest(db: Database, otherwise: Hours, job: Taken) -> None:
    """Handles `RunBacktest`. `otherwise`: the hours of a shop that has none of its own."""
    while await _run_page(db, otherwise, job):
        pass


async def _run_page(db: Database, otherwise: Hours, job: Taken) -> bool:
    """Whether there are more."""
    page = await _read_page(db, job.payload["backtest"], otherwise)
    found = await asyncio.to_thread(judge_page, page) if page else {}
    async with db.write() as tx:
        row = await tx.get(Backtest, job.payload["backtest"], with_for_update=True)
        if page is None or row is None or row.state != "running":
            await finish(tx, job.id)
            return False
        if row.place != page.row.place:
            return True
        row.found, row.looked_at = found, row.looked_at + len(page.sessions)
        if len(page.sessions) < PAGE:
            row.state, row.ended_at = "done", now_ms()
            await finish(tx, job.id)
            return False
        row.place = [*page.sessions[-1]]
    return True


async def _read_page(db: Database, id_: str, otherwise: Hours) -> Page | None:
    """What comes next; None when it is not to go on."""
    async with db.read() as tx:
        row = await tx.get(Backtest, id_)
        if row is None or row.state != "running":
            return None
        query = _sessions(row).order_by(Session.created_at, Session.name).limit(PAGE)
        if row.place:
            query = query.where(tuple_(Session.created_at, Session.name) > tuple_(*row.place))
        sessions = [Place(*one) for one in await tx.execute(query)]
        streams = {stream_of(one.name): one.name for one in sessions}
        events: dict[str, list[Entry]] = {one.name: [] for one in sessions}
        logs = select(*COLUMNS).where(Event.stream.in_(streams), Event.type.in_(REPLAYED))
        for one in await tx.execute(logs.order_by(Event.stream, Event.seq)):
            events[streams[one.stream]].append(Entry(*one))
        shops = (await tx.execute(select(Shop.id, Shop.hours).where(Shop.hours.is_not(None)))).all()
    own = {shop: Hours.model_validate(hours) for shop, hours in shops}
    return Page(row, sessions, events, own, otherwise)


def judge_page(page: Page) -> dict[str, Any]:
    """What was found so far, with this page. Pure: the row is left as it is."""
    found: dict[str, Any] = orjson.loads(orjson.dumps(page.row.found))
    within, zone = page.row.within_minutes * 60_000, page.otherwise.timezone
    books = {side: _book(getattr(page.row, side)) for side in DIFFERENT}
    tallies = {side: Tally(within, zone, found[side]) for side in DIFFERENT}
    for _, name in page.sessions:
        try:
            _judge_session(page, name, books, tallies, found["only"])
        except (KeyError, TypeError, ValueError):
            log.warning("backtest.unreadable", session=name, exc_info=True)
            found["candidate"]["unreadable"] += 1
    return found


def _judge_session(
    page: Page, name: str, books: Mapping[str, Book], tallies: Mapping[str, Tally], only: dict[str, Any]
) -> None:
    events = page.events[name]
    rulings = {
        side: replay(book, name, events, lambda shop: page.hours.get(shop, page.otherwise))
        for side, book in books.items()
    }
    people = people_in(events)
    for side in DIFFERENT:
        tallies[side].add(name, rulings[side], people)
    keys = {side: {_key(one) for one in rulings[side]} for side in DIFFERENT}
    for side, other in (DIFFERENT, DIFFERENT[::-1]):
        for one in rulings[side]:
            if _key(one) not in keys[other]:
                _note(only[side], name, one)


def _key(ruling: Ruling) -> tuple[str, int, str]:
    return ruling.policy.id, ruling.moment.about.seq, ruling.moment.point


def _note(into: dict[str, Any], name: str, ruling: Ruling) -> None:
    into["count"] += 1
    if len(into["examples"]) < EXAMPLES:
        about = ruling.moment.about
        into["examples"].append({"session": name, "seq": about.seq, "at": about.at, "policy": ruling.policy.id})


def _book(side: Mapping[str, Any]) -> Book:
    return ready_book(side["version"] or 0, orjson.dumps(side["policies"]))
