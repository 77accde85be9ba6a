"""The hot path: a visitor's message in one statement (PostgreSQL) or one grouped commit (SQLite).

Does what `service.post_by_visitor` does for an open session, at a fraction of the cost (docs/adr/0004); a test holds
the two equal. What it cannot do in one statement (a closed session to reopen, a repeat, an unknown name, files) it
leaves to the slow path, as it leaves a token that is void.
"""

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass

import asyncpg
import orjson

from kefu.jobs.queue import REQUEST, row_of
from kefu.kit.acting import acting
from kefu.kit.clock import now_ms
from kefu.kit.db import Database
from kefu.log.log import VISITOR, Entry
from kefu.sessions.fold import PREVIEW
from kefu.sessions.models import stream_of
from kefu.sessions.priority import words_in
from kefu.sessions.service import check_epoch, locked, post_by_visitor
from kefu.sessions.states import Status
from kefu.sessions.work import AnswerVisitor

ACTOR = VISITOR.json()


@dataclass(frozen=True, slots=True)
class Posted:
    """What became of a post. `status`: the state of the session at that moment."""

    entry: Entry
    status: str


@dataclass(frozen=True, slots=True)
class _Message:
    """`request`: the id of the request that brings it."""

    name: str
    content: str
    client_msg_id: str
    identity_epoch: int
    request: str

    @property
    def payload(self) -> str:
        return orjson.dumps({"role": "user", "content": self.content}).decode()


@dataclass(frozen=True, slots=True)
class _Head:
    seq: int
    epoch: int
    status: str
    at: int


class _Unusual(Exception):
    """Not a fresh message in an open session."""


async def post(
    db: Database, name: str, content: str, client_msg_id: str, identity_epoch: int = 0, files: Sequence[str] = ()
) -> Posted:
    """Store the visitor's message durably and ask the bot when it is active. `identity_epoch`: of the visitor's token.

    Repeating a client_msg_id returns the first result.

    Raises SessionNotFound, IdentityChanged, FileNotAvailable, Busy. Returns only after the commit.
    """
    if files:
        return await _post_slowly(db, name, content, client_msg_id, identity_epoch, files)
    message = _Message(name, content, client_msg_id, identity_epoch, acting().request_id)
    payload = message.payload
    try:
        if db.is_sqlite:
            head = await db.group.run(lambda connection: _post_sqlite(connection, message, payload))
        else:
            head = await _post_postgres(db, message, payload)
    except _Unusual:
        return await _post_slowly(db, name, content, client_msg_id, identity_epoch)
    stored = Entry(stream_of(name), head.seq, "message.posted", "public", ACTOR, payload, client_msg_id, head.at)
    db.signals.send("log", [stored])
    if head.status == Status.BOT_ACTIVE:
        db.signals.send("jobs", AnswerVisitor.lane)
    return Posted(stored, head.status)


async def _post_slowly(
    db: Database, name: str, content: str, client_msg_id: str, identity_epoch: int, files: Sequence[str] = ()
) -> Posted:
    async with db.write() as tx:
        check_epoch(await locked(tx, name), identity_epoch)
        stored, session = await post_by_visitor(tx, name, content, client_msg_id, files)
        return Posted(stored, session.status)


# The clock is read before the lock is held, so another writer's time may be later: a log never runs back in time.
LATEST = "CASE WHEN updated_at > {at} THEN updated_at ELSE {at} END"
BUMP = f"""
UPDATE sessions SET seq = seq + 1, message_count = message_count + 1,
    visitor_message_count = visitor_message_count + 1, last_visitor_seq = seq + 1,
    urgent_words = urgent_words | {{words}},
    last_role = 'user', last_text = {{text}}, last_message_at = {LATEST}, updated_at = {LATEST}
WHERE name = {{name}} AND status <> 'closed' AND identity_epoch = {{identity}}
RETURNING seq, epoch, status, updated_at AS at
"""  # noqa: S608 - the parts are constants of this module

POSTGRES_BUMP = BUMP.format(
    text="$2::text", at="$3::bigint", name="$1::text", words="$11::integer", identity="$12::integer"
)
POSTGRES = f"""
WITH head AS (
{POSTGRES_BUMP}), event AS (
    INSERT INTO events (stream, seq, type, audience, actor, payload, client_msg_id, at)
    SELECT $4::text, seq, 'message.posted', 'public', $5::text, $6::text, $7::text, at FROM head
), job AS (
    INSERT INTO jobs (lane, kind, payload, run_at, created_at)
    SELECT $8::text, $9::text, $10::text || seq || ',"epoch":' || epoch || '}}', $3, $3
    FROM head WHERE status = 'bot_active'
)
SELECT seq, epoch, status, at FROM head
"""  # noqa: S608 - the parts are constants of this module

SQLITE_BUMP = BUMP.format(text="?2", at="?3", name="?1", words="?4", identity="?5")
SQLITE_EVENT = """
INSERT INTO events (stream, seq, type, audience, actor, payload, client_msg_id, at)
VALUES (?, ?, 'message.posted', 'public', ?, ?, ?, ?)
"""
SQLITE_JOB = (
    "INSERT INTO jobs (lane, kind, payload, run_at, created_at) VALUES (:lane, :kind, :payload, :run_at, :created_at)"
)


async def _post_postgres(db: Database, one: _Message, payload: str) -> _Head:
    at = now_ms()
    asked = f'"{REQUEST}":{orjson.dumps(one.request).decode()},' if one.request else ""
    job_head = f'{{{asked}"session":{orjson.dumps(one.name).decode()},"seq":'
    arguments = (one.name, one.content[:PREVIEW], at, stream_of(one.name), ACTOR, payload, one.client_msg_id)
    try:
        job = (AnswerVisitor.lane, AnswerVisitor.kind, job_head)
        rows = await db.execute(POSTGRES, *arguments, *job, words_in(one.content), one.identity_epoch)
    except asyncpg.UniqueViolationError:
        raise _Unusual from None
    if not rows:
        raise _Unusual
    return _Head(*rows[0])


def _post_sqlite(connection: sqlite3.Connection, one: _Message, payload: str) -> _Head:
    now = now_ms()
    bump = (one.name, one.content[:PREVIEW], now, words_in(one.content), one.identity_epoch)
    row = connection.execute(SQLITE_BUMP, bump).fetchone()
    if row is None:
        raise _Unusual
    head = _Head(*row)
    try:
        connection.execute(SQLITE_EVENT, (stream_of(one.name), head.seq, ACTOR, payload, one.client_msg_id, head.at))
    except sqlite3.IntegrityError:
        raise _Unusual from None
    if head.status == Status.BOT_ACTIVE:
        connection.execute(SQLITE_JOB, row_of(AnswerVisitor(one.name, head.seq, head.epoch), now, request=one.request))
    return head
