"""Keeps the episodes and stints of a session beside its row: what waits, replies and workloads are counted from.

Written in the transaction of the events they follow from (`service.record`), so they are as true as the log.
"""

from typing import Any

from sqlalchemy import ColumnElement, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from kefu.log.log import Entry
from kefu.sessions.fold import SERVED, begins_episode
from kefu.sessions.models import Episode, Session, Stint

OPEN = {status.value for status in SERVED}
# The reason of an episode that nobody asked for.
UNASKED = "unasked"


async def keep(tx: AsyncSession, session: Session, entries: list[Entry]) -> None:
    """Follow the events that were just folded into the (locked) row."""
    for event in entries:
        facts = event.facts
        if begins_episode(facts):
            tx.add(_begun(session, facts, event.at))
            await tx.flush()
        if event.type in {"session.taken_over", "session.transferred"}:
            await _given(tx, session, event, facts["agent"]["id"])
        elif event.type.startswith("session.") and facts.get("from") in OPEN:
            await _left(tx, session, event, facts["to"])
        elif event.type == "message.posted" and session.replied_at == event.at:
            for table in (Episode, Stint):
                await tx.execute(_open(table, session, table.replied_at.is_(None)).values(replied_at=event.at))


def _begun(session: Session, facts: dict[str, Any], at: int) -> Episode:
    reason = facts.get("reason") or UNASKED
    return Episode(session=session.name, number=session.episode, shop=session.shop, reason=reason, started_at=at)


async def _given(tx: AsyncSession, session: Session, event: Entry, agent_id: str) -> None:
    await tx.execute(_open(Stint, session).values(ended_at=event.at, ended_by=event.type))
    await tx.execute(_open(Episode, session).values(agent_id=agent_id))
    await tx.execute(_open(Episode, session, Episode.taken_at.is_(None)).values(taken_at=event.at))
    stint = Stint(session=session.name, seq=event.seq, episode=session.episode, shop=session.shop, agent_id=agent_id)
    stint.started_at = event.at
    tx.add(stint)
    await tx.flush()


async def _left(tx: AsyncSession, session: Session, event: Entry, to: str) -> None:
    """Nobody has it any more; the episode goes on while a person is still awaited."""
    await tx.execute(_open(Stint, session).values(ended_at=event.at, ended_by=event.type))
    if to not in OPEN:
        await tx.execute(_open(Episode, session).values(ended_at=event.at, ended_by=event.type))


def _open(table: type[Episode] | type[Stint], session: Session, *more: ColumnElement[bool]) -> Any:
    return update(table).where(table.session == session.name, table.ended_at.is_(None), *more)


async def last_episode(tx: AsyncSession, name: str) -> Episode | None:
    """The session's newest episode, over or not."""
    query = select(Episode).where(Episode.session == name).order_by(Episode.number.desc()).limit(1)
    return (await tx.scalars(query)).first()
