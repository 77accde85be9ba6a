"""Questions about sessions."""

from sqlalchemy import Select, Subquery, and_, func, select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession

from kefu.log.log import Entry, read_last
from kefu.sessions.models import Session, stream_of
from kefu.sessions.since import Head
from kefu.sessions.states import Move, Status
from kefu.sessions.visibility import KEFU, Reader, is_seen_by

MESSAGES = ("message.posted",)
MOVE_TYPES = tuple(what.value for what in Move)


def visible(reader: Reader) -> Select[Session]:
    """The only way to start a query on sessions (spec S7)."""
    return select(Session).where(is_seen_by(reader))


async def find(tx: AsyncSession, name: str) -> Session | None:
    return (await tx.execute(visible(KEFU).where(Session.name == name))).scalar_one_or_none()


async def find_many(tx: AsyncSession, names: list[str]) -> list[Session]:
    return list((await tx.execute(visible(KEFU).where(Session.name.in_(names)))).scalars())


def load_by_agent() -> Subquery:
    """How many sessions each agent serves, and how many wait for them to come: `agent_id, serving, offered`."""
    serving = func.count().filter(Session.status == Status.MANUAL_LIVE.value)
    offered = func.count().filter(Session.status == Status.PENDING_MANUAL.value)
    query = select(Session.agent_id, serving.label("serving"), offered.label("offered"))
    return query.where(Session.agent_id.is_not(None)).group_by(Session.agent_id).subquery()


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
