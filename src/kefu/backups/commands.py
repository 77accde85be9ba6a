"""`kefu backup …` and `kefu restore`."""

import asyncio
import signal
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from threading import Event
from typing import Annotated, ClassVar, TypeVar

import structlog
import typer
from sqlalchemy.exc import DBAPIError

from kefu.backups.place import Manifest, Place
from kefu.backups.restoring import OtherDatabase, Target, restore
from kefu.backups.sealed import Key
from kefu.backups.taking import source_of
from kefu.backups.verifying import verify
from kefu.backups.wal import Follower, breaks_off, needed
from kefu.backups.work import back_up, in_a_thread, remember, remember_wal
from kefu.kit.clock import Ms, iso
from kefu.kit.config import BadSettings, Problem, Settings, load_settings
from kefu.kit.db import Database
from kefu.kit.errors import KefuError
from kefu.kit.i18n import Text
from kefu.kit.logs import set_up_logs
from kefu.kit.secrets import Sealer

T = TypeVar("T")
log = structlog.get_logger()
SHOWN_EVERY = 0.2  # seconds
RECORD_SECONDS = 20
TELLS_FILES = frozenset({"files", "wal", "parts"})
backups = typer.Typer(invoke_without_command=True, help="Copies of everything, sealed, elsewhere.")
Folder = Annotated[Path | None, typer.Option(metavar="DIR", help="The folder of the backups; else BACKUP_TO")]
Named = Annotated[str | None, typer.Option(metavar="NAME", help="Which one; else the newest")]


class NotWritten(KefuError):
    code = "BACKUP_NOT_WRITTEN"
    text: ClassVar[Text] = {
        "en": "The disk said no: {why}\n    → Is it mounted, is there room, and may this user write there?",
        "zh": "磁盘操作失败：{why}\n    → 请检查是否已挂载、空间是否充足、当前用户是否有写权限。",
    }


@contextmanager
def _of_the_disk() -> Iterator[None]:
    """Raises NotWritten for what else would look like the database's fault."""
    try:
        yield
    except OSError as error:
        raise NotWritten(why=error) from error


def _place(settings: Settings, folder: Path | None) -> Place:
    """Raises BadSettings."""
    where, key = folder or settings.backup_to, settings.backup_key()
    problems = [] if where else [Problem("BACKUP_TO", "where are the backups?", "Name the folder: --to DIR")]
    if not key:
        problems.append(Problem("BACKUP_KEY", "backups are sealed", "Set it to the output of: openssl rand -hex 32"))
    if problems or where is None:
        raise BadSettings(problems)
    return Place(where.absolute(), Key(key))


def _on(settings: Settings, work: Callable[[Database], Awaitable[T]]) -> T:
    async def run() -> T:
        db = Database(settings.database, is_patient=True)
        try:
            return await work(db)
        finally:
            await db.close()

    return asyncio.run(run())


class Shown:
    """Progress on the terminal."""

    def __init__(self) -> None:
        self._at = 0.0

    def __call__(self, what: str, done: int, total: int) -> None:
        if time.monotonic() - self._at < SHOWN_EVERY and done != total:
            return
        self._at = time.monotonic()
        counts = what in TELLS_FILES
        amount = f"{done:,}" if counts else megabytes(done)
        of = "" if not total else f" of {total:,}" if counts else f" of {megabytes(total)}"
        typer.echo(f"\r  {what:<10}{amount + of:<40}", nl=False, err=True)

    def end(self) -> None:
        typer.echo("", err=True)


def megabytes(count: int) -> str:
    return f"{count / 1e6:,.1f} MB"


@backups.callback()
def backup(
    context: typer.Context,
    to: Folder = None,
    keep: Annotated[int | None, typer.Option(min=1, max=3650, help="Days; else BACKUP_KEEP_DAYS")] = None,
) -> None:
    """Back up database and files, sealed with BACKUP_KEY, while everything runs, and remove what is too old."""
    if context.invoked_subcommand:
        return
    settings, shown = load_settings(), Shown()
    place = _place(settings, to)

    async def work(db: Database) -> Manifest:
        made = await back_up(db, settings, place, keep or settings.backup_keep, shown)
        try:
            async with db.write() as tx:
                await remember(tx, made)
        except (DBAPIError, KefuError):  # the backup is there all the same, of an older release's database too
            typer.secho("\nThe database does not say how old its backup is: it is not at the newest schema.", err=True)
        return made

    with _of_the_disk():
        made = _on(settings, work)
    shown.end()
    seconds = (made.ended - made.began) / 1000
    typer.echo(f"{place.folder / made.name}  {megabytes(made.size)} in {seconds:.1f} s")
    if made.facts.database == "postgresql" and not place.wal.exists():
        typer.echo("What is written from now on is not in it.\n    → kefu backup follow", err=True)


@backups.command("list")
def show(to: Folder = None) -> None:
    """Show the backups, the oldest first."""
    place = _place(load_settings(), to)
    for name in place.names():
        made = place.manifest(name)
        facts = made.facts
        typer.echo(f"{name}  {megabytes(made.size):>12}  {facts.database} {facts.server}  schema {facts.migration}")


