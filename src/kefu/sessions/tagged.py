"""Which sessions carry a tag, kept beside their rows in the transaction of the events it follows from."""

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from kefu.log.log import Entry
from kefu.sessions.models import Session, SessionTag


async def keep_tags(tx: AsyncSession, session: Session, entries: list[Entry]) -> None:
    """Follow the events that were just folded into the (locked) row."""
    for event in entries:
        if event.type == "tag.added":
            facts = event.facts
            row = SessionTag(session=session.name, tag=facts["tag"], by=event.actor, at=event.at)
            row.is_auto = facts["is_auto"]
            tx.add(row)
            await tx.flush()
        elif event.type == "tag.removed":
            of_tag = (SessionTag.session == session.name, SessionTag.tag == event.facts["tag"])
            await tx.execute(delete(SessionTag).where(*of_tag))


async def tags_of(tx: AsyncSession, name: str) -> list[SessionTag]:
    """As they were added."""
    return list(await tx.scalars(select(SessionTag).where(SessionTag.session == name).order_by(SessionTag.at)))
