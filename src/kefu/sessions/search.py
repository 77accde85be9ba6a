"""Search over what was written in sessions: messages, and notes of the team. For agents only.

The index, which `indexing.py` fills, knows whole words, in Chinese also the shorter ones inside them and their
characters.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, FromClause, column, func, literal_column, select, table, text
from sqlalchemy.ext.asyncio import AsyncSession

from kefu.kit.db import is_sqlite, plan_by_values
from kefu.knowledge.words import HAN, cut
from kefu.log.log import COLUMNS, Entry
from kefu.log.models import Event
from kefu.sessions.models import IndexedMessage, Session
from kefu.sessions.queries import visible
from kefu.sessions.search_ddl import FTS, shop_term
from kefu.sessions.visibility import Reader

TERMS_LIMIT = 16
NEWEST = 500
FEW = 5_000
SLACK_MS = 60_000
EXCERPT = 160
BEFORE = 40


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is looked for. `terms` must all be there; `runs`: characters that must stand side by side.

    A Chinese word that the dictionary does not know is cut into its characters, which alone say little. `since` and
    `until`: when it was written, ms. `shop`, `session`: in which, "" in any.
    """

    terms: tuple[str, ...]
    runs: tuple[str, ...]
    since: int | None = None
    until: int | None = None
    shop: str = ""
    session: str = ""

    @classmethod
    def of(
        cls, query: str, since: int | None = None, until: int | None = None, shop: str = "", session: str = ""
    ) -> "Wanted":
        words = list(cut(query))
        terms = tuple(dict.fromkeys(word.term for word in words))[:TERMS_LIMIT]
        runs, run, end = list[str](), "", -1
        for word in words:
            is_single = word.is_han and len(word.term) == 1
            run = (run if word.start == end else "") + word.term if is_single else ""
            end = word.end
            if len(run) > 1:
                runs = [*(runs[:-1] if runs and run.startswith(runs[-1]) else runs), run]
        return cls(terms, tuple(runs), since, until, shop, session)


@dataclass(frozen=True, slots=True)
class Hit:
    """A message or note with the session it stands in; `position` is its place in the log."""

    position: int
    session: Session
    entry: Entry


async def search(
    tx: AsyncSession,
    reader: Reader,
    wanted: Wanted,
    where: Sequence[ColumnElement[bool]],
    limit: int,
    before: int | None,
) -> list[Hit]:
    """The newest that have all the words, in sessions that the reader may see and that meet `where`.

    `before`: the position where the last page ended.
    """
    if not wanted.terms:
        return []
    await plan_by_values(tx)
    found = await _found(tx, wanted)
    query = visible(reader).join(found, found.c.session == Session.name)
    query = query.join(Event, Event.position == found.c.position).add_columns(found.c.position, *COLUMNS)
    # The first event of a session has the visitor's name, which is for the list alone.
    query = query.where(found.c.seq > 1, *_side_by_side(wanted), *where)
    query = query.where(*await _written_within(tx, wanted, found.c.position))
    if before is not None:
        query = query.where(found.c.position < before)
    rows: Any = await tx.execute(query.order_by(found.c.position.desc()).limit(limit))
    return [Hit(row[1], row[0], Entry(*row[2:])) for row in rows]


async def sessions_with(tx: AsyncSession, query: str) -> set[str]:
    """The names of the sessions in which all the words were written, those of the newest messages."""
    wanted = Wanted.of(query)
    if not wanted.terms:
        return set()
    found = await _found(tx, wanted)
    newest = select(found.c.session).order_by(found.c.position.desc()).limit(NEWEST)
    if wanted.runs:
        newest = newest.join(Event, Event.position == found.c.position).where(*_side_by_side(wanted))
    return set(await tx.scalars(newest))


