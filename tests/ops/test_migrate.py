"""A database of an older release comes to the newest schema with everything that is in it."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import asyncpg
import httpx2
import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, text

import kefu
from accounts.team import bearer
from actors import Stage, data_of
from faults.waiting import until
from kefu.kit.config import Settings
from kefu.kit.db import Database
from kefu.log.feed import START, follow
from kefu.main import create_app
from kefu.ops.migrate import is_current, upgrade
from kefu.shops.service import first_shop
from sessions.records import log_of

EVENT = """
INSERT INTO events (stream, seq, type, audience, actor, payload, at)
VALUES ('session/old', {seq}, 'message.posted', 'public', '{{"kind":"visitor"}}', '{{"role":"user","content":"hi"}}', 1)
"""
JOB = "INSERT INTO jobs (lane, kind, payload, run_at, created_at) VALUES ('bulk', 'unknown', '{}', 9000000000000, 1)"


def to_the_first(connection: Connection) -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(kefu.__file__).parent / "migrations"))
    config.attributes["connection"] = connection
    command.upgrade(config, "0001")


async def run(url: str, statement: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Of an empty database."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'old.db'}"
        return
    migrated: str = request.getfixturevalue("postgres_database")
    server, _, name = migrated.rpartition("/")
    asyncio.run(run(migrated, f"CREATE DATABASE old_{name}"))
    yield f"{server}/old_{name}"
    asyncio.run(run(migrated, f"DROP DATABASE old_{name} WITH (FORCE)"))


@pytest.fixture
async def old(url: str) -> AsyncIterator[Database]:
    """As the first release left it, with rows."""
    db = Database(url)
    async with db.engine.begin() as connection:
        await connection.run_sync(to_the_first)
        for statement in (*(EVENT.format(seq=seq) for seq in (1, 2, 3)), JOB):
            await connection.execute(text(statement))
    yield db
    await db.close()


async def feed_of(db: Database) -> list[tuple[str, int]]:
    async with db.read() as tx:
        return [(one.entry.stream, one.entry.seq) for one in await follow(tx, START, 500)]


async def test_what_was_there_comes_first_in_the_feed_and_what_is_written_then_after_it(
    old: Database, tmp_path: Path
) -> None:
    assert not await is_current(old)
    for _ in range(2):
        await upgrade(old)
        assert await is_current(old)
    was = [("session/old", seq) for seq in (1, 2, 3)]
    assert await feed_of(old) == was
    async with old.write() as tx:
        await first_shop(tx)
    app = create_app(Settings(data_dir=tmp_path, database_url=old.url, rate_limits="off"))
    transport = httpx2.ASGITransport(app=app)
    async with (
        app.router.lifespan_context(app),
        httpx2.AsyncClient(transport=transport, base_url="http://kefu") as http,
    ):
        stage = Stage(old, http)
        visitor, lead = await stage.visitor(), await stage.agent("lead", "supervisor")
        await lead.takes_over(visitor)
        await visitor.says("after the migration")
        found = data_of(await http.get("/api/events?wait=2&limit=500", headers=bearer(lead.token)))
    assert [(one["stream"], one["seq"]) for one in found["events"]][:3] == was
    assert len(await log_of(old, visitor.name)) == 3
    whole = [*was, *((f"session/{visitor.name}", seq) for seq in (1, 2, 3))]

    async def has_all() -> bool:
        return await feed_of(old) == whole

    await until(has_all, 20)
    async with old.read() as tx:
        assert (await tx.execute(text("SELECT kind, key FROM jobs WHERE kind = 'unknown'"))).all() == [
            ("unknown", None)
        ]
