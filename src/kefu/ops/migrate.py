"""Bring a database to the newest schema, or say what is missing."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from importlib.resources import as_file, files

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from kefu.kit.db import Database
from kefu.log.feed import carry_on, runs_ahead

LOCK = 5_330_816


@contextmanager
def _config(connection: Connection | None = None) -> Iterator[Config]:
    with as_file(files("kefu") / "migrations") as folder:
        config = Config()
        config.set_main_option("script_location", str(folder))
        config.attributes["connection"] = connection
        yield config


@cache
def newest_migration() -> str:
    """Of this release."""
    with _config() as config:
        return ScriptDirectory.from_config(config).get_current_head() or ""


@cache
def known_migrations() -> frozenset[str]:
    with _config() as config:
        return frozenset(one.revision for one in ScriptDirectory.from_config(config).walk_revisions())


def _upgrade(connection: Connection) -> None:
    with _config(connection) as config:
        command.upgrade(config, "head")
    carry_on(connection)


def _is_current(connection: Connection) -> bool:
    is_newest = MigrationContext.configure(connection).get_current_revision() == newest_migration()
    return is_newest and not runs_ahead(connection)


async def upgrade(db: Database) -> None:
    """Migrate to the newest schema.

    Safe to repeat, and when two processes start at once: one migrates, the other waits.
    """
    async with db.engine.begin() as connection:
        if not db.is_sqlite:
            await connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": LOCK})
        await connection.run_sync(_upgrade)


async def is_current(db: Database) -> bool:
    async with db.engine.connect() as connection:
        return await connection.run_sync(_is_current)
