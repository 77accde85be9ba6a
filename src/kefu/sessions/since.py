"""What followers of sessions read: the hot path beside `post`, one statement each (docs/adr/0004)."""

from dataclasses import dataclass

import orjson

from kefu.kit.db import Database
from kefu.log.log import READ_LIMIT, Entry, from_row
from kefu.sessions.models import stream_of


@dataclass(frozen=True, slots=True)
class Head:
    """A session's row as far as its followers care, and the seqs up to which each side has read (0: nothing)."""

    name: str
    seq: int
    epoch: int
    status: str
    shop: str
    last_visitor_seq: int
    answered_seq: int
    escalated_at: int | None
    identity_epoch: int = 0
    read_by_visitor: int = 0
    read_by_agents: int = 0


HEAD_COLUMNS = len(Head.__dataclass_fields__)
# Asked once a statement, since it names no row of the others.
READ = "(SELECT coalesce(max(seq), 0) FROM read_marks WHERE session = $1 AND reader {side} 'visitor')"
SINCE = f"""
SELECT s.name, s.seq, s.epoch, s.status, s.shop, s.last_visitor_seq, s.answered_seq, s.escalated_at,
    s.identity_epoch,
    {READ.format(side="=")}, {READ.format(side="<>")},
    e.stream, e.seq, e.type, e.audience, e.actor, e.payload, e.client_msg_id, e.at
FROM sessions AS s LEFT JOIN events AS e ON e.stream = $2 AND e.seq > $3 {{audience}}
WHERE s.name = $1 ORDER BY e.seq LIMIT $4
"""  # noqa: S608 - the parts are constants of this module
EVERYTHING = SINCE.format(audience="")
PUBLIC = SINCE.format(audience="AND e.audience = 'public'")
CHANGED = "SELECT name, seq FROM sessions WHERE updated_at >= $1 ORDER BY updated_at DESC LIMIT $2"
HEADS = "SELECT name, seq FROM sessions WHERE name IN (SELECT {each})"
EACH = ("json_array_elements_text($1::json)", "value FROM json_each($1)")
CHANGED_AFTER = """
SELECT name, seq, updated_at FROM sessions
WHERE updated_at >= $1 AND (updated_at, name) > ($1, $2) ORDER BY updated_at, name LIMIT $3
"""


async def since(
    db: Database, name: str, after: int, *, public_only: bool, limit: int = READ_LIMIT
) -> tuple[Head, list[Entry]] | None:
    """The session and its entries with seq > `after`, in order, at most `limit`: both of one moment.

    None when there is no such session. Raises Busy.
    """
    rows = await db.fetch(PUBLIC if public_only else EVERYTHING, name, stream_of(name), after, limit)
    if not rows:
        return None
    entries = [from_row(row[HEAD_COLUMNS:], db.sealing) for row in rows if row[HEAD_COLUMNS] is not None]
    return Head(*rows[0][:HEAD_COLUMNS]), entries


async def changed(db: Database, at: int, limit: int) -> list[tuple[str, int]]:
    """Name and seq of the sessions that changed at or after `at`, newest first. Raises Busy."""
    return [(row[0], row[1]) for row in await db.fetch(CHANGED, at, limit)]


async def heads(db: Database, names: list[str]) -> list[tuple[str, int]]:
    """Name and seq of the named sessions. Raises Busy."""
    sql = HEADS.format(each=EACH[db.is_sqlite])
    return [(row[0], row[1]) for row in await db.fetch(sql, orjson.dumps(names).decode())]


async def changed_after(db: Database, at: int, name: str, limit: int) -> list[tuple[str, int, int]]:
    """Name, seq and updated_at of the sessions after the place (`at`, `name`), in that order. Raises Busy."""
    return [(row[0], row[1], row[2]) for row in await db.fetch(CHANGED_AFTER, at, name, limit)]
