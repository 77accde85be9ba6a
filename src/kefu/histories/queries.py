"""Whose sessions belong together, and what was said in them."""

from typing import Any

from sqlalchemy import and_, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from kefu.histories.parts import parts_of, read_parts, rest
from kefu.log.log import Entry
from kefu.log.models import Event
from kefu.sessions.models import Episode, Session
from kefu.sessions.queries import find, visible
from kefu.sessions.visibility import KEFU

LONGEST_CHAIN = 100


async def goes_on_in(tx: AsyncSession, session: Session) -> Session:
    """Where a merged session goes on, however often that one was merged; itself when it was not."""
    for _ in range(LONGEST_CHAIN):
        kept = await find(tx, session.merged_into) if session.merged_into else None
        if kept is None:
            break
        session = kept
    return session


async def others_of(
    tx: AsyncSession, session: Session, after: list[Any] | None, limit: int, *, merged: bool
) -> list[Session]:
    """The visitor's other sessions in which something was said, the youngest first: for whoever may read this one.

    `merged`: with those that were.
    """
    if not session.visitor_id:
        return []
    query = visible(KEFU).where(Session.visitor_id == session.visitor_id, Session.name != session.name)
    query = query.where(Session.last_message_at.is_not(None))
    if not merged:
        query = query.where(Session.merged_into.is_(None))
    if after is not None:
        at, name = after
        query = query.where(or_(Session.created_at < at, and_(Session.created_at == at, Session.name < name)))
    query = query.order_by(Session.created_at.desc(), Session.name.desc()).limit(limit)
    return list((await tx.execute(query)).scalars())


async def ratings(tx: AsyncSession, names: list[str]) -> dict[str, int]:
    """The last rating of each that has one."""
    query = select(Episode.session, Episode.rating).where(Episode.session.in_(names), Episode.rating.is_not(None))
    rows = await tx.execute(query.order_by(Episode.number))
    return {session: rating for session, rating in rows if rating is not None}


async def messages(
    tx: AsyncSession, session: Session, after: list[Any] | None, limit: int, *, others: bool
) -> list[tuple[str, Entry]]:
    """What was said, merged parts included, each with the name of its session. `others`: only what was brought.

    Raises BadCursor.
    """
    parts = await parts_of(tx, session.name, session.seq)
    if after is not None:
        parts = rest(parts, *after)
    wanted = [part for part in parts if part.is_brought] if others else parts
    return await read_parts(tx, wanted, limit, Event.type == "message.posted", Event.audience == "public")
