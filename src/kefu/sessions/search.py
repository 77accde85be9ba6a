"""Search over what was written in sessions: messages, and notes of the team. For agents only.

The index, which `indexing.py` fills, knows whole words, in Chinese also the shorter ones inside them and their
characters.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, column, literal_column, select, table, text
from sqlalchemy.ext.asyncio import AsyncSession

from kefu.kit.db import is_sqlite
from kefu.knowledge.words import HAN, cut
from kefu.log.log import COLUMNS, Entry
from kefu.log.models import Event
from kefu.sessions.models import IndexedMessage, Session
from kefu.sessions.queries import visible
from kefu.sessions.search_ddl import FTS
from kefu.sessions.visibility import Reader

TERMS_LIMIT = 16
SESSIONS_LIMIT = 1_000
EXCERPT = 160
BEFORE = 40


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is looked for. `terms` must all be there; `runs`: characters that must stand side by side.

    A Chinese word that the dictionary does not know is cut into its characters, which alone say little.
    """

    terms: tuple[str, ...]
    runs: tuple[str, ...]

    @classmethod
    def of(cls, query: str) -> "Wanted":
        words = list(cut(query))
        terms = tuple(dict.fromkeys(word.term for word in words))[:TERMS_LIMIT]
        runs, run, end = list[str](), "", -1
        for word in words:
            is_single = word.is_han and len(word.term) == 1
            run = (run if word.start == end else "") + word.term if is_single else ""
            end = word.end
            if len(run) > 1:
                runs = [*(runs[:-1] if runs and run.startswith(runs[-1]) else runs), run]
        return cls(terms, tuple(runs))


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
    query = visible(reader).join(IndexedMessage, IndexedMessage.session == Session.name)
    query = query.join(Event, Event.position == IndexedMessage.position).add_columns(IndexedMessage.position, *COLUMNS)
    # The first event of a session has the visitor's name, which is for the list alone.
    query = query.where(_has(wanted, on_sqlite=is_sqlite(tx)), IndexedMessage.seq > 1, *where)
    query = query.where(*(Event.payload.contains(run, autoescape=True) for run in wanted.runs))
    if before is not None:
        query = query.where(IndexedMessage.position < before)
    query = query.order_by(IndexedMessage.position.desc()).limit(limit)
    rows: Any = await tx.execute(query)
    return [Hit(row[1], row[0], Entry(*row[2:])) for row in rows]


def sessions_with(query: str, *, on_sqlite: bool) -> list[Select[str]]:
    """Queries for the names of the sessions in which all the words were written, those of the newest messages."""
    wanted = Wanted.of(query)
    if not wanted.terms:
        return []
    newest = select(IndexedMessage.session, IndexedMessage.position).where(_has(wanted, on_sqlite=on_sqlite))
    if wanted.runs:
        newest = newest.join(Event, Event.position == IndexedMessage.position)
        newest = newest.where(*(Event.payload.contains(run, autoescape=True) for run in wanted.runs))
    found = newest.order_by(IndexedMessage.position.desc()).limit(SESSIONS_LIMIT).subquery()
    return [select(found.c.session)]


def _has(wanted: Wanted, *, on_sqlite: bool) -> ColumnElement[bool]:
    """Terms are letters, digits and `_` only, so that neither engine needs quotes for them."""
    if on_sqlite:
        index = table(FTS, column("rowid"))
        match = text(f"{FTS} MATCH :words").bindparams(words=" ".join(wanted.terms))
        return IndexedMessage.position.in_(select(index.c.rowid).where(match))
    query: ColumnElement[str] = literal_column(f"'{' & '.join(wanted.terms)}'::tsquery")
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
