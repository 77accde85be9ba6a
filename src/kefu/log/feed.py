"""The log of the whole workspace, for readers who come back with a cursor and must miss nothing (docs/adr/0013).

On PostgreSQL rows become visible in another order than their positions were given. The feed is therefore ordered by
the transaction that wrote a row and then by its position, and ends before the oldest transaction that still runs:
nothing can appear any more before that. On SQLite there is one writer, and positions are the order of the commits.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from sqlalchemy import BigInteger, Connection, func, literal_column, select, text, tuple_
from sqlalchemy.ext.asyncio import AsyncSession

from kefu.log.log import COLUMNS, Entry
from kefu.log.models import Event

PAGE_LIMIT = 500


class Place(NamedTuple):
    """A place in the feed. `xid` is 0 on SQLite and for rows that are older than the feed."""

    xid: int
    position: int


START = Place(0, 0)
HORIZON = literal_column("feed_xid(pg_snapshot_xmin(pg_current_snapshot()))", BigInteger)


@dataclass(frozen=True, slots=True)
class Placed:
    place: Place
    entry: Entry


async def follow(tx: AsyncSession, after: Place, limit: int) -> Sequence[Placed]:
    """The next entries of all streams, at most `limit`; fewer mean that there are no more at this moment.

    Two entries of one stream may come swapped: their seqs order them. One statement, so that rows and horizon are of
    one snapshot.
    """
    query = select(Event.xid, Event.position, *COLUMNS).limit(limit)
    if tx.get_bind().dialect.name == "postgresql":
        query = query.where(tuple_(Event.xid, Event.position) > tuple_(*after), Event.xid < HORIZON)
        query = query.order_by(Event.xid, Event.position)
    else:
        query = query.where(Event.position > after.position).order_by(Event.position)
    return [Placed(Place(xid, position), Entry(*rest)) for xid, position, *rest in await tx.execute(query)]


async def is_beyond(tx: AsyncSession, place: Place) -> bool:
    """Whether no reader of this log can have come so far: the cursor is of another database, or of a lost part."""
    if tx.get_bind().dialect.name == "postgresql":
        return bool((await tx.execute(select(place.xid >= HORIZON))).scalar_one())
    newest = (await tx.execute(select(func.max(Event.position)))).scalar_one()
    return place.position > (newest or 0)


RUNS_AHEAD = text("SELECT coalesce(max(xid), 0) >= feed_xid(pg_snapshot_xmax(pg_current_snapshot())) FROM events")
CARRY_ON = """
CREATE OR REPLACE FUNCTION feed_xid(xid8) RETURNS bigint LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS 'SELECT $1::text::bigint + {newest}'
"""


def runs_ahead(connection: Connection) -> bool:
    """Whether the log was restored into a server that counts transactions from lower numbers than it holds."""
    return connection.dialect.name == "postgresql" and bool(connection.execute(RUNS_AHEAD).scalar_one())


def carry_on(connection: Connection) -> None:
    """Order what is written from now on after what was restored; cursors of before stay good. Safe to repeat."""
    if runs_ahead(connection):
        newest = connection.execute(select(func.max(Event.xid))).scalar_one()
        connection.execute(text(CARRY_ON.format(newest=int(newest))))
