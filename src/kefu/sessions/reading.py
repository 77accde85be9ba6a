"""How far each reader has read, what that leaves unread, and whether a reply was written in knowledge of it."""

from dataclasses import dataclass
from typing import Any, ClassVar

from sqlalchemy import and_, func, not_, or_, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from kefu.kit.clock import now_ms
from kefu.kit.db import announce
from kefu.kit.errors import Conflict
from kefu.kit.i18n import Text
from kefu.log.log import COLUMNS, Actor, Entry, acted
from kefu.log.models import Event
from kefu.sessions.models import ReadMark, Session, stream_of
from kefu.sessions.queries import visible
from kefu.sessions.visibility import KEFU

MISSED_SHOWN = 20

# Two tabs may race: the later one on the disk never moves the mark back.
MOVE_MARK = text(
    "INSERT INTO read_marks (session, reader, seq, read_count, at) VALUES (:session, :reader, :seq, :read_count, :at) "
    "ON CONFLICT (session, reader) DO UPDATE SET seq = excluded.seq, read_count = excluded.read_count, "
    "at = excluded.at WHERE excluded.seq > read_marks.seq RETURNING seq"
)


class StaleView(Conflict):
    """`missed`: the newest of what came since, as events, oldest first, at most 20; `seq`: where the log stands."""

    code = "STALE_VIEW"
    text: ClassVar[Text] = {
        "en": "Something was written since you looked.",
        "zh": "您查看之后会话有新消息。",
    }


@dataclass(frozen=True, slots=True)
class Seen:
    """How far the agent had read when they wrote. `force`: send it though there is more."""

    seq: int
    force: bool = False


@dataclass(frozen=True, slots=True)
class Mark:
    """Where a reader's mark stands. `read_count`: as in ReadMark."""

    session: str
    reader: Actor
    seq: int
    read_count: int


@dataclass(frozen=True, slots=True)
class Marks:
    """How far the visitor, and whichever agent is furthest, have read."""

    visitor: int
    agents: int


def reader_id(reader: Actor) -> str:
    return reader.id or reader.kind


def countable(session: Session, reader: Actor) -> int:
    """How many messages the session has that are not of the reader's own side."""
    visitors = session.visitor_message_count
    return session.message_count - visitors if reader.kind == "visitor" else visitors


def unread(session: Session, reader: Actor, read_count: int) -> int:
    return max(0, countable(session, reader) - read_count)


async def mark_read(tx: AsyncSession, session: Session, reader: Actor, seq: int) -> Mark:
    """Move the reader's mark forward to `seq`, or to the end of the log when that comes first.

    Safe to repeat; returns where the mark stands, and announces it as `read` when it moved.
    """
    seq = min(seq, session.seq)
    mark = Mark(session.name, reader, seq, await _count_up_to(tx, session, reader, seq))
    key = {"session": session.name, "reader": reader_id(reader)}
    values = {**key, "seq": seq, "read_count": mark.read_count, "at": now_ms()}
    if (await tx.execute(MOVE_MARK, values)).first() is not None:
        announce(tx, "read", mark)
        return mark
    found = select(ReadMark.seq, ReadMark.read_count).filter_by(**key)
    return Mark(session.name, reader, *(await tx.execute(found)).one())


async def _count_up_to(tx: AsyncSession, session: Session, reader: Actor, seq: int) -> int:
    """Counted from the end of the log, which is where readers are."""
    total = countable(session, reader)
    if seq == session.seq:
        return total
    by_visitor = acted("visitor")
    is_theirs = not_(by_visitor) if reader.kind == "visitor" else by_visitor
    after = select(func.count()).where(*_messages(session, seq), is_theirs)
    return total - (await tx.execute(after)).scalar_one()


async def read_counts(tx: AsyncSession, reader: Actor, names: list[str]) -> dict[str, int]:
    """The reader's `read_count` in each of the named sessions that they have read at all."""
    found = select(ReadMark.session, ReadMark.read_count)
    rows = await tx.execute(found.where(ReadMark.reader == reader_id(reader), ReadMark.session.in_(names)))
    return dict(rows.all())


async def find_with_marks(tx: AsyncSession, name: str) -> tuple[Session, Marks] | None:
    """The session and how far each side has read it, in one round trip."""
    is_visitor = ReadMark.reader == "visitor"
    furthest = select(func.coalesce(func.max(ReadMark.seq), 0)).where(ReadMark.session == name)
    query = visible(KEFU).where(Session.name == name)
    query = query.add_columns(
        furthest.where(is_visitor).scalar_subquery(), furthest.where(not_(is_visitor)).scalar_subquery()
    )
    row: Any = (await tx.execute(query)).one_or_none()
    return None if row is None else (row[0], Marks(*row[1:]))


async def unseen(tx: AsyncSession, session: Session, agent_id: str, seen: Seen) -> int:
    """How many messages of the visitor or of colleagues the agent had not seen; the bot's do not count.

    Only under the row's lock does it still hold when the reply is written. Raises StaleView when there are any, unless
    forced.
    """
    if seen.seq >= session.seq:
        return 0
    by_colleague = and_(acted("agent"), not_(acted("agent", agent_id)))
    where = (*_messages(session, seen.seq), or_(acted("visitor"), by_colleague))
    count: int = (await tx.execute(select(func.count()).where(*where))).scalar_one()
    if count and not seen.force:
        newest = select(*COLUMNS).where(*where).order_by(Event.seq.desc()).limit(MISSED_SHOWN)
        missed = [Entry(*row).shown for row in await tx.execute(newest)][::-1]
        raise StaleView(missed=missed, seq=session.seq)
    return count


def _messages(session: Session, after: int) -> tuple[Any, ...]:
    """The messages with seq > `after`, up to where the row stands: the log may have grown since the row was read."""
    seqs = (Event.seq > after, Event.seq <= session.seq)
    return (Event.stream == stream_of(session.name), Event.type == "message.posted", *seqs)
