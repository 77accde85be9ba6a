"""Reads what visitors wrote by following the log: never in the way of who writes, and each message exactly once."""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import orjson
from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert as postgres_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.ext.asyncio import AsyncSession

from kefu.ai.ports import ModelOf
from kefu.analysis.lexicon import lexicons
from kefu.analysis.rules import DIMENSIONS, analyse
from kefu.assisting.model_reading import MOST, ReadByModel
from kefu.assisting.models import MessageAnalysis, Suggestion
from kefu.assisting.packet import judged
from kefu.assisting.work import PrepareHelp
from kefu.jobs.queue import Taken, again, enqueue_all
from kefu.kit.db import Database, is_sqlite
from kefu.kit.errors import NotFound
from kefu.log.feed import Place, Placed, follow
from kefu.log.log import COLUMNS, Entry
from kefu.log.models import Event
from kefu.sessions.marks import Overtaken, move, place_of
from kefu.sessions.models import Session, stream_of
from kefu.sessions.queries import find_many
from kefu.sessions.states import Move, Status
from kefu.sessions.suggested import TYPE as USED

FOLLOWER = "message-analysis"
EVERY = timedelta(seconds=2)
# Few, for SQLite has one writer, and whoever posts waits for it.
BATCH = 50
TAKEN = {Move.TAKE_OVER.value, Move.TRANSFER.value}


@dataclass(frozen=True, slots=True)
class Page:
    """What follows `place` in the log, with the sessions it is of.

    `rows`: what rules read in the messages; `with_model`: the shops where a model is to read them as well.
    """

    place: Place
    found: Sequence[Placed]
    sessions: Mapping[str, Session]
    rows: list[dict[str, Any]] = field(default_factory=list)
    with_model: set[str] = field(default_factory=set)


async def read_messages(db: Database, reader_of: ModelOf | None, job: Taken) -> None:
    """Handles `ReadMessages`: follows the log to its end. Repeating it, or doing it twice at once, changes nothing."""
    await asyncio.to_thread(lexicons)  # to read them takes a tenth of a second, once
    while not await _read_page(db, reader_of, job):
        pass


async def _read_page(db: Database, reader_of: ModelOf | None, job: Taken) -> bool:
    """Whether it was the last one, with which the job is due again."""
    page = await _next_page(db)
    if reader_of is not None:
        page.with_model.update(await _with_model(reader_of, {row["shop"] for row in page.rows}))
    is_last = len(page.found) < BATCH
    try:
        async with db.write() as tx:
            if page.found:
                await _write_page(tx, page)
            if is_last:
                await again(tx, job, EVERY)
    except Overtaken:
        return False
    return is_last


async def _next_page(db: Database) -> Page:
    async with db.read() as tx:
        place = await place_of(tx, FOLLOWER)
        found = await follow(tx, place, BATCH)
        names = {_session_of(one.entry) for one in found}
        page = Page(place, found, {one.name: one for one in await find_many(tx, sorted(names))})
    for one in found:
        session = page.sessions.get(_session_of(one.entry))
        if session is not None and _is_of_visitor(one.entry):
            page.rows.append(_row(session, one.entry))
            await asyncio.sleep(0)  # others in between: a long message takes milliseconds
    return page


async def _with_model(reader_of: ModelOf, shops: set[str]) -> set[str]:
    found = set()
    for shop in shops:
        with suppress(NotFound):
            found |= {shop} if await reader_of(shop) else set()
    return found


async def _write_page(tx: AsyncSession, page: Page) -> None:
    await move(tx, FOLLOWER, page.place, page.found[-1].place)
    if page.rows:
        insert = sqlite_insert if is_sqlite(tx) else postgres_insert
        await tx.execute(insert(MessageAnalysis).on_conflict_do_nothing(), page.rows)
        await _ask_models(tx, page)
    for one in page.found:
        session = page.sessions.get(_session_of(one.entry))
        if session is None:
            continue
        if one.entry.type == USED:
            await _keep_outcome(tx, one.entry)
    calling = {_session_of(one.entry) for one in page.found if _calls_for_help(one.entry)}
    held = [page.sessions[name] for name in sorted(calling & page.sessions.keys()) if is_held(page.sessions[name])]
    await enqueue_all(tx, [PrepareHelp(one.name, one.last_visitor_seq) for one in held if one.last_visitor_seq])


async def _ask_models(tx: AsyncSession, page: Page) -> None:
    """In one call what a visitor wrote since the last page."""
    seqs: dict[str, list[int]] = {}
    for row in page.rows:
        if row["shop"] in page.with_model:
            seqs.setdefault(row["session"], []).append(row["seq"])
    parts = [
        (name, sorted(found)[start : start + MOST])
        for name, found in sorted(seqs.items())
        for start in range(0, len(found), MOST)
    ]
    await enqueue_all(tx, [ReadByModel(name, some[0], some[-1]) for name, some in parts])


def _calls_for_help(entry: Entry) -> bool:
    """The visitor wrote, or somebody has the session now."""
    return entry.type in TAKEN or _is_of_visitor(entry)


def is_held(session: Session) -> bool:
    return session.status == Status.MANUAL_LIVE and session.agent_id is not None


def _session_of(entry: Entry) -> str:
    return entry.stream.removeprefix(stream_of(""))


def _is_of_visitor(entry: Entry) -> bool:
    if entry.type != "message.posted":
        return False
    facts = entry.facts
    return bool(facts["role"] == "user" and facts["content"])


def _row(session: Session, entry: Entry) -> dict[str, Any]:
    read = analyse(entry.facts["content"], session.locale)
    return {
        "session": session.name,
        "seq": entry.seq,
        "shop": session.shop,
        "at": entry.at,
        "sentiment": read.sentiment.label,
        "urgency": read.urgency.label,
        "intent": read.intent.label,
        "wishes": read.requirement.label == "yes",
        "readings": {one: judged(getattr(read, one)) for one in DIMENSIONS},
    }


async def _keep_outcome(tx: AsyncSession, used: Entry) -> None:
    """Adopted as it stood, or edited, and by how much: from the two texts. The first one sent of it counts."""
    from rapidfuzz.distance import Levenshtein  # noqa: PLC0415 - only a suggestion that was sent needs it

    facts = used.facts
    suggestion = await tx.get(Suggestion, facts["suggestion_id"])
    query = select(*COLUMNS).where(Event.stream == used.stream, Event.seq == facts["message_seq"])
    row = (await tx.execute(query)).first()
    if suggestion is None or suggestion.session != _session_of(used) or row is None:
        return
    distance = Levenshtein.distance(suggestion.text, Entry(*row).facts["content"])
    values = {
        "outcome": "edited" if distance else "adopted",
        "outcome_by": orjson.loads(used.actor).get("id"),
        "outcome_at": used.at,
        "sent_seq": facts["message_seq"],
        "distance": distance,
    }
    await tx.execute(
        update(Suggestion).where(Suggestion.id == suggestion.id, Suggestion.sent_seq.is_(None)).values(values)
    )
