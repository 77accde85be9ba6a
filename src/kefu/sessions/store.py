"""Where a session's state is asked for when no write hangs on it: the database, or Redis in front of it.

Commands never ask here: they lock the row. What a store says may be a moment old.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import orjson
from sqlalchemy import JSON, Boolean, delete, func, select
from sqlalchemy.dialects import postgresql, sqlite

from kefu.kit.clock import now_ms
from kefu.kit.db import Database
from kefu.kit.sealed import SealedFields, SealedText, still_sealed
from kefu.sessions.models import Session
from kefu.sessions.queries import find, visible
from kefu.sessions.since import EACH
from kefu.sessions.states import Status
from kefu.sessions.visibility import KEFU

COLUMNS = tuple(column.name for column in Session.__table__.columns)
# What the drivers give otherwise than the ORM: text of JSON, on SQLite whole numbers, and what is sealed as it is.
READ_AS: dict[type, Callable[[Any], Any]] = {
    JSON: orjson.Fragment,
    SealedFields: orjson.Fragment,
    SealedText: still_sealed,
    Boolean: bool,
}
READ = {one.name: READ_AS[type(one.type)] for one in Session.__table__.columns if type(one.type) in READ_AS}
ROWS = f"SELECT {', '.join(COLUMNS)} FROM sessions WHERE name IN (SELECT {{each}})"  # noqa: S608 - a constant


@dataclass(frozen=True, slots=True)
class Stats:
    """Of the sessions in which something happened lately. `oldest_wait`: ms since 1970, None when nobody waits."""

    counts: dict[Status, int]
    oldest_wait: int | None

    @property
    def total(self) -> int:
        return sum(self.counts.values())

    @property
    def waiting(self) -> int:
        return self.counts[Status.PENDING_MANUAL]


class SessionStore(Protocol):
    """`get` knows every session; lists, counts and stats those with an event in the last SESSION_EXPIRE_SECONDS.

    Raises Busy when the database is asked and cannot answer.
    """

    async def get(self, name: str) -> Session | None: ...

    async def save(self, session: Session) -> bool:
        """Keep this state unless a newer one (by seq) is known; whether it was kept. Repeating it changes nothing."""

    async def delete(self, name: str) -> None: ...

    async def list_by_status(self, status: Status, limit: int, offset: int = 0) -> list[Session]:
        """Last changed first."""

    async def count_by_status(self, status: Status) -> int: ...

    async def get_stats(self) -> Stats: ...


class DatabaseStore:
    """The truth itself. `save` and `delete` are for moving data in and out; what happens to a session is a command."""

    def __init__(self, db: Database, expire_seconds: int) -> None:
        self._db = db
        self._expire_ms = expire_seconds * 1000

    async def get(self, name: str) -> Session | None:
        async with self._db.read() as tx:
            return await find(tx, name)

    async def save(self, session: Session) -> bool:
        row = row_of(session)
        insert = sqlite.insert if self._db.is_sqlite else postgresql.insert
        query = insert(Session).values(row)
        newer = query.excluded.seq > Session.seq
        query = query.on_conflict_do_update(index_elements=[Session.name], set_=row, where=newer)
        async with self._db.write() as tx:
            return (await tx.execute(query.returning(Session.name))).first() is not None

    async def delete(self, name: str) -> None:
        async with self._db.write() as tx:
            await tx.execute(delete(Session).where(Session.name == name))

    async def list_by_status(self, status: Status, limit: int, offset: int = 0) -> list[Session]:
        query = visible(KEFU).where(Session.status == status.value, self._is_recent())
        query = query.order_by(Session.updated_at.desc(), Session.name.desc()).limit(limit).offset(offset)
        async with self._db.read() as tx:
            return list((await tx.execute(query)).scalars())

    async def count_by_status(self, status: Status) -> int:
        query = select(func.count()).select_from(Session).where(Session.status == status.value, self._is_recent())
        async with self._db.read() as tx:
            return (await tx.execute(query)).scalar_one()

    async def get_stats(self) -> Stats:
        query = select(Session.status, func.count(), func.min(Session.escalated_at)).where(self._is_recent())
        async with self._db.read() as tx:
            rows = (await tx.execute(query.group_by(Session.status))).all()
        counts = dict.fromkeys(Status, 0) | {Status(status): count for status, count, _ in rows}
        waits = [since for status, _, since in rows if status == Status.PENDING_MANUAL]
        return Stats(counts, waits[0] if waits else None)

    def _is_recent(self) -> Any:
        return Session.updated_at > now_ms() - self._expire_ms


def row_of(session: Session) -> dict[str, Any]:
    return {name: getattr(session, name) for name in COLUMNS}


async def rows_of(db: Database, names: list[str]) -> list[dict[str, Any]]:
    """The rows of the named sessions, sealed, ready to be written as JSON. Raises Busy.

    Past the ORM, of which each post would cost a twelfth here.
    """
    found = await db.fetch(ROWS.format(each=EACH[db.is_sqlite]), orjson.dumps(names).decode())
    rows = [dict(zip(COLUMNS, values, strict=True)) for values in found]
    for row in rows:
        row.update((name, read(row[name])) for name, read in READ.items() if row[name] is not None)
    return rows
