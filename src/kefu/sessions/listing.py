"""Pages of sessions: what narrows a list, how it is ordered, and what it counts.

A list must cost the same with a hundred thousand sessions as with ten. So an order is made of groups that stand one
after the other, each by one column with an index of its own; and counting stops at COUNT_LIMIT.
"""

from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from sqlalchemy import (
    ColumnElement,
    Select,
    exists,
    false,
    func,
    literal,
    or_,
    select,
    true,
    union,
    union_all,
)
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from kefu.kit.db import plan_by_values
from kefu.sessions.models import Session, SessionTag
from kefu.sessions.queries import visible
from kefu.sessions.search import sessions_with
from kefu.sessions.states import Status
from kefu.sessions.visibility import Reader

Sort = Literal["default", "newest", "oldest", "vip", "waitTime"]
CustomerType = Literal["all", "vip", "old", "new"]
ALL = frozenset(Status)
COUNT_LIMIT = 1_000
# Of so many sessions that changed last, a keyword may be any part of a name or of the last words; of all, whole words.
RECENT = 2_000


@dataclass(frozen=True, slots=True)
class Narrow:
    """Which sessions. `agent`: all, mine, unassigned (who waits and has nobody) or an agent's id.

    Times are ms of the session's beginning.
    """

    statuses: frozenset[Status] = ALL
    agent: str = "all"
    customer: CustomerType = "all"
    shop: str = ""
    since: int | None = None
    until: int | None = None
    tag: str = ""
    keyword: str = ""


class Key(NamedTuple):
    """Where a page ended: in which group of the order, with which value, at which name."""

    sort: str
    group: int
    value: int
    name: str


KEY_SHAPE = (str, int, int, str)


@dataclass(frozen=True, slots=True)
class Page:
    """`total` and what was counted are never above COUNT_LIMIT, which stands for that many or more."""

    sessions: list[Session]
    total: int
    counts: dict[Status, int]
    mine: int
    unassigned: int
    next_key: Key | None


@dataclass(frozen=True, slots=True)
class Group:
    """Sessions that stand together in an order, by one column."""

    key: ColumnElement[int] | Any
    is_down: bool = False
    statuses: frozenset[Status] = ALL
    where: ColumnElement[bool] | Any = None


WAITING = frozenset({Status.PENDING_MANUAL})
# Who waits for a person first, then whom a person serves, then the bot's, then the closed.
RANKED = (
    Status.PENDING_MANUAL,
    Status.MANUAL_LIVE,
    Status.AFTER_HOURS_EMAIL,
    Status.BOT_ACTIVE,
    Status.CLOSED,
)
ORDERS: dict[Sort, tuple[Group, ...]] = {
    "default": tuple(Group(Session.updated_at, is_down=True, statuses=frozenset({status})) for status in RANKED),
    "newest": (Group(Session.updated_at, is_down=True),),
    "oldest": (Group(Session.updated_at),),
    "vip": (
        Group(Session.updated_at, is_down=True, where=Session.is_vip),
        Group(Session.updated_at, is_down=True, where=~Session.is_vip),
    ),
    "waitTime": (
        Group(func.coalesce(Session.escalated_at, Session.created_at), statuses=WAITING),
        Group(Session.created_at, statuses=ALL - WAITING),
    ),
}


async def list_sessions(
    tx: AsyncSession, reader: Reader, narrow: Narrow, sort: Sort, limit: int, after: Key | None = None
) -> Page:
    """One page of what the reader may see, with the total of the filter and the sessions in each state."""
    await plan_by_values(tx)
    where = conditions(reader, narrow)
    if narrow.keyword:
        names = await _mentioning(tx, narrow.keyword)
        where.append(Session.name.in_(names) if names else false())
    rows: list[tuple[Session, Key]] = []
    for number, group in enumerate(ORDERS[sort]):
        statuses = narrow.statuses & group.statuses
        if not statuses or (after and number < after.group):
            continue
        place = after if after and number == after.group else None
        query = visible(reader).where(*where, *_in(statuses), *_of(group, place)).add_columns(group.key)
        order = group.key.desc() if group.is_down else group.key.asc()
        query = query.order_by(order, Session.name).limit(limit + 1 - len(rows))
        rows += [(row[0], Key(sort, number, row[1], row[0].name)) for row in await tx.execute(query)]
        if len(rows) > limit:
            break
    has_more = len(rows) > limit
    is_whole = not has_more and after is None
    total = len(rows) if is_whole else await _total(tx, visible(reader).where(*where, *_in(narrow.statuses)))
    page = [session for session, _ in rows[:limit]]
    counts, mine, unassigned = await count(tx, reader)
    return Page(page, total, counts, mine, unassigned, rows[limit - 1][1] if has_more else None)


