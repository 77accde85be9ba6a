"""Fills the index of the search by following the log: never while somebody writes, and each event exactly once.

How far it has come is kept in `feed_marks` and moves in the transaction that writes the words, from the very place
that was read: of two who follow at once, and of a process killed halfway, nothing is written twice or left out.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import delete, func, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from kefu.files.service import in_words
from kefu.jobs.queue import Taken, again
from kefu.kit.db import Database, is_sqlite
from kefu.knowledge.words import all_terms
from kefu.log.feed import START, Place, Placed, follow
from kefu.log.models import Event
from kefu.sessions.marks import Overtaken, move, place_of
from kefu.sessions.models import FeedMark, IndexedMessage, Session, stream_of
from kefu.sessions.search_ddl import shop_term

FOLLOWER = "message-search"
EVERY = timedelta(seconds=3)
BATCH = 100
NOTE = "note."

INSERT = "INSERT INTO indexed_messages (position, session, seq, words) VALUES (:position, :session, :seq, {words})"
SQLITE = text(INSERT.format(words=":words"))
POSTGRES = text(INSERT.format(words="array_to_tsvector(string_to_array(:words, ' '))"))


async def index_messages(db: Database, job: Taken) -> None:
    """Handles `IndexMessages`: follows the log to its end. Repeating it, or doing it twice at once, changes nothing."""
    while not await _index_page(db, job):
        pass


async def _index_page(db: Database, job: Taken) -> bool:
    """Whether it was the last one, with which the job is due again."""
    place, found, shops = await next_page(db)
    rows = await asyncio.to_thread(rows_of, found, shops)
    is_last = len(found) < BATCH
    try:
        async with db.write() as tx:
            if found:
                await write_page(tx, place, found[-1].place, rows)
            if is_last:
                await again(tx, job, EVERY)
    except Overtaken:
        return False
    return is_last


async def rebuild(db: Database) -> AsyncIterator[tuple[int, int]]:
    """Make the index anew from the whole log, while everything goes on: `(events followed, events there are)`.

    Until it is done the search finds only what was followed already. Stopped halfway, the worker goes on.
    """
    async with db.write() as tx:
        mark = await tx.get(FeedMark, FOLLOWER, with_for_update=True)
        await move(tx, FOLLOWER, Place(mark.xid, mark.position) if mark else START, START)
        await tx.execute(delete(IndexedMessage))
        there = (await tx.execute(select(func.count()).select_from(Event))).scalar_one()
    followed = 0
    while True:
        place, found, shops = await next_page(db)
        if not found:
            return
        rows = await asyncio.to_thread(rows_of, found, shops)
        try:
            async with db.write() as tx:
                await write_page(tx, place, found[-1].place, rows)
        except Overtaken:  # by the worker, which does the same
            continue
        followed += len(found)
        yield followed, max(there, followed)


async def next_page(db: Database) -> tuple[Place, Sequence[Placed], dict[str, str]]:
    """Where the index stands, what follows there, and the shop of each session in that."""
    async with db.read() as tx:
        place = await place_of(tx, FOLLOWER)
        found = await follow(tx, place, BATCH)
        names = {_session_of(one) for one in found}
        shops = await tx.execute(select(Session.name, Session.shop).where(Session.name.in_(names)))
        return place, found, {name: shop for name, shop in shops}  # noqa: C416 - a row is no pair to mypy


async def write_page(tx: AsyncSession, place: Place, reached: Place, rows: list[dict[str, Any]]) -> None:
    await move(tx, FOLLOWER, place, reached)
    if rows:
        await tx.execute(SQLITE if is_sqlite(tx) else POSTGRES, rows)


def rows_of(found: Sequence[Placed], shops: Mapping[str, str]) -> list[dict[str, Any]]:
    """The rows of those events that have words."""
    return [row for one in found if (row := _row(one, shops))]


def _session_of(one: Placed) -> str:
    return one.entry.stream.removeprefix(stream_of(""))


def _row(one: Placed, shops: Mapping[str, str]) -> dict[str, Any] | None:
    entry, name = one.entry, _session_of(one)
    if name not in shops or not _may_have_words(entry.type):
        return None
    facts = entry.facts
    said = facts.get("nickname") if entry.type == "session.opened" else _said(facts)
    words = all_terms(said) if isinstance(said, str) else []
    row = {"position": one.place.position, "session": name, "seq": entry.seq}
    return {**row, "words": " ".join([*words, shop_term(shops[name])])} if words else None


def _said(facts: dict[str, Any]) -> str | None:
    """A note that was removed says nothing."""
    return in_words(facts) if isinstance(facts.get("content"), str) else None


def _may_have_words(type_: str) -> bool:
    return type_ in {"message.posted", "session.opened"} or type_.startswith(NOTE)
