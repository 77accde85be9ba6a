"""Questions about sessions."""

from typing import Any

from sqlalchemy import Select, select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession

from kefu.log.log import Entry, read_last
from kefu.sessions.models import Session, SessionTag, stream_of
from kefu.sessions.states import Move
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


async def tagged(
    tx: AsyncSession, reader: Reader, tag: str, after: list[Any] | None, limit: int
) -> tuple[list[Session], list[Any] | None]:
    """The sessions that carry the tag, the last tagged first, and where the next page begins if there is one."""
    query = visible(reader).join(SessionTag, SessionTag.session == Session.name).where(SessionTag.tag == tag)
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
