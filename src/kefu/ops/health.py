"""How each part of an installation is, with a time limit on each: for the page of health and for `kefu doctor`."""

import asyncio
import shutil
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Literal

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from kefu.ai.breaker import OPEN
from kefu.backups.work import last_backups
from kefu.jobs.queue import standing
from kefu.kit.clock import now_ms
from kefu.kit.config import Settings
from kefu.kit.db import Database
from kefu.kit.errors import KefuError
from kefu.kit.redis import BACKGROUND_SECONDS, Away, Redis
from kefu.ops.migrate import newest_migration

Status = Literal["ok", "degraded", "down", "unused"]
Fact = str | int | float | bool | None
WITHIN = 3.0  # seconds, for each part
LEAST_SHARE, LEAST_BYTES = 0.05, 1 << 30
# The database knows the time too. A job that is due is taken within a second, where anybody takes jobs.
MOST_APART = timedelta(seconds=2)
OVERDUE = timedelta(minutes=2)
BACKUP_LATE = timedelta(days=2)


@dataclass(frozen=True, slots=True)
class Part:
    """`latency_ms`: how long it took to ask."""

    status: Status
    facts: Mapping[str, Fact] = field(default_factory=dict)
    latency_ms: float = 0


@dataclass(frozen=True, slots=True)
class Space:
    """Bytes of a disk."""

    free: int
    total: int

    @property
    def is_enough(self) -> bool:
        return self.free >= max(LEAST_BYTES, self.total * LEAST_SHARE)


def space_of(folder: Path) -> Space:
    """Of the disk that the folder is on, or would be made on. Blocks."""
    usage = shutil.disk_usage(nearest(folder))
    return Space(usage.free, usage.total)


def nearest(folder: Path) -> Path:
    """The folder, or the one above it that is there: with PostgreSQL nobody makes the data folder."""
    there = folder.absolute()
    return next(one for one in (there, *there.parents) if one.exists())


async def asked(look: Awaitable[Part], within: float = WITHIN) -> Part:
    """What it says, or that it is down: nobody waits longer than that."""
    began = time.monotonic()
    try:
        async with asyncio.timeout(within):
            part = await look
    except (KefuError, DBAPIError, OSError, TimeoutError) as error:
        part = Part("down", {"error": type(error).__name__})
    return Part(part.status, part.facts, round((time.monotonic() - began) * 1000, 1))


async def database(db: Database) -> Part:
    """`migration`: of its schema, `newest`: of this release's; `apart_ms`: how its clock differs from ours."""
    before = now_ms()
    async with db.read() as tx:
        version, now, migration = (await tx.execute(text(ASK_SQLITE if db.is_sqlite else ASK_POSTGRES))).one()
    apart = 0 if db.is_sqlite else min((now - one for one in (before, now_ms())), key=abs)
    facts: dict[str, Fact] = {"kind": "sqlite" if db.is_sqlite else "postgresql", "server": version}
    facts |= {"migration": migration, "newest": newest_migration(), "apart_ms": apart}
    is_well = migration == newest_migration() and abs(apart) < MOST_APART.total_seconds() * 1000
    return Part("ok" if is_well else "degraded", facts)


ASK_SQLITE = "SELECT sqlite_version(), 0, (SELECT version_num FROM alembic_version)"
ASK_POSTGRES = """
SELECT current_setting('server_version'), CAST(extract(epoch FROM clock_timestamp()) * 1000 AS bigint),
    (SELECT version_num FROM alembic_version)
"""


async def redis(client: Redis | None) -> Part:
    if client is None:
        return Part("unused")
    try:
        await client.ask("health", lambda one: one.ping(), BACKGROUND_SECONDS)
    except Away:
        return Part("down")
    return Part("ok")


async def jobs(db: Database) -> Part:
    """`<lane>_waiting`: due and not taken; `<lane>_oldest_seconds`: how long the first one is due. `dead`: given up."""
    async with db.read() as tx:
        now, found = now_ms(), await standing(tx)
    facts: dict[str, Fact] = {}
    for lane, (count, oldest) in found.waiting.items():
        facts |= {f"{lane}_waiting": count, f"{lane}_oldest_seconds": round((now - oldest) / 1000, 1)}
    is_late = any(now - oldest > OVERDUE.total_seconds() * 1000 for _, oldest in found.waiting.values())
    dead = sum(found.dead.values())
    return Part("degraded" if is_late or dead else "ok", facts | {"dead": dead})


async def disk(settings: Settings) -> Part:
    """Where the data folder is."""
    space = await asyncio.to_thread(space_of, settings.data_dir)
    return Part("ok" if space.is_enough else "degraded", {"free_bytes": space.free, "total_bytes": space.total})


async def backup(db: Database, settings: Settings) -> Part:
    """`<part>_age_seconds`: everything older is in it."""
    async with db.read() as tx:
        found = await last_backups(tx)
    now = now_ms()
    ages = {name: round((now - one.at) / 1000) for name, one in found.items()}
    facts: dict[str, Fact] = {f"{name}_age_seconds": age for name, age in ages.items()}
    if not ages:
        return Part("degraded" if settings.backup_to else "unused", facts)
    late = max(2 * timedelta(minutes=settings.backup_every or 0), BACKUP_LATE)
    return Part("degraded" if ages.get("database", 0) > late.total_seconds() else "ok", facts)


async def provider(settings: Settings) -> Part:
    """As this process found those that it has asked lately. `failing`: what it does not ask for a while."""
    samples = [sample for family in OPEN.collect() for sample in family.samples if sample.value]
    failing = sorted(f"{one.labels['provider']} {one.labels['model']}" for one in samples)
    facts: dict[str, Fact] = {"provider": settings.ai_provider, "failing": ", ".join(failing) or None}
    return Part("degraded" if failing else "ok", facts)


async def everything(looks: Mapping[str, Callable[[], Awaitable[Part]]]) -> dict[str, Part]:
    """All parts at once."""
    parts = await asyncio.gather(*(asked(look()) for look in looks.values()))
    return dict(zip(looks, parts, strict=True))
