"""What work the events of a session leave behind, whoever caused them: written in their transaction."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from kefu.jobs.queue import enqueue
from kefu.log.log import Entry
from kefu.sessions.fold import begins_episode
from kefu.sessions.held import PEOPLE
from kefu.sessions.models import Session
from kefu.sessions.states import Move, Status
from kefu.sessions.work import AssignWaiting, TagByRules, WritePacket
from kefu.shops.models import Shop
from kefu.shops.service import is_auto

# After these the rules of the tags are looked at again.
TELLING = {Move.RELEASE, Move.CLOSE, "session.rated"}


async def enqueue_consequences(tx: AsyncSession, session: Session, entries: Sequence[Entry]) -> None:
    if any(map(_moves_people, entries)) and await _is_automatic(tx):
        await enqueue(tx, AssignWaiting())
    if any(one.type in TELLING for one in entries):
        await enqueue(tx, TagByRules(session.name))
    if any(map(_asks_for_a_person, entries)):
        await enqueue(tx, WritePacket(session.name, session.episode))


def _moves_people(event: Entry) -> bool:
    """Whether somebody waits since then, or an agent may have room."""
    facts = event.facts
    is_move = event.type.startswith("session.") and bool({facts.get("from"), facts.get("to")} & {*PEOPLE})
    return is_move or event.type == "session.unassigned"


def _asks_for_a_person(event: Entry) -> bool:
    facts = event.facts
    return begins_episode(facts) and facts["to"] != Status.MANUAL_LIVE


async def _is_automatic(tx: AsyncSession) -> bool:
    """Whether any shop has its sessions assigned."""
    return (await tx.execute(select(Shop.id).where(is_auto()).limit(1))).first() is not None