@backups.command("verify")
def check(to: Folder = None, name: Named = None) -> None:
    """Read a whole backup: checksums, seals, files, and no gap in the WAL. Exit code 2 and why when it is not whole."""
    place, shown = _place(load_settings(), to), Shown()
    found = verify(place, place.chosen(name, None), shown)
    shown.end()
    made = found.manifest
    line = f"{made.name} is whole: {megabytes(made.size)}, {found.files:,} files, of {iso(made.began)}."
    if found.wal_at is not None:
        line += f"\nThe WAL goes on to {iso(int(found.wal_at * 1000))}, {found.segments:,} segments."
    typer.echo(line)


@backups.command("follow")
def follow(
    to: Folder = None,
    every: Annotated[float, typer.Option(min=0.2, max=240, help="Seconds that may be lost")] = 30,
) -> None:
    """Keep what PostgreSQL writes after the last backup, until stopped: what a dead server takes along is seconds."""
    settings = load_settings()
    place = _place(settings, to)
    logs = set_up_logs(settings.log_level, settings.log_file, settings.log_keep_days)
    try:
        with _of_the_disk():
            _on(settings, lambda db: _follow(db, settings, place, every))
    finally:
        logs.stop()


async def _follow(db: Database, settings: Settings, place: Place, every: float) -> None:
    """Raises BadSettings for SQLite."""
    if db.is_sqlite:
        remedy = "Let kefu serve back up often: BACKUP_TO and BACKUP_EVERY_MINUTES"
        raise BadSettings([Problem("DATABASE_URL", "an embedded database has no WAL to follow", remedy)])
    source, stop, loop = await source_of(db, settings), Event(), asyncio.get_running_loop()
    assert not isinstance(source.database, Path)
    for sign in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(sign, stop.set)

    def told(at: Ms, size: int) -> None:
        log.info("backup.followed", bytes=size)
        asyncio.run_coroutine_threadsafe(_remember_wal(db, at, size), loop).result(RECORD_SECONDS)

    spool = settings.data_dir.absolute() / "wal"
    follower = Follower(place, source.database, spool, source.files)
    typer.echo(f"Following into {place.wal}")
    await in_a_thread(lambda _: follower.follow(stop, told, every))


async def _remember_wal(db: Database, at: int, size: int) -> None:
    try:
        async with db.write() as tx:
            await remember_wal(tx, at, size)
    except (DBAPIError, KefuError):
        log.warning("backup.not_remembered", exc_info=True)


def _moment(text: str | None) -> int | None:
    """Unix ms. Raises typer.BadParameter."""
    if text is None:
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter("is no time: 2026-11-28T03:15:00+08:00") from None
    return int((at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp() * 1000)


def bring_back(
    *,
    source: Annotated[
        Path | None, typer.Option("--from", metavar="DIR", help="The backups' folder; else BACKUP_TO")
    ] = None,
    name: Named = None,
    pgdata: Annotated[Path | None, typer.Option(metavar="DIR", help="PostgreSQL: the data folder to be made")] = None,
    until: Annotated[str | None, typer.Option(metavar="TIME", help="As it was then (ISO 8601, UTC)")] = None,
    is_forced: Annotated[bool, typer.Option("--force", help="Move what is there aside")] = False,
) -> None:
    """Bring a backup back: into an empty KEFU_DATA_DIR, or, for PostgreSQL, into the folder of --pgdata."""
    settings, shown, moment = load_settings(), Shown(), _moment(until)
    place = _place(settings, source)
    made = place.chosen(name, moment)
    database = _goal(settings, made, pgdata)
    with _of_the_disk():
        restore(place, made, Target(settings.data_dir.absolute(), database, is_forced, moment), shown)
    shown.end()
    for line in _told(settings, place, made, database):
        typer.echo(line)


def _goal(settings: Settings, made: Manifest, pgdata: Path | None) -> Path:
    """Raises OtherDatabase."""
    url = settings.database
    if made.facts.database == "postgresql" and pgdata:
        return pgdata.absolute()
    if made.facts.database == "sqlite" and url.startswith("sqlite") and not pgdata:
        return Path(url.removeprefix("sqlite:///"))
    raise OtherDatabase(database=made.facts.database)


def _told(settings: Settings, place: Place, made: Manifest, database: Path) -> list[str]:
    """What came back, what is missing, and what to do next."""
    lines = [f"{made.name} of {iso(made.began)} is in {database}."]
    last = breaks_off(made, [path.name for path in needed(place, made)])
    if last:
        lines.append(f"The WAL breaks off after {last}: what came later is not there.")
    lacking = set(made.facts.field_keys) - set(Sealer(settings.all_field_keys()).kids)
    if lacking:
        lines.append(f"Keys of then that are not set now: {', '.join(sorted(lacking))} (FIELD_KEYS, JWT_SECRET_KEY).")
        lines.append("    → Append them, or what they sealed cannot be read: kefu secrets check")
    if made.facts.database == "postgresql":
        lines.append(f"Start PostgreSQL {made.facts.server.partition('.')[0]} on it; it brings itself up to the end.")
    lines.append("Then: kefu migrate")
    return lines
