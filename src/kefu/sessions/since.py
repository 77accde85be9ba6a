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
SESSION = (
    """s.name, s.seq, s.epoch, s.status, s.shop, s.last_visitor_seq, s.answered_seq, s.escalated_at, s.identity_epoch"""
)
EVENT = "e.stream, e.seq, e.type, e.audience, e.actor, e.payload, e.client_msg_id, e.at"
# Asked once a statement, since it names no row of the others.
READ = "(SELECT coalesce(max(seq), 0) FROM read_marks WHERE session = $1 AND reader {side} 'visitor')"
ALONE = f"""
SELECT {SESSION}, {READ.format(side="=")}, {READ.format(side="<>")}, {EVENT}
FROM sessions AS s LEFT JOIN events AS e ON e.stream = $2 AND e.seq > $3 AND (e.audience = 'public' OR NOT $4)
WHERE s.name = $1 ORDER BY e.seq LIMIT $5
"""  # noqa: S608 - the parts are constants of this module
# The same for several, each `[name, stream, after, public_only, limit]`. The limits keep PostgreSQL, which takes them
# for a hundred, from reading whole tables.
TOGETHER = f"""
SELECT one.n, {SESSION}, marks.by_visitor, marks.by_agents, {EVENT}
FROM json_array_elements($1::json) WITH ORDINALITY AS one(asks, n)
CROSS JOIN LATERAL (SELECT * FROM sessions WHERE name = one.asks->>0 LIMIT 1) AS s
CROSS JOIN LATERAL (
    SELECT coalesce(max(seq) FILTER (WHERE reader = 'visitor'), 0) AS by_visitor,
        coalesce(max(seq) FILTER (WHERE reader <> 'visitor'), 0) AS by_agents
    FROM read_marks WHERE session = s.name
) AS marks
LEFT JOIN LATERAL (
    SELECT * FROM events
    WHERE stream = one.asks->>1 AND seq > (one.asks->>2)::bigint AND (audience = 'public' OR NOT (one.asks->>3)::bool)
    ORDER BY seq LIMIT (one.asks->>4)::int
) AS e ON true
ORDER BY one.n, e.seq
"""  # noqa: S608 - the parts are constants of this module
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
    asked = (name, stream_of(name), after, public_only, limit)
    rows = await (db.fetch(ALONE, *asked) if db.is_sqlite else db.fetch_together(TOGETHER, *asked))
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
