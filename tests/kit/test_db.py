"""One transaction per command, and what waits together is committed together."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from asyncpg import DivisionByZeroError
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from faults.proxy import Proxy
from faults.waiting import until
from kefu.kit import db as kit_db
from kefu.kit.db import Database, announce
from kefu.kit.errors import Busy
from kefu.kit.postgres import CONNECTIONS, TOGETHER
from kefu.kit.sqlite import BATCH, GroupCommit


async def put(db: Database, name: str) -> None:
    async with db.write() as tx:
        await tx.execute(text("INSERT INTO slips VALUES (:name)"), {"name": name})
        announce(tx, "notes", name)


async def names(db: Database) -> list[str]:
    async with db.read() as tx:
        return sorted((await tx.execute(text("SELECT name FROM slips"))).scalars())


@pytest.fixture
async def notes(db: Database) -> AsyncIterator[list[str]]:
    """A table of unique names, and what was announced of it."""
    async with db.write() as tx:
        await tx.execute(text("CREATE TABLE slips (name TEXT PRIMARY KEY)"))
    heard: list[str] = []
    db.signals.listen("notes", heard.append)
    yield heard
    async with db.write() as tx:
        await tx.execute(text("DROP TABLE slips"))


async def test_what_is_announced_is_committed_and_what_is_undone_is_not_announced(
    db: Database, notes: list[str]
) -> None:
    await put(db, "kept")
    with pytest.raises(IntegrityError):
        await put(db, "kept")
    assert await names(db) == notes == ["kept"]


async def test_forty_commands_at_once_all_commit(db: Database, notes: list[str]) -> None:
    await asyncio.gather(*(put(db, f"note {n:02}") for n in range(40)))
    assert await names(db) == sorted(notes) == [f"note {n:02}" for n in range(40)]


async def process_of(db: Database, sql: str = "SELECT pg_backend_pid()") -> int:
    """Of PostgreSQL's, which is the connection's own."""
    [(process,)] = await db.fetch(sql)
    return int(process)


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_many_statements_at_once_take_turns_on_few_connections(db: Database) -> None:
    slow = "SELECT pg_backend_pid() FROM pg_sleep(0.02)"
    used = set(await asyncio.gather(*(process_of(db, slow) for _ in range(5 * CONNECTIONS))))
    assert 1 < len(used) <= CONNECTIONS
    with pytest.raises(DivisionByZeroError):
        await db.fetch("SELECT 1 / 0")
    assert await process_of(db) in used


ECHO = """
SELECT one.n, one.asks->>0, statement_timestamp(), 1 / (one.asks->>1)::int
FROM json_array_elements($1::json) WITH ORDINALITY AS one(asks, n), pg_sleep(0.02), generate_series(1, 2)
"""


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_who_asks_together_gets_the_own_rows_of_few_statements(db: Database) -> None:
    asking = [asyncio.create_task(db.fetch_together(ECHO, f"“{n}”", 1)) for n in range(5 * TOGETHER)]
    await asyncio.sleep(0)
    for one in asking[::7]:
        one.cancel()
    answers = await asyncio.gather(*asking, return_exceptions=True)
    moments = set()
    for n, rows in enumerate(answers):
        if n % 7 == 0:
            assert isinstance(rows, asyncio.CancelledError)
            continue
        assert not isinstance(rows, BaseException)
        assert [row[0] for row in rows] == [f"“{n}”"] * 2
        moments |= {row[1] for row in rows}
    assert len(moments) <= 7
    with pytest.raises(DivisionByZeroError):
        await db.fetch_together(ECHO, "wrong", 0)
    assert await db.fetch_together(ECHO, "right", 1)


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_who_waits_to_ask_hears_with_the_others_that_the_database_is_gone(database_url: str) -> None:
    server, _, rest = database_url.rpartition(":")
    port, _, name = rest.partition("/")
    async with Proxy(int(port)) as wire:
        db = Database(f"{server}:{wire.port}/{name}")
        await db.fetch_together(ECHO, "there", 1)
        wire.hush()
        asking = [asyncio.create_task(db.fetch_together(ECHO, "gone", 1)) for _ in range(5 * TOGETHER)]
        await asyncio.sleep(0.1)
        wire.refuse()
        wire.cut_all()
        async with asyncio.timeout(20):
            answers = await asyncio.gather(*asking, return_exceptions=True)
        assert {type(one) for one in answers} == {Busy}
        await db.close()


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_who_asks_while_the_process_stops_does_not_wait_for_ever(database_url: str) -> None:
    db = Database(database_url)
    asking = [asyncio.create_task(db.fetch_together(ECHO, "late", 1)) for _ in range(5 * TOGETHER)]
    await asyncio.sleep(0.01)
    await db.close()
    async with asyncio.timeout(20):
        answers = await asyncio.gather(*asking, return_exceptions=True)
    assert Busy in {type(one) for one in answers} <= {Busy, list}


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_a_connection_that_was_left_in_the_middle_or_cut_is_not_used_again(
    db: Database, postgres_database: str
) -> None:
    other = Database(postgres_database)
    mine = await process_of(db)
    asleep = asyncio.create_task(db.fetch("SELECT pg_sleep(60)"))
    await until(lambda: is_asleep(other), 20)
    asleep.cancel()
    await asyncio.gather(asleep, return_exceptions=True)
    await until(lambda: is_over(other), 20)
    next_one = await process_of(db)
    assert next_one != mine
    await other.fetch("SELECT pg_terminate_backend($1)", next_one)
    await until(lambda: answers(db), 20)
    assert await process_of(db) not in {mine, next_one}
    await other.close()


async def is_asleep(other: Database) -> bool:
    return bool(await other.fetch("SELECT FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(60)'"))


async def is_over(other: Database) -> bool:
    return not await is_asleep(other)


async def answers(db: Database) -> bool:
    try:
        return bool(await process_of(db))
    except Busy:
        return False


@pytest.fixture
async def group(tmp_path: Path) -> AsyncIterator[GroupCommit]:
    group = GroupCommit(str(tmp_path / "notes.db"), asyncio.Lock())
    await group.run(lambda connection: connection.execute("CREATE TABLE slips (name TEXT PRIMARY KEY)").close())
    yield group
    await group.close()


async def write(group: GroupCommit, *names: str) -> int:
    """The number of rows before."""

    def insert(connection: sqlite3.Connection) -> int:
        count: int = connection.execute("SELECT count(*) FROM slips").fetchone()[0]
        connection.executemany("INSERT INTO slips VALUES (?)", [(name,) for name in names])
        return count

    return await group.run(insert)


async def test_more_writes_than_one_batch_holds_keep_their_order(group: GroupCommit, tmp_path: Path) -> None:
    counts = await asyncio.gather(*(write(group, f"note {n}") for n in range(2 * BATCH + 7)))
    assert counts == list(range(2 * BATCH + 7))
    reader = sqlite3.connect(tmp_path / "notes.db")
    assert reader.execute("SELECT count(*) FROM slips").fetchone() == (2 * BATCH + 7,)
    reader.close()


async def test_a_write_that_fails_undoes_its_own_part_and_nobody_elses(group: GroupCommit) -> None:
    results = await asyncio.gather(write(group, "a"), write(group, "b", "a"), write(group, "c"), return_exceptions=True)
    assert isinstance(results[1], sqlite3.IntegrityError)
    assert [results[0], results[2]] == [0, 1]
    assert await write(group, "b") == 2


async def test_who_waits_hears_of_a_database_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "notes.db").write_bytes(b"this is no database" * 100)
    group = GroupCommit(str(tmp_path / "notes.db"), asyncio.Lock())
    async with asyncio.timeout(5):
        results = await asyncio.gather(write(group, "a"), write(group, "b"), return_exceptions=True)
    assert [type(result) for result in results] == [Busy, Busy]
    await group.close()


async def test_a_locked_database_is_busy_and_then_writes_again(group: GroupCommit, tmp_path: Path) -> None:
    await group.run(lambda connection: connection.execute("PRAGMA busy_timeout=50").close())
    other = sqlite3.connect(tmp_path / "notes.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(Busy):
        await write(group, "a")
    other.execute("COMMIT")
    other.close()
    assert await write(group, "a") == 0


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_a_database_that_does_not_answer_holds_up_nobody_who_leaves(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kit_db, "CLOSE_SECONDS", 0.3)
    server, _, rest = database_url.rpartition(":")
    port, _, name = rest.partition("/")
    async with Proxy(int(port)) as wire:
        db = Database(f"{server}:{wire.port}/{name}")
        await db.fetch("SELECT 1")
        async with db.read() as tx:
            await tx.execute(text("SELECT 1"))
        wire.hush()
        async with asyncio.timeout(20):
            await db.close()


async def test_who_asks_a_lane_that_is_closed_does_not_wait_for_ever(tmp_path: Path) -> None:
    lane = GroupCommit(str(tmp_path / "notes.db"), asyncio.Lock())
    assert await lane.run(lambda connection: connection.execute("SELECT 1").fetchone()) == (1,)
    await lane.close()
    with pytest.raises(RuntimeError):
        async with asyncio.timeout(20):
            await lane.run(lambda connection: connection.execute("SELECT 1").fetchone())
