"""Bring a database to the newest schema, or say what is missing."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
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


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a database stands. `has`: its migration, "" for none. `due`: number and purpose of each that is not done.

    `is_ahead`: a newer release was here, whose schema has all that this one needs (docs/operate/upgrade.md).
    `must_carry_on`: it was restored into a server that counts transactions from lower numbers.
    """

    has: str
    due: list[str]
    is_ahead: bool
    must_carry_on: bool

    @property
    def is_usable(self) -> bool:
        return not self.due and not self.must_carry_on


def _standing(connection: Connection) -> Standing:
    has = MigrationContext.configure(connection).get_current_revision() or ""
    with _config() as config:
        scripts = ScriptDirectory.from_config(config)
        every = list(scripts.walk_revisions())
    is_ahead = has != "" and has not in {one.revision for one in every}
    due = [] if is_ahead else [f"{one.revision}  {one.doc}" for one in reversed(every) if one.revision > has]
    return Standing(has, due, is_ahead, has != "" and has >= "0002" and runs_ahead(connection))


def _upgrade(connection: Connection) -> None:
    if not _standing(connection).is_ahead:
        with _config(connection) as config:
            command.upgrade(config, "head")
    carry_on(connection)


async def upgrade(db: Database) -> None:
    """Migrate to the newest schema; one of a newer release stays as it is.

    Safe to repeat, and when two processes start at once: one migrates, the other waits.
    """
    async with db.engine.begin() as connection:
        if not db.is_sqlite:
            await connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": LOCK})
        await connection.run_sync(_upgrade)


async def standing(db: Database) -> Standing:
    async with db.engine.connect() as connection:
        return await connection.run_sync(_standing)


async def is_current(db: Database) -> bool:
    """Whether this release can serve with it as it is."""
    return (await standing(db)).is_usable