async def _found(tx: AsyncSession, wanted: Wanted) -> FromClause:
    """The messages with all the words, to be read newest first.

    PostgreSQL guesses how many there are from each word alone, and may walk through everything for words that never
    stand together, or nowhere. So a few are counted first, and nothing is read without an index: when there are no
    more, they are taken whole; more are so many that the newest are soon met on the way back through all messages.
    """
    has = _has(wanted, on_sqlite=is_sqlite(tx))
    query = select(IndexedMessage.position, IndexedMessage.session, IndexedMessage.seq).where(has)
    if wanted.session:
        query = query.where(IndexedMessage.session == wanted.session)
    if is_sqlite(tx):
        return query.subquery("found")
    few = query.limit(FEW + 1)
    await tx.execute(text("SET LOCAL enable_seqscan = off"))
    count = (await tx.execute(select(func.count()).select_from(few.subquery()))).scalar_one()
    if count > FEW:
        return query.subquery("found")
    return query.limit(max(count, 1)).cte("found").prefix_with("MATERIALIZED")  # with the count it guesses right


async def _written_within(tx: AsyncSession, wanted: Wanted, position: ColumnElement[int]) -> list[ColumnElement[bool]]:
    where: list[ColumnElement[bool]] = []
    if wanted.since is not None:
        where += [Event.at >= wanted.since, position >= await _position_at(tx, wanted.since - SLACK_MS)]
    if wanted.until is not None:
        where += [Event.at <= wanted.until, position <= await _position_at(tx, wanted.until + SLACK_MS)]
    return where


async def _position_at(tx: AsyncSession, at: int) -> int:
    """Where the log stood then, give or take SLACK_MS: times run with the positions but for moments. By halving."""
    low, high = 0, (await tx.execute(select(func.max(Event.position)))).scalar_one() or 0
    while low < high:
        middle = (low + high) // 2
        after = select(Event.position, Event.at).where(Event.position > middle).order_by(Event.position).limit(1)
        position, written = (await tx.execute(after)).one()
        low, high = (position, high) if written <= at else (low, middle)
    return high


def _side_by_side(wanted: Wanted) -> list[ColumnElement[bool]]:
    return [Event.payload.contains(run, autoescape=True) for run in wanted.runs]


def _has(wanted: Wanted, *, on_sqlite: bool) -> ColumnElement[bool]:
    """Terms are letters, digits and `_` only, so that neither engine needs quotes for them."""
    terms = [*wanted.terms, *([shop_term(wanted.shop)] if wanted.shop else [])]
    if on_sqlite:
        index = table(FTS, column("rowid"))
        match = text(f"{FTS} MATCH :words").bindparams(words=" ".join(terms))
        return IndexedMessage.position.in_(select(index.c.rowid).where(match))
    query: ColumnElement[str] = literal_column(f"'{' & '.join(terms)}'::tsquery")
    return IndexedMessage.words.op("@@", is_comparison=True)(query)


def excerpt(content: str, wanted: Wanted) -> list[tuple[str, bool]]:
    """The part of the text around the first word that was looked for, in pieces: `(text, is_hit)`."""
    found = [match.span() for match in pattern.finditer(content)] if (pattern := _pattern(content, wanted)) else []
    start = max(0, found[0][0] - BEFORE) if found and found[0][0] > EXCERPT - BEFORE else 0
    end = min(len(content), start + EXCERPT)
    pieces, at = list[tuple[str, bool]](), start
    for left, right in found:
        if right <= end:
            pieces += [(content[at:left], False), (content[left:right], True)]
            at = right
    pieces.append((content[at:end], False))
    shown = [piece for piece in pieces if piece[0]]
    return [*([("…", False)] if start else []), *shown, *([("…", False)] if end < len(content) else [])]


def _pattern(content: str, wanted: Wanted) -> re.Pattern[str] | None:
    """Finds in the text as it was written what stands in the index in another form."""
    terms = set(wanted.terms)
    latin = {re.escape(word.raw) for word in cut(content) if word.term in terms and not word.is_han}
    han = {term for term in terms if HAN.search(term) and not any(term in run for run in wanted.runs)}
    parts = [rf"(?<![^\W_]){one}(?![^\W_])" for one in latin] + [re.escape(one) for one in (*han, *wanted.runs)]
    parts.sort(key=len, reverse=True)
    return re.compile("|".join(parts), re.IGNORECASE) if parts else None
