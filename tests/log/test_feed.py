"""The feed misses nothing, whatever writes at the same time; a reader who trusts positions does."""

from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest
from sqlalchemy import select, text

from accounts.team import bearer
from actors import Stage, data_of
from faults.waiting import until
from kefu.kit.db import Database
from kefu.log.feed import START, Place, follow, is_beyond
from kefu.log.log import SYSTEM, Fact, append, entry, read
from kefu.log.models import Event
from kefu.ops import migrate
from log.feeding import feed_under_load, naively

AT = 1_795_176_000_000


async def write(db: Database, *streams: str) -> None:
    async with db.write() as tx:
        await append(tx, [entry(stream, 1, Fact("note", SYSTEM), AT) for stream in streams])


async def named(db: Database, place: Place = START) -> list[str]:
    async with db.read() as tx:
        return [one.entry.stream for one in await follow(tx, place, 500)]


async def places(db: Database, *streams: str, after: Place = START) -> list[Place]:
    """The places of these streams' events once the feed ends with them.

    Whatever else runs on the server holds it back for a moment.
    """

    async def is_there() -> bool:
        return await named(db, after) == list(streams)

    try:
        await until(is_there, 20)
    except TimeoutError:
        pytest.fail(f"{await named(db, after)} are there instead of {streams}")
    async with db.read() as tx:
        return [one.place for one in await follow(tx, after, 500)]


@pytest.fixture
async def other(database_url: str) -> AsyncIterator[Database]:
    """As another process has it."""
    db = Database(database_url)
    yield db
    await db.close()


async def test_it_equals_the_log_under_writers_of_every_path(
    database_url: str, db: Database, client: httpx2.AsyncClient
) -> None:
    lead = await Stage(db, client).agent("lead", "supervisor")

    async def ask(cursor: str, limit: int) -> Any:
        asked = f"/api/events?after={cursor}&limit={limit}&wait=1"
        return data_of(await client.get(asked, headers=bearer(lead.token)))

    figures = await feed_under_load(database_url, ask, writers=12, seconds=3)
    assert (figures.missed, figures.invented, figures.unlike) == (set(), set(), 0), str(figures)
    assert figures.stored > 30, str(figures)
    assert figures.kills > 0, str(figures)


only_postgresql = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)


@only_postgresql
async def test_what_commits_late_holds_the_feed_back_and_is_lost_by_who_trusts_positions(
    db: Database, other: Database
) -> None:
    """The planted bug: without the horizon the consumer goes past the event that is not there yet."""
    await write(db, "first")
    async with db.write() as late:
        await append(late, [entry("late", 1, Fact("note", SYSTEM), AT)])
        await write(other, "early")
        naive = await naively(other, 0)
        assert len(naive) == 2
        (cursor,) = await places(other, "first")
    assert await naively(other, naive[-1]) == [], "the late event has a lower position and is never seen"
    await places(other, "late", "early", after=cursor)


@only_postgresql
async def test_who_only_reads_holds_nothing_back(db: Database, other: Database) -> None:
    async with db.read() as idle:
        assert await read(idle, "first", public_only=False) == []
        await write(other, "first")
        await places(other, "first")


async def test_places_go_on_whatever_was_undone(db: Database) -> None:
    await write(db, "first")
    with pytest.raises(ZeroDivisionError):
        await write_and_fail(db)
    await write(db, "second", "third")
    found = await places(db, "first", "second", "third")
    assert found == sorted(set(found))
    await places(db, "third", after=found[1])


async def write_and_fail(db: Database) -> None:
    async with db.write() as tx:
        await append(tx, [entry("undone", 1, Fact("note", SYSTEM), AT)])
        raise ZeroDivisionError


async def test_a_place_beyond_the_log_is_known(db: Database) -> None:
    await write(db, "first")
    (place,) = await places(db, "first")
    async with db.read() as tx:
        assert not await is_beyond(tx, START)
        assert not await is_beyond(tx, place)
        assert await is_beyond(tx, Place(place.xid + 2**40, place.position + 2**40))


@only_postgresql
async def test_after_a_restore_into_a_younger_server_the_order_goes_on(db: Database) -> None:
    """As pg_restore leaves it: the old rows carry the numbers of a server that had counted much further."""
    await write(db, "old 1")
    await write(db, "old 2")
    async with db.engine.begin() as connection:
        await connection.execute(text("UPDATE events SET xid = xid + 1000000000"))
    assert not await migrate.is_current(db), "serving now would give new events places before the old ones"
    async with db.read() as tx:
        before = Place(*(await tx.execute(select(Event.xid, Event.position).order_by(Event.position).limit(1))).one())
    for _ in range(2):
        await migrate.upgrade(db)
        assert await migrate.is_current(db)
    await write(db, "new")
    await places(db, "old 2", "new", after=before)
    await places(db, "old 1", "old 2", "new")
