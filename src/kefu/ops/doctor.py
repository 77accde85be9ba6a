"""Looks at everything an installation stands on, and says what is wrong."""

import asyncio
import os
import sqlite3
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from pathlib import Path

import asyncpg
import typer
import typst
from cryptography.x509 import load_pem_x509_certificates
from sqlalchemy import select
from sqlalchemy.exc import DBAPIError

from kefu.ai.budget import Books
from kefu.ai.telling import Line
from kefu.answering.bot_settings import choice_of, find_bot, own_prices
from kefu.answering.bot_trial import tried
from kefu.answering.models_of import ModelsOf
from kefu.backups.postgres import ToolMissing, program_at
from kefu.channels.email import MailServer, NotSent, probe
from kefu.histories.pdf import FontMissing, chinese_fonts
from kefu.kit.clock import now_ms
from kefu.kit.config import BadSettings, Settings, load_settings
from kefu.kit.db import Database
from kefu.kit.errors import KefuError
from kefu.kit.http import Outbound
from kefu.kit.http_streams import HttpStreams, Waits
from kefu.kit.i18n import Locale
from kefu.kit.masking import mask_text
from kefu.kit.redis import BACKGROUND_SECONDS, Away, Redis
from kefu.kit.sealed import sealing_of
from kefu.log.models import Event
from kefu.ops import health
from kefu.ops.ailments import WELL, Finding, found
from kefu.ops.migrate import standing
from kefu.shops.models import Shop

SOON = timedelta(days=14)
# What a database says that was never migrated.
UNMIGRATED = "alembic_version"


def consult(lang: str) -> int:
    """Write down what is found; the exit code: 1 when something is wrong."""
    locale = spoken(lang)
    try:
        settings = load_settings()
    except BadSettings as error:
        for problem in error.problems:
            typer.echo(f"✗ {problem}")
        return 1
    findings = asyncio.run(_examined(settings, locale))
    for finding in findings:
        typer.echo(finding.told(locale))
    is_well = all(finding.is_advice for finding in findings)
    if is_well:
        typer.echo(WELL[locale])
    return 0 if is_well else 1


def spoken(lang: str) -> Locale:
    """As it is asked for, else as the terminal is set."""
    wished = lang or os.environ.get("LC_ALL") or os.environ.get("LC_MESSAGES") or os.environ.get("LANG") or ""
    return "zh" if wished.lower().startswith("zh") else "en"


async def _examined(settings: Settings, locale: Locale) -> list[Finding]:
    """One after the other. What needs the database is left out while it is away."""
    findings = [*_disk(settings), *_fonts(), *_certificates(settings), *_backup_place(settings)]
    for look in (_redis(settings), _mail(settings)):
        findings += [finding async for finding in look]
    if any(finding.ailment == "data_not_writable" for finding in findings):
        return findings  # SQLite would make the folder
    db = Database(settings.database)
    db.seal_with(sealing_of(settings))
    try:
        findings += [finding async for finding in _database(db)]
        if not any(finding.ailment.startswith("database_") for finding in findings):
            for look in (_jobs(db), _backups(settings, db), _providers(settings, db, locale)):
                findings += [finding async for finding in look]
    finally:
        await db.close()
    return findings


def _is_writable(folder: Path) -> bool:
    """Or could be made."""
    there = health.nearest(folder)
    return there.is_dir() and os.access(there, os.W_OK)


def _disk(settings: Settings) -> Iterator[Finding]:
    folder = settings.data_dir.absolute()
    if not _is_writable(folder):
        yield found("data_not_writable", folder=folder)
        return
    space = health.space_of(folder)
    if not space.is_enough:
        yield found("disk_full", free=f"{space.free / 1e9:.1f} GB", folder=folder)


def _fonts() -> Iterator[Finding]:
    try:
        chinese_fonts(typst.Fonts().families())
    except FontMissing:
        yield found("font_missing")


def _certificates(settings: Settings) -> Iterator[Finding]:
    """Of those that we were given; who serves TLS in front of us knows their own."""
    files = {"SMTP_CA_FILE": settings.smtp_ca_file, "TLS_CERTIFICATE_FILE": settings.tls_certificate_file}
    for setting, file in files.items():
        try:
            certificates = load_pem_x509_certificates(file.read_bytes()) if file else []
        except (OSError, ValueError):
            yield found("certificate_unreadable", file=file, setting=setting)
            continue
        for one in certificates:
            ends = one.not_valid_after_utc
            if ends.timestamp() * 1000 < now_ms() + SOON.total_seconds() * 1000:
                yield found("certificate_ends", file=file, day=ends.date(), setting=setting)


