"""The hot path of the bot, as `post` is the visitor's: one statement reads what it is asked, one writes its answer.

Writes what `post_by_bot` writes, at a fraction of the cost (docs/adr/0021); a test holds the two equal.
"""

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import orjson
from sqlalchemy.ext.asyncio import AsyncSession

from kefu.files.service import in_words
from kefu.kit.clock import now_ms
from kefu.kit.db import Database
from kefu.kit.i18n import Locale
from kefu.kit.sqlite import numbered
from kefu.log.log import BOT, Entry, Fact, entry, from_row
from kefu.sessions.fold import PREVIEW
from kefu.sessions.models import stream_of
from kefu.sessions.post import LATEST
from kefu.sessions.service import Stale, locked, may_answer, record
from kefu.sessions.work import AnswerVisitor
from kefu.shops.service import is_shadow


@dataclass(frozen=True, slots=True)
class Asked:
    """What the bot is asked, and what was said before: the newest public messages, oldest first.

    `page`: what the visitor looks at, as the shop's page says. `is_shadow`: people answer in this shop.
    """

    name: str
    shop: str
    locale: Locale
    visitor: str
    page: dict[str, Any] | None
    said: Sequence[Entry]
    is_shadow: bool = False


# `service.may_answer`; $1, $2 and $3 are what an `AnswerVisitor` says.
FENCE = "name = $1 AND status = 'bot_active' AND epoch = $2 AND last_visitor_seq = $3 AND answered_seq < $3"
IS_SHADOW = "coalesce((SELECT is_shadow FROM shops WHERE shops.id = sessions.shop{held}), FALSE)"
HELD = " FOR SHARE"  # nobody turns it on before the answer is written
ASKED = f"""
SELECT s.shop, s.locale, s.visitor_id, s.is_shadow,
    (SELECT payload FROM events WHERE stream = $4 AND type = 'page.shown' ORDER BY seq DESC LIMIT 1),
    e.stream, e.seq, e.type, e.audience, e.actor, e.payload, e.client_msg_id, e.at
FROM (SELECT shop, locale, visitor_id, {IS_SHADOW.format(held="")} AS is_shadow FROM sessions WHERE {FENCE}) AS s
CROSS JOIN (
    SELECT * FROM events WHERE stream = $4 AND type = 'message.posted' AND audience = 'public'
    ORDER BY seq DESC LIMIT $5
) AS e ORDER BY e.seq
"""  # noqa: S608 - the parts are constants of this module
BUMP = f"""
UPDATE sessions SET seq = seq + 2, message_count = message_count + 1, answered_seq = $3,
    ai_fail_count = CASE WHEN $4 THEN 0 ELSE ai_fail_count + 1 END, last_role = 'assistant', last_text = $5,
    last_message_at = {LATEST.format(at="$6")}, updated_at = {LATEST.format(at="$6")}
WHERE {FENCE} AND NOT {IS_SHADOW.format(held=HELD)} RETURNING seq, updated_at AS at
"""  # noqa: S608 - the parts are constants of this module
POSTGRES = f"""
WITH head AS ({BUMP}), written AS (
    INSERT INTO events (stream, seq, type, audience, actor, payload, at)
    SELECT $7, seq - 1, 'message.posted', 'public', $8, $9, at FROM head
    UNION ALL SELECT $7, seq, 'answer.evidenced', 'internal', $8, $10, at FROM head
), done AS (DELETE FROM jobs WHERE id = $11 AND EXISTS (SELECT FROM head))
SELECT seq, at FROM head
"""  # noqa: S608 - the parts are constants of this module
SQLITE_BUMP, SQLITE_DONE = numbered(BUMP.replace(HELD, "")), "DELETE FROM jobs WHERE id = ?"
SQLITE_EVENT = "INSERT INTO events (stream, seq, type, audience, actor, payload, at) VALUES (?, ?, ?, ?, ?, ?, ?)"


async def asked_of(db: Database, work: AnswerVisitor, limit: int) -> Asked | None:
    """With at most `limit` messages. None when no answer to `work` is wanted any more. Raises Busy."""
    rows = await db.fetch(ASKED, work.session, work.epoch, work.seq, stream_of(work.session), limit)
    if not rows:
        return None
    shop, locale, visitor, is_silent, page, *_ = rows[0]
    card = orjson.loads(page)["card"] if page else None
    said = [from_row(row[5:], db.sealing) for row in rows]
    return Asked(work.session, shop, locale, visitor, card, said, bool(is_silent))


async def post_answer(
    db: Database, work: AnswerVisitor, answer: dict[str, Any], evidence: dict[str, Any], job: int
) -> None:
    """`post_by_bot` and the end of the job, in a transaction of their own. Raises Stale, Busy."""
    stream = stream_of(work.session)
    said, proof = (entry(stream, 0, fact, 0) for fact in facts_of_answer(work, answer, evidence))
    bump = (work.session, work.epoch, work.seq, answer["answered"], in_words(answer)[:PREVIEW], now_ms())
    more = (stream, said.actor, said.payload, proof.payload, job)
    if db.is_sqlite:
        head = await db.group.run(lambda connection: _post_sqlite(connection, bump, more))
    else:
        head = next(iter(await db.execute(POSTGRES, *bump, *more)), None)
    if head is None:
        raise Stale
    seq, at = head
    db.signals.send("log", [replace(said, seq=seq - 1, at=at), replace(proof, seq=seq, at=at)])


def _post_sqlite(connection: sqlite3.Connection, bump: Sequence[Any], more: Sequence[Any]) -> tuple[int, int] | None:
    head: tuple[int, int] | None = connection.execute(SQLITE_BUMP, bump).fetchone()
    if head is not None:
        (seq, at), (stream, actor, said, proof, job) = head, more
        events = (
            (stream, seq - 1, "message.posted", "public", actor, said, at),
            (stream, seq, "answer.evidenced", "internal", actor, proof, at),
        )
        connection.executemany(SQLITE_EVENT, events)
        connection.execute(SQLITE_DONE, (job,))
    return head


async def post_by_bot(tx: AsyncSession, work: AnswerVisitor, answer: dict[str, Any], evidence: dict[str, Any]) -> Entry:
    """The bot's message with the evidence beside it, for who writes more with them; alone: `answers.post_answer`.

    Fenced: raises Stale, and writes nothing, when the epoch moved, the bot is no longer active or its shop in shadow
    mode, a newer message of the visitor waits for one answer to both, or this message was answered before.
    """
    session = await locked(tx, work.session)
    if not may_answer(session, work) or await is_shadow(tx, session.shop, hold=True):
        raise Stale(epoch=session.epoch)
    posted, _ = await record(tx, session, *facts_of_answer(work, answer, evidence))
    return posted


def facts_of_answer(work: AnswerVisitor, answer: dict[str, Any], evidence: dict[str, Any]) -> tuple[Fact, Fact]:
    """The bot's message and, for agents, what it rests on."""
    said = Fact("message.posted", BOT, {"role": "assistant", **answer, "reply_to": work.seq})
    return said, Fact("answer.evidenced", BOT, {**evidence, "reply_to": work.seq}, audience="internal")
