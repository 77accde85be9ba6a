"""What is read as one session: stretches of the logs of several, in the order of reading.

No log is rewritten by a merge or a split. The kept session says `session.merged`, a new one `session.split_from`, each
with the stretch it means and when that began; the source of a split says `session.split_off`, and what moved is read
there no more.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from operator import itemgetter
from typing import Any

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from kefu.kit.pages import BadCursor
from kefu.log.log import COLUMNS, Entry, read_last
from kefu.log.models import Event
from kefu.sessions.models import stream_of

MARKS = ("session.merged", "session.split_from", "session.split_off")
MARKS_LIMIT = 1000


@dataclass(frozen=True, slots=True)
class Part:
    """A stretch of one session's log, both ends included. `is_brought`: by a merge or a split, maybe back again."""

    session: str
    first: int
    last: int
    is_brought: bool = False


async def parts_of(tx: AsyncSession, name: str, last: int) -> list[Part]:
    """The parts of the session up to its seq `last`. What came from another stands where it belongs by its time."""
    marks = await read_last(tx, stream_of(name), MARKS_LIMIT, types=MARKS, public_only=False)
    moved: list[tuple[int, int]] = []
    blocks: list[tuple[int, int, list[Part]]] = []
    for mark in marks:
        facts = mark.facts
        if mark.seq > last:
            break
        if mark.type == "session.split_off":
            moved.append((facts["from_seq"], facts["to_seq"]))
        else:
            place = await _place(tx, mark, facts["began_at"])
            blocks.append((place, facts["began_at"], await _brought(tx, mark.type, facts)))
    order, start = [], 1
    for place, _, block in sorted(blocks, key=itemgetter(0, 1)):
        order += [*_own(name, start, place - 1, moved), *(replace(part, is_brought=True) for part in block)]
        start = place
    return order + _own(name, start, last, moved)


async def _brought(tx: AsyncSession, type_: str, facts: dict[str, Any]) -> list[Part]:
    """Merging makes no circle: who was merged is never merged, nor merged into, again."""
    if type_ == "session.merged":
        return await parts_of(tx, facts["source"], facts["up_to"])
    return [Part(facts["source"], facts["from_seq"], facts["to_seq"])]


async def _place(tx: AsyncSession, mark: Entry, began_at: int) -> int:
    """The seq before which it is read: of the first event that is younger, at the latest of the mark."""
    younger = select(func.min(Event.seq)).where(Event.stream == mark.stream, Event.at > began_at, Event.seq < mark.seq)
    return (await tx.execute(younger)).scalar_one() or mark.seq


def _own(name: str, first: int, last: int, moved: list[tuple[int, int]]) -> list[Part]:
    """What of the stretch did not move away; `moved` is in order."""
    parts = []
    for gone_from, gone_to in moved:
        if first < min(gone_from, last + 1):
            parts.append(Part(name, first, min(gone_from - 1, last)))
        first = max(first, gone_to + 1)
    return [*parts, Part(name, first, last)] if first <= last else parts


def rest(parts: list[Part], session: str, seq: int) -> list[Part]:
    """What comes after that place. Raises BadCursor when it is none of these parts."""
    for n, part in enumerate(parts):
        if part.session == session and part.first <= seq <= part.last:
            return [replace(part, first=seq + 1), *parts[n + 1 :]]
    raise BadCursor


async def read_parts(
    tx: AsyncSession, parts: Sequence[Part], limit: int, *where: ColumnElement[bool]
) -> list[tuple[str, Entry]]:
    """The first `limit` entries of the parts for which `where` holds, each with the name of its session."""
    found: list[tuple[str, Entry]] = []
    for part in parts:
        within = (Event.stream == stream_of(part.session), Event.seq.between(part.first, part.last))
        query = select(*COLUMNS).where(*within, *where).order_by(Event.seq).limit(limit - len(found))
        found += [(part.session, Entry(*row)) for row in await tx.execute(query)]
        if len(found) == limit:
            break
    return found
