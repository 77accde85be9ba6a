"""Databases as releases left them come to the newest schema with every row, and serve.

There was no release before 0.1.0; these are of migrations on the way to it (`scripts/old_database.py`).
"""

import asyncio
import gzip
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import asyncpg
import httpx2
import pytest
from sqlalchemy import Connection, MetaData, inspect, select

from kefu.kit.config import Settings
from kefu.kit.db import Database
from kefu.main import create_app
from kefu.ops.migrate import is_current, upgrade
from kefu.tables import Table as Tables

FOLDER = Path(__file__).with_name("old_databases")
RELEASES = sorted({path.name.partition(".")[0] for path in FOLDER.iterdir()})


async def run(url: str, *statements: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Where the old database is to lie."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'kefu.db'}"
        return
    server, _, name = str(request.getfixturevalue("postgres_database")).rpartition("/")
    asyncio.run(run(f"{server}/postgres", f"CREATE DATABASE release_{name}"))
    yield f"{server}/release_{name}"
    asyncio.run(run(f"{server}/postgres", f"DROP DATABASE release_{name} WITH (FORCE)"))


def unpack(packed: Path, file: Path) -> None:
    file.write_bytes(gzip.decompress(packed.read_bytes()))


@pytest.fixture(params=RELEASES)
async def old(request: pytest.FixtureRequest, url: str) -> AsyncIterator[Database]:
    left = FOLDER / str(request.param)
    if url.startswith("sqlite"):
        unpack(left.with_suffix(".db.gz"), Path(url.removeprefix("sqlite:///")))
    else:
        await run(url, left.with_suffix(".sql").read_text())
    db = Database(url, is_patient=True)
    yield db
    await db.close()


def rows(connection: Connection, of: dict[str, list[str]] | None = None) -> dict[str, list[dict[str, Any]]]:
    """Every row of our tables as it is there, by table; of those columns alone where they are named."""
    metadata = MetaData()
    there = set(inspect(connection).get_table_names()) & (of or Tables.metadata.tables).keys()
    metadata.reflect(connection, only=sorted(there))
    found = {}
    for table in metadata.sorted_tables:
        columns = [table.c[name] for name in of[table.name]] if of else list(table.c)
        found[table.name] = [dict(row) for row in connection.execute(select(*columns)).mappings()]
    return found


async def test_it_comes_to_the_newest_schema_with_every_row_and_serves(old: Database, tmp_path: Path) -> None:
    async with old.engine.connect() as connection:
        before = await connection.run_sync(rows)
    assert all(before.values())
    assert not await is_current(old)
    await upgrade(old)
    assert await is_current(old)
    async with old.engine.connect() as connection:
        after = await connection.run_sync(rows, {table: list(was[0]) for table, was in before.items()})
    assert [table for table, was in before.items() if any(row not in after[table] for row in was)] == []
    app = create_app(Settings(data_dir=tmp_path, database_url=old.url, rate_limits="off"))
    transport = httpx2.ASGITransport(app=app)
    async with (
        app.router.lifespan_context(app),
        httpx2.AsyncClient(transport=transport, base_url="http://kefu") as http,
    ):
        assert (await http.get("/api/health/ready")).status_code == 200
