"""While a release is exchanged for the next, both serve on the next one's schema (docs/operate/upgrade.md)."""

import asyncio
import sqlite3
from collections.abc import Iterator
from contextlib import closing

import asyncpg
import httpx2
import pytest
from fastapi import FastAPI

from actors import Agent, Stage, Visitor
from faults.waiting import until
from kefu.kit.db import Database
from kefu.main import create_app
from kefu.ops.command_line import bring_up
from kefu.ops.migrate import newest_migration, standing
from sessions.records import log_of

SAID = 40
TABLES = ("sessions", "events", "jobs", "agents", "shops")
# As a migration of the next release may: it only adds (tests/house/test_migrations.py).
NEXT = (
    *(f"ALTER TABLE {table} ADD COLUMN of_the_next TEXT NOT NULL DEFAULT 'x'" for table in TABLES),
    "CREATE TABLE of_the_next (id INTEGER PRIMARY KEY)",
    "UPDATE alembic_version SET version_num = 'next'",
)
BACK = (
    *(f"ALTER TABLE {table} DROP COLUMN IF EXISTS of_the_next" for table in TABLES),
    "DROP TABLE IF EXISTS of_the_next",
    f"UPDATE alembic_version SET version_num = '{newest_migration()}'",  # noqa: S608 - ours
)


async def execute(url: str, statements: tuple[str, ...]) -> None:
    """In one transaction, over a connection of its own, as `kefu migrate` does."""
    if url.startswith("sqlite"):
        await asyncio.to_thread(_execute_on_sqlite, url.removeprefix("sqlite:///"), statements)
        return
    connection = await asyncpg.connect(url)
    async with connection.transaction():
        for statement in statements:
            await connection.execute(statement)
    await connection.close()


def _execute_on_sqlite(path: str, statements: tuple[str, ...]) -> None:
    with closing(sqlite3.connect(path, timeout=30, isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        for statement in statements:
            connection.execute(statement)
        connection.execute("COMMIT")


@pytest.fixture
def shared(database_url: str) -> Iterator[str]:
    """The schema of this worker's PostgreSQL is everybody's after this test."""
    yield database_url
    if database_url.startswith("postgresql"):
        asyncio.run(execute(database_url, BACK))


async def test_who_runs_goes_on_through_the_migration_and_who_starts_after_it_serves_too(
    shared: str, app: FastAPI, visitor: Visitor, agent: Agent, db: Database
) -> None:
    await agent.takes_over(visitor)
    said: list[int] = []

    async def talk() -> None:
        while len(said) < SAID:
            said.append(await visitor.says(f"message {len(said)}"))

    talking = asyncio.create_task(talk())
    await until(lambda: len(said) > SAID // 4, 20)
    await execute(shared, NEXT)
    await talking
    assert (await standing(db)).is_ahead
    await agent.says(visitor, "and on it goes")
    await agent.releases(visitor)
    await bring_up(db)  # as a process of this release does that starts now
    late = create_app(app.state.settings)
    transport = httpx2.ASGITransport(app=late)
    async with (
        late.router.lifespan_context(late),
        httpx2.AsyncClient(transport=transport, base_url="http://kefu") as http,
    ):
        other = Stage(db, http)
        newcomer = await other.visitor()
        await newcomer.says("hello")
        await (await other.agent("lead", "supervisor")).takes_over(newcomer)
    messages = [one for one in await log_of(db, visitor.name) if one.type == "message.posted"]
    assert [one.seq for one in messages if '"message ' in str(one.payload) or "'message " in str(one.payload)] == said
    assert any("and on it goes" in str(one.payload) for one in messages)
