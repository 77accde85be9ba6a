"""Questions about sessions."""

from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import BigInteger, ColumnElement, Select, and_, case, func, or_, select, tuple_, type_coerce
from sqlalchemy.ext.asyncio import AsyncSession

from kefu.log.log import Entry, read_last
from kefu.sessions.models import Session, SessionTag, stream_of
from kefu.sessions.since import Head
from kefu.sessions.states import Move, Status

Sort = Literal["default", "newest", "oldest", "waitTime"]
MESSAGES = ("message.posted",)
MOVE_TYPES = tuple(what.value for what in Move)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which sessions to list. `agent`: all, mine, unassigned or an agent's id; `reader` is who asks.

    `after`: where the last page ended.
    """

    reader: str
    status: Status | None = None
    agent: str = "all"
    tag: str = ""
    keyword: str = ""
    sort: Sort = "default"
    after: list[Any] | None = None
    limit: int = 50


@dataclass(frozen=True, slots=True)
class Page:
    sessions: list[Session]
    total: int
    counts: dict[str, int]
    next_key: list[Any] | None


def visible() -> Select[Session]:
    """The only way to start a query on sessions.

    Whoever may read sessions may read all of them; writing is by assignment (spec S7, S8).
    """
    return select(Session)


# Who waits for a person first, then whom a person serves, then the bot's, then the closed.
RANK = type_coerce(
    case(
        {"pending_manual": 0, "manual_live": 1, "after_hours_email": 2, "bot_active": 3}, value=Session.status, else_=4
    ),
    BigInteger,  # as every number of a cursor
)
ORDERS: dict[Sort, tuple[tuple[Any, bool], ...]] = {
    "default": ((RANK, False), (Session.updated_at, True), (Session.name, False)),
    "newest": ((Session.updated_at, True), (Session.name, False)),
    "oldest": ((Session.updated_at, False), (Session.name, False)),
    "waitTime": ((func.coalesce(Session.escalated_at, Session.created_at), False), (Session.name, False)),
}


async def list_sessions(tx: AsyncSession, wanted: Wanted) -> Page:
    """One page with the total of the filter and the number of sessions in each state."""
    keys = ORDERS[wanted.sort]
    where = [*_filters(wanted)]
    query = visible().where(*where, *_beyond(keys, wanted.after))
    query = query.order_by(*(key.desc() if down else key.asc() for key, down in keys)).limit(wanted.limit + 1)
    columns = [key for key, _ in keys]
    rows = (await tx.execute(query.add_columns(*columns))).all()
    total = (await tx.execute(select(func.count()).select_from(Session).where(*where))).scalar_one()
    page, more = rows[: wanted.limit], len(rows) > wanted.limit
    next_key = list(page[-1][1:]) if more else None
    return Page([row[0] for row in page], total, await count_by_status(tx), next_key)


async def count_by_status(tx: AsyncSession) -> dict[str, int]:
    rows = await tx.execute(select(Session.status, func.count()).group_by(Session.status))
    return {status.value: 0 for status in Status} | dict(rows.all())


def _filters(wanted: Wanted) -> list[ColumnElement[bool]]:
    where: list[ColumnElement[bool]] = []
    if wanted.status:
        where.append(Session.status == wanted.status.value)
    if wanted.agent == "mine":
        where.append(Session.agent_id == wanted.reader)
    elif wanted.agent == "unassigned":
        where.append(and_(Session.status == Status.PENDING_MANUAL.value, Session.agent_id.is_(None)))
    elif wanted.agent != "all":
        where.append(Session.agent_id == wanted.agent)
    if wanted.tag:
        where.append(Session.name.in_(select(SessionTag.session).where(SessionTag.tag == wanted.tag)))
    if wanted.keyword:
        columns = (Session.name, Session.nickname, Session.last_text, Session.agent_name)
        where.append(or_(*(column.icontains(wanted.keyword, autoescape=True) for column in columns)))
    return where


def _beyond(keys: tuple[tuple[Any, bool], ...], after: list[Any] | None) -> list[ColumnElement[bool]]:
    """Rows after the key of the last page's last row, for orders whose columns run in different directions."""
    if after is None:
        return []
    steps = []
    for n, (key, down) in enumerate(keys):
        same = [other == value for (other, _), value in zip(keys[:n], after, strict=False)]
        steps.append(and_(*same, key < after[n] if down else key > after[n]))
    return [or_(*steps)]


async def find(tx: AsyncSession, name: str) -> Session | None:
    return (await tx.execute(visible().where(Session.name == name))).scalar_one_or_none()


async def find_many(tx: AsyncSession, names: list[str]) -> list[Session]:
    return list((await tx.execute(visible().where(Session.name.in_(names)))).scalars())


async def tagged(
    tx: AsyncSession, tag: str, after: list[Any] | None, limit: int
) -> tuple[list[Session], list[Any] | None]:
    """The sessions that carry the tag, the last tagged first, and where the next page begins if there is one."""
    query = visible().join(SessionTag, SessionTag.session == Session.name).where(SessionTag.tag == tag)
    query = query.add_columns(SessionTag.at).order_by(SessionTag.at.desc(), SessionTag.session.desc())
    if after:
        query = query.where(tuple_(SessionTag.at, SessionTag.session) < tuple_(*after))
    rows = (await tx.execute(query.limit(limit + 1))).all()
    page = [(row[0], row[-1]) for row in rows[:limit]]
    return [session for session, _ in page], [page[-1][1], page[-1][0].name] if len(rows) > limit else None


async def history(tx: AsyncSession, name: str, limit: int, *, public_only: bool) -> list[Entry]:
    """The newest messages, oldest first."""
    return await read_last(tx, stream_of(name), limit, types=MESSAGES, public_only=public_only)


async def audit_trail(tx: AsyncSession, name: str, limit: int) -> list[Entry]:
    """The newest moves between states, oldest first."""
    return await read_last(tx, stream_of(name), limit, types=("session.opened", *MOVE_TYPES), public_only=False)


async def queue(tx: AsyncSession, limit: int = 1000) -> list[tuple[str, str]]:
    """Shop and name of the sessions that wait for a person, who waits longest first."""
    query = select(Session.shop, Session.name).where(Session.status == Status.PENDING_MANUAL.value)
    rows = await tx.execute(query.order_by(Session.escalated_at, Session.name).limit(limit))
    return [(shop, name) for shop, name in rows]


async def place_in_queue(tx: AsyncSession, session: Head) -> tuple[int, int]:
    """The place of a waiting session (from 1) and how many wait in its shop."""
    waiting = and_(Session.status == Status.PENDING_MANUAL.value, Session.shop == session.shop)
    ahead = tuple_(Session.escalated_at, Session.name) < tuple_(session.escalated_at, session.name)
    row = (await tx.execute(select(func.count().filter(ahead), func.count()).where(waiting))).one()
    return row[0] + 1, row[1]
