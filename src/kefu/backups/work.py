"""Backups that are made by themselves, and what is told of every one."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from threading import Event
from typing import Any, ClassVar, TypeVar

import structlog
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from kefu.backups.models import Backup
from kefu.backups.place import Manifest, Place
from kefu.backups.sealed import Key
from kefu.backups.taking import Tell, source_of, take
from kefu.jobs.queue import Lane, Taken, Work, again, finish
from kefu.kit.backup_settings import EMBEDDED, WITH_A_SERVER
from kefu.kit.config import Settings
from kefu.kit.db import Database
from kefu.kit.threads import modest_threads

T = TypeVar("T")
log = structlog.get_logger()
DATABASE, WAL = "database", "wal"
PUT = """
INSERT INTO backups (part, name, at, seconds, bytes) VALUES (:part, :name, :at, :seconds, :bytes)
ON CONFLICT (part) DO UPDATE
SET name = excluded.name, at = excluded.at, seconds = excluded.seconds, bytes = excluded.bytes
"""


@dataclass(frozen=True, slots=True)
class RunBackup(Work):
    """Back everything up into BACKUP_TO. Recurring."""

    kind: ClassVar[str] = "run_backup"
    lane: ClassVar[Lane] = "bulk"


class Stopped(Exception):
    """Nobody wants the backup any more."""


async def in_a_thread(blocking: Callable[[Callable[[], None]], T]) -> T:
    """Run it where it is in nobody's way. What it gets raises Stopped once the caller is gone; it asks often."""
    stop = Event()

    def ask() -> None:
        if stop.is_set():
            raise Stopped

    thread = modest_threads(1, "backup")
    try:
        return await asyncio.get_running_loop().run_in_executor(thread, blocking, ask)
    finally:
        stop.set()
        thread.shutdown(wait=False)


async def back_up(db: Database, settings: Settings, place: Place, keep_days: int, tell: Tell) -> Manifest:
    """Raises what `take` does, and Busy."""
    source = await source_of(db, settings)

    def run(ask: Callable[[], None]) -> Manifest:
        def told(what: str, done: int, total: int) -> None:
            ask()
            tell(what, done, total)

        return take(place, source, keep_days, told)

    return await in_a_thread(run)


async def remember(tx: AsyncSession, made: Manifest) -> None:
    """So that a monitor sees how old the last one is."""
    row = {"part": DATABASE, "name": made.name, "at": made.began, "bytes": made.size}
    await tx.execute(text(PUT), row | {"seconds": (made.ended - made.began) // 1000})


async def remember_wal(tx: AsyncSession, at: int, size: int) -> None:
    await tx.execute(text(PUT), {"part": WAL, "name": "", "at": at, "seconds": 0, "bytes": size})


async def last_backups(tx: AsyncSession) -> dict[str, Backup]:
    """By their part."""
    return {one.part: one for one in await tx.scalars(select(Backup))}


class Backups:
    """Handles `RunBackup`."""

    def __init__(self, db: Database, settings: Settings) -> None:
        self._db, self._settings = db, settings
        minutes = settings.backup_every or (EMBEDDED if db.is_sqlite else WITH_A_SERVER)
        self._pause = timedelta(minutes=minutes)

    async def __call__(self, job: Taken) -> None:
        folder = self._settings.backup_to
        if folder is None:  # it was set when this row was written
            async with self._db.write() as tx:
                await finish(tx, job.id)
            return
        place = Place(folder, Key(self._settings.backup_key()))
        made = await back_up(self._db, self._settings, place, self._settings.backup_keep, _quietly)
        async with self._db.write() as tx:
            await remember(tx, made)
            await again(tx, job, self._pause)
        log.info("backup.made", name=made.name, bytes=made.size, duration_ms=made.ended - made.began)


def _quietly(*_: Any) -> None:
    """A log has no use for progress."""