def _of(group: Group, after: Key | None) -> list[ColumnElement[bool]]:
    """The group's sessions behind the place. The first condition of the place is the one that an index serves."""
    where = [] if group.where is None else [group.where]
    if after is not None:
        key, value = group.key, after.value
        bound, beyond = (key <= value, key < value) if group.is_down else (key >= value, key > value)
        where += [bound, or_(beyond, Session.name > after.name)]
    return where


def _in(statuses: frozenset[Status]) -> list[ColumnElement[bool]]:
    if statuses == ALL:
        return []
    if len(statuses) == 1:
        return [Session.status == next(iter(statuses)).value]
    return [Session.status.in_(sorted(status.value for status in statuses))]


def conditions(reader: Reader, narrow: Narrow, *, with_status: bool = False) -> list[ColumnElement[bool]]:
    """What narrows, but the keyword; without the states, where those come group by group."""
    where = _in(narrow.statuses) if with_status else []
    if narrow.agent == "mine":
        where.append(Session.agent_id == reader.id)
    elif narrow.agent == "unassigned":
        where.append(Session.agent_id.is_(None))
    elif narrow.agent != "all":
        where.append(Session.agent_id == narrow.agent)
    where += _customer(narrow.customer)
    if narrow.shop:
        where.append(Session.shop == narrow.shop)
    if narrow.since is not None:
        where.append(Session.created_at >= narrow.since)
    if narrow.until is not None:
        where.append(Session.created_at <= narrow.until)
    if narrow.tag:
        where.append(Session.name.in_(select(SessionTag.session).where(SessionTag.tag == narrow.tag)))
    return where


def _customer(kind: CustomerType) -> list[ColumnElement[bool]]:
    """`old`: the visitor had an earlier session; `new`: this is their first."""
    if kind == "all":
        return []
    if kind == "vip":
        return [true() & Session.is_vip]
    other = aliased(Session)
    earlier = exists().where(
        Session.visitor_id != "", other.visitor_id == Session.visitor_id, other.created_at < Session.created_at
    )
    return [earlier if kind == "old" else ~earlier]


async def _mentioning(tx: AsyncSession, keyword: str) -> set[str]:
    """The names of the sessions that a keyword finds; asked once for all groups of an order."""
    shown = (Session.name, Session.nickname, Session.last_text, Session.agent_name)
    recent = select(*shown).order_by(Session.updated_at.desc()).limit(RECENT).subquery()
    parts = select(recent.c.name).where(or_(*(part.icontains(keyword, autoescape=True) for part in recent.c)))
    named = select(Session.name).where(Session.name == keyword)
    return {*await tx.scalars(union(parts, named)), *await sessions_with(tx, keyword)}


async def count(tx: AsyncSession, reader: Reader) -> tuple[dict[Status, int], int, int]:
    """How many the reader may see of each status, how many they serve, and how many wait for anybody.

    Each at most COUNT_LIMIT.
    """
    waits, is_served = Session.status == Status.PENDING_MANUAL.value, Session.status == Status.MANUAL_LIVE.value
    kinds = {
        **{status.value: Session.status == status.value for status in Status},
        "mine": is_served & (Session.agent_id == reader.id),
        "unassigned": waits & Session.agent_id.is_(None),
    }
    each = [select(literal(kind), _bounded(visible(reader).where(of)).scalar_subquery()) for kind, of in kinds.items()]
    found = {row[0]: row[1] for row in await tx.execute(union_all(*each))}
    return {status: found[status.value] for status in Status}, found["mine"], found["unassigned"]


async def _total(tx: AsyncSession, query: Select[Session]) -> int:
    return int((await tx.execute(_bounded(query))).scalar_one())


def _bounded(query: Select[Session]) -> Select[int]:
    return select(func.count()).select_from(query.with_only_columns(Session.name).limit(COUNT_LIMIT).subquery())