def _backup_place(settings: Settings) -> Iterator[Finding]:
    if settings.backup_to is None:
        return
    if not _is_writable(settings.backup_to):
        yield found("backup_not_writable", folder=settings.backup_to)
    if not settings.database.startswith("sqlite"):
        try:
            program_at("pg_basebackup")
        except ToolMissing:
            yield found("backup_tool_missing", program="pg_basebackup")


async def _redis(settings: Settings) -> AsyncIterator[Finding]:
    if not settings.redis_url:
        return
    redis = Redis(settings.redis_url, settings.redis_max_connections, settings.signing_key())
    try:
        await redis.ask("doctor", lambda one: one.ping(), BACKGROUND_SECONDS)
    except Away as away:
        yield found("redis_away", why=_why(away))
    finally:
        await redis.close()


async def _mail(settings: Settings) -> AsyncIterator[Finding]:
    server = MailServer.of(settings)
    if server is None:
        if settings.smtp_host:
            yield found("mail_no_sender")
        return
    try:
        await probe(server)
    except NotSent as error:
        yield found("mail_fails", host=f"{server.host}:{server.port}", why=mask_text(error.detail))


async def _database(db: Database) -> AsyncIterator[Finding]:
    try:
        facts = (await health.database(db)).facts
    except (KefuError, DBAPIError, OSError, sqlite3.Error, asyncpg.PostgresError) as error:
        why = _why(error)
        yield found("database_empty") if UNMIGRATED in why else found("database_away", why=why)
        return
    stands, newest = await standing(db), facts["newest"]
    if stands.is_ahead:
        yield found("database_ahead", migration=stands.has, newest=newest)
    elif stands.due:
        yield found("database_behind", migration=stands.has, newest=newest)
    elif stands.must_carry_on:
        yield found("database_restored")
    async for finding in _clock(db, int(facts["apart_ms"] or 0)):
        yield finding


async def _clock(db: Database, apart: int) -> AsyncIterator[Finding]:
    most = health.MOST_APART.total_seconds() * 1000
    if abs(apart) > most:
        yield found("clock_apart", seconds=round(abs(apart) / 1000, 1))
    async with db.read() as tx:
        newest = await tx.scalar(select(Event.at).order_by(Event.position.desc()).limit(1)) or 0
    if newest - now_ms() > most:
        yield found("clock_back", seconds=round((newest - now_ms()) / 1000))


async def _jobs(db: Database) -> AsyncIterator[Finding]:
    facts = (await health.jobs(db)).facts
    for name, value in facts.items():
        lane = name.removesuffix("_oldest_seconds")
        if lane != name and float(value or 0) > health.OVERDUE.total_seconds():
            yield found("jobs_late", lane=lane, seconds=round(float(value or 0)))
    if facts["dead"]:
        yield found("jobs_dead", count=facts["dead"])


async def _backups(settings: Settings, db: Database) -> AsyncIterator[Finding]:
    part = await health.backup(db, settings)
    age = part.facts.get("database_age_seconds")
    if age is None:
        yield found("no_backup")
    elif part.status == "degraded":
        yield found("backup_late", hours=round(float(age) / 3600))


async def _providers(settings: Settings, db: Database, locale: Locale) -> AsyncIterator[Finding]:
    """Each model is asked for one word, those that several shops share once."""
    async with db.read() as tx:
        rows = [await find_bot(tx, shop) for shop in await tx.scalars(select(Shop.id))]
    chosen = {choice: row for row in reversed(rows) if (choice := choice_of(row, settings)) is not None}
    if not chosen:
        return
    waits = Waits(settings.http_timeout_connect, settings.http_timeout_read)
    line = Line(HttpStreams(Outbound(settings.outbound_allow)), waits)
    models = ModelsOf(db, settings, line, Books(db, settings.timezone, own_prices(settings)))
    line.streams.start()
    try:
        for choice, row in chosen.items():
            told = await tried(choice, models.on_trial(row, choice), locale)
            if not told.ok:
                facts = {"shop": row.shop, "provider": choice.provider, "model": choice.name}
                yield found("provider_fails", **facts, why=mask_text(f"{told.message} {told.said}".strip()))
    finally:
        await line.streams.stop()


def _why(error: BaseException) -> str:
    """The first cause, in one line, without what an address holds."""
    while error.__cause__ is not None:
        error = error.__cause__
    return mask_text(f"{type(error).__name__}: {error}".splitlines()[0])[:300]
