"""What commands share: the database of the settings, and how they fail."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import NoReturn, TypeVar

import typer

from kefu.accounts.audit import keys_of, seal_with
from kefu.kit.config import BadSettings, Problem, load_settings
from kefu.kit.db import Database
from kefu.kit.sealed import sealing_of
from kefu.ops.migrate import standing, upgrade

T = TypeVar("T")


def fail(why: str) -> NoReturn:
    """What was asked cannot be done as asked."""
    typer.secho(why, err=True, fg="red")
    raise SystemExit(2)


def on_database(work: Callable[[Database], Awaitable[T]], *, is_patient: bool = False) -> T:
    """Run `work` on the database of the settings and close it again."""

    async def run() -> T:
        settings = load_settings()
        db = Database(settings.database, is_patient=is_patient)
        db.slow.seconds = settings.log_slow_query_ms / 1000
        seal_with(db, keys_of(settings))
        db.seal_with(sealing_of(settings))
        try:
            return await work(db)
        finally:
            await db.close()

    return asyncio.run(run())


async def bring_up(db: Database) -> None:
    """Migrate an embedded database. Raises BadSettings for a server's that is behind: migrating that is a decision.

    That of a newer release serves too, so that one can go back, or start again in the middle of an upgrade.
    """
    if db.is_sqlite:
        await upgrade(db)
    found = await standing(db)
    if found.is_ahead:
        typer.secho(f"The database has schema {found.has}, of a newer release than this one.", err=True, fg="yellow")
    if not found.is_usable:
        raise BadSettings([Problem("DATABASE_URL", "the database is not at the newest schema", "Run: kefu migrate")])
