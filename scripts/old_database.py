"""Write down a database as a release left it: `python scripts/old_database.py 0030`, when a release is made.

It makes one at that migration on SQLite and on PostgreSQL, with a row in every table, and puts both under
tests/ops/old_databases (the file, and its SQL), where `tests/ops/test_old_databases.py` brings them to the newest
schema ever after.
"""

import asyncio
import gzip
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

sys.path.append(str(Path(__file__).parent.parent / "tests"))

from alembic import command
from alembic.config import Config
from sqlalchemy import Column, Connection, MetaData, Table, insert
from sqlalchemy.types import JSON, Boolean, Float, Integer, LargeBinary

from faults.postgres import Postgres
from kefu.kit.db import Database
from servers import postgres_programs

ROOT = Path(__file__).parent.parent
FOLDER = ROOT / "tests/ops/old_databases"
# What later migrations read, and must therefore be what it would be.
KNOWN: dict[str, Any] = {
    "sessions.name": "old",
    "sessions.status": "bot_active",
    "sessions.locale": "en",
    "sessions.seq": 2,
    "sessions.epoch": 0,
    "events.stream": "session/old",
    "events.type": "message.posted",
    "events.audience": "public",
    "events.actor": '{"kind":"visitor"}',
    "events.payload": '{"role":"user","content":"from long ago"}',
    "events.xid": 0,
    "events.seq": 1,
    "jobs.lane": "bulk",
    "jobs.kind": "unknown",
    "jobs.payload": "{}",
    "jobs.run_at": 9_000_000_000_000,
    "roles.permissions": ["sessions.read"],
    "roles.id": "custom",
    "articles.status": "published",
    "articles.questions": [],
    "articles.tags": [],
    "articles.lang": "en",
    "articles.kind": "article",
    "passages.lang": "en",
    "agents.role": "agent",
}
OF_TYPE: dict[type, Any] = {JSON: {}, Boolean: False, Integer: 1, Float: 1.0, LargeBinary: b"\0\0\0\0"}
SHADOWS = ("alembic_version", "passage_words", "message_words", "indexed_words")


def made(column: Column[Any], rows: dict[str, dict[str, Any]]) -> Any:
    known = KNOWN.get(f"{column.table.name}.{column.name}")
    if known is not None:
        return known
    for key in column.foreign_keys:
        if key.column.table.name in rows:
            return rows[key.column.table.name][key.column.name]
    for kind, value in OF_TYPE.items():
        if isinstance(column.type, kind):
            return value
    return f"{column.name} of {column.table.name}"[: getattr(column.type, "length", None) or 60]


def plain_tables(metadata: MetaData) -> Iterator[Table]:
    """Without those in which SQLite keeps its words."""
    for table in metadata.sorted_tables:
        if not table.name.startswith(SHADOWS) and "_fts" not in table.name:
            yield table


def fill(connection: Connection, revision: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(ROOT / "src/kefu/migrations"))
    config.attributes["connection"] = connection
    command.upgrade(config, revision)
    metadata = MetaData()
    metadata.reflect(connection)
    rows: dict[str, dict[str, Any]] = {}
    for table in plain_tables(metadata):
        if not table.primary_key:
            continue
        rows[table.name] = {one.name: made(one, rows) for one in table.columns if one.computed is None}
        connection.execute(insert(table).values(rows[table.name]))


async def make(url: str, revision: str) -> None:
    db = Database(url)
    async with db.engine.begin() as connection:
        await connection.run_sync(fill, revision)
    await db.close()


async def sqlite(folder: Path, revision: str) -> None:
    file = folder / "old.db"
    await make(f"sqlite:///{file}", revision)
    (FOLDER / f"{revision}.db.gz").write_bytes(gzip.compress(file.read_bytes(), mtime=0))


async def postgres(folder: Path, revision: str) -> None:
    server, dump = Postgres(folder), folder / "old.sql"
    await server.create()
    await server.start()
    try:
        await make(server.url, revision)
        words = ("--inserts", "--no-owner", "--no-comments", "--file", str(dump), server.url)
        assert await (await server.run(str(postgres_programs() / "pg_dump"), *words)).wait() == 0
    finally:
        await server.stop()
    kept = [line for line in dump.read_text().splitlines() if line and not line.startswith(("--", "\\"))]
    (FOLDER / f"{revision}.sql").write_text("\n".join(kept) + "\n")


async def main(revision: str) -> None:
    FOLDER.mkdir(exist_ok=True)
    for write in (sqlite, postgres):
        with tempfile.TemporaryDirectory(prefix="kefu-old-") as folder:
            await write(Path(folder), revision)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
