"""Everything that is sealed, sealed again under the first key, or only counted (docs/operate/keys.md).

Safe while the service runs, and twice at once: a value is replaced where it still is what was read, else whoever
changed it has sealed it. Begun again after a stop it passes over what is done.
"""

import asyncio
import sqlite3
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import closing
from typing import Any, NamedTuple

import orjson
from sqlalchemy import JSON, Column, MetaData, Select, Table, Text, cast, literal, or_, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from kefu.kit.db import Database, is_sqlite
from kefu.kit.sealed import IN_JSON, OpenedText, SealedFields, SealedText, Token, is_sealed, seal_fields
from kefu.kit.secrets import Sealer
from kefu.log.private import PRIVATE

PAGE = 200
SEALED_TYPES = (SealedText, SealedFields, OpenedText, Token)


class Found(NamedTuple):
    """A value as it stands in the database. `type`: of an event, else empty."""

    key: Any
    text: str
    type: str


class Tally:
    """How many values each key seals, by its number; how many no key opens, by their column; how many are plain."""

    def __init__(self) -> None:
        self.by_key: Counter[int] = Counter()
        self.unreadable: Counter[str] = Counter()
        self.plain = 0

    @property
    def is_done(self) -> bool:
        """Whether the first key alone opens everything."""
        return not self.plain and not self.unreadable and not any(self.by_key.keys() - {0})

    def told(self, names: Sequence[str]) -> str:
        """For the operator. `names`: what they call each key."""
        lines = [f"{self.by_key[number]:,} values are sealed with {name}." for number, name in enumerate(names)]
        lines += [f"{self.plain:,} values are not sealed.\n    → kefu secrets rotate"] * bool(self.plain)
        lines += [
            f"{count:,} values of {where} open with none of these keys.\n    → Add the one they were sealed with."
            for where, count in sorted(self.unreadable.items())
        ]
        needed = [name for number, name in enumerate(names) if number and self.by_key[number]]
        if needed:
            lines.append(f"Still needed to open them: {'; '.join(needed)}.\n    → kefu secrets rotate")
        elif self.is_done:
            lines.append("No other key is needed to open anything.")
        return "\n".join(lines)


def sealed_columns(tables: MetaData) -> list[tuple[Table, Column[Any]]]:
    """All there are: a column is sealed by its type."""
    every = ((table, column) for table in tables.sorted_tables for column in table.columns)
    return [(table, column) for table, column in every if isinstance(column.type, SEALED_TYPES)]


async def reseal(
    db: Database, tables: MetaData, tally: Tally, *, changes: bool = True
) -> AsyncIterator[tuple[str, int]]:
    """Walk through all of it, and say how many values of which column were seen. Without `changes` it only counts."""
    for table, column in sealed_columns(tables):
        again = Again(db.sealing(), tally, column, changes=changes)
        found, seen = await _next_page(db, again, table, column, None), 0
        while found:
            seen += len(found)
            yield again.name, seen
            found = await _next_page(db, again, table, column, found[-1].key)
    if db.is_sqlite and changes:
        await asyncio.to_thread(_end_the_log, db.path)


async def _next_page(db: Database, again: "Again", table: Table, column: Column[Any], after: Any) -> list[Found]:
    async with db.read() as tx:
        found = [Found(*row) for row in await tx.execute(_page(table, column, after))]
    changed = [(one, new) for one in found if (new := again.seal(one)) != one.text]
    if changed:
        async with db.write() as tx:
            await _replace(tx, table, column, changed)
    return found


def _page(table: Table, column: Column[Any], after: Any) -> Select[Any]:
    (key,) = table.primary_key
    raw, is_event = cast(column, Text), isinstance(column.type, OpenedText)
    query = select(key, raw, table.c.type if is_event else literal("")).where(raw.is_not(None))
    if is_event:
        query = query.where(or_(table.c.type.in_(PRIVATE), raw.contains('{"sealed"')))
    return query.where(*([] if after is None else [key > after])).order_by(key).limit(PAGE)


async def _replace(tx: AsyncSession, table: Table, column: Column[Any], changed: Sequence[tuple[Found, str]]) -> None:
    """The rows are locked in the order of their keys that Python knows, which is that of every command."""
    (key,) = table.primary_key
    if is_sqlite(tx):
        await tx.execute(text("PRAGMA secure_delete=ON"))  # what is replaced is overwritten
    for one, new in sorted(changed, key=lambda pair: pair[0].key):
        value = literal(new, Text)
        typed = cast(value, JSON) if isinstance(column.type, SealedFields) and not is_sqlite(tx) else value
        as_it_was = (key == one.key, cast(column, Text) == one.text)
        await tx.execute(update(table).where(*as_it_was).values({column.name: typed}))


def _end_the_log(path: str) -> None:
    """Have SQLite drop the older pages of its write-ahead log, unless somebody reads them now."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


class Again:
    """Seals the values of one column again, or only counts them."""

    def __init__(self, sealer: Sealer, tally: Tally, column: Column[Any], *, changes: bool) -> None:
        self.name = f"{column.table.name}.{column.name}"
        self._sealer, self._tally, self._type, self._changes = sealer, tally, column.type, changes

    def seal(self, found: Found) -> str:
        if isinstance(self._type, SealedText):
            return self._token(found.text) if is_sealed(found.text) else self._plain(found.text)
        if isinstance(self._type, Token):
            return self._token(found.text)
        new = IN_JSON.sub(lambda one: one[0].replace(one[1], self._token(one[1])), found.text)
        paths = self._type.names if isinstance(self._type, SealedFields) else PRIVATE.get(found.type, ())
        facts = orjson.loads(new)
        sealed = seal_fields(facts, paths, self._plain)
        return orjson.dumps(sealed).decode() if self._changes and sealed != facts else new

    def _token(self, sealed: str) -> str:
        number = self._sealer.key_of(sealed)
        if number is None:
            self._tally.unreadable[self.name] += 1
            return sealed
        is_moved = self._changes and number > 0
        self._tally.by_key[0 if is_moved else number] += 1
        return self._sealer.reseal(sealed) if is_moved else sealed

    def _plain(self, value: str) -> str:
        if not self._changes:
            self._tally.plain += 1
            return value
        self._tally.by_key[0] += 1
        return self._sealer.seal(value)
