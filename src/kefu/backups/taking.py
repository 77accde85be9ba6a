"""Make one backup: first the database, then the files, so that whatever a row names is there."""

import os
import shutil
import sqlite3
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from kefu import __version__
from kefu.backups.place import MANIFEST, SUFFIX, Facts, Manifest, Part, Place, name_of, sync
from kefu.backups.postgres import Server, base_backup
from kefu.backups.sealed import Sealed
from kefu.kit.clock import now_ms
from kefu.kit.config import Settings
from kefu.kit.db import Database
from kefu.kit.secrets import Sealer

# What is being done, how many bytes or files of it, and of how many (0: unknown). It may raise, which stops the backup.
Tell = Callable[[str, int, int], None]
PAGES = 2000
PIECE = 1 << 20
OLD_SECONDS = 86_400


@dataclass(frozen=True, slots=True)
class Source:
    """What is backed up. `database`: the path of the file, or the way to the server."""

    facts: Facts
    database: Path | Server
    files: Path
    secret: Path | None


async def source_of(db: Database, settings: Settings) -> Source:
    """As it is now; also of a database that an older release left. Raises Busy."""
    (migration,) = (await db.fetch("SELECT version_num FROM alembic_version"))[0]
    kids, data = list(Sealer(settings.all_field_keys()).kids), settings.data_dir.absolute()
    made = data / "jwt_secret"
    secret = made if not settings.jwt_secret_key.get_secret_value() and made.exists() else None
    if db.is_sqlite:
        facts = Facts("sqlite", sqlite3.sqlite_version, migration, __version__, kids)
        return Source(facts, Path(db.path), data / "files", secret)
    asked = "SELECT current_setting('server_version'), setting::bigint FROM pg_settings WHERE name = 'wal_segment_size'"
    ((version, segment),) = await db.fetch(asked)
    server = Server(settings.backup_database_url.get_secret_value() or db.url)
    return Source(Facts("postgresql", version, migration, __version__, kids, segment), server, data / "files", secret)


def take(place: Place, source: Source, keep_days: int, tell: Tell) -> Manifest:
    """Blocks. Raises AnotherRuns, ToolMissing, ToolFailed, OSError; then nothing of it is left that looks whole."""
    with place.locked():
        began = now_ms()
        draft = place.folder / f".{name_of(began)}"
        draft.mkdir()
        try:
            made = _write(place, source, draft, began, tell)
        except BaseException:
            shutil.rmtree(draft, ignore_errors=True)
            raise
        place.keep(keep_days)
        return made


def _write(place: Place, source: Source, draft: Path, began: int, tell: Tell) -> Manifest:
    name, parts, wal = name_of(began), dict[str, Part](), ("", "")

    def put(part: str, write: Callable[[Sealed], None]) -> None:
        parts[part] = place.put(draft / f"{part}{SUFFIX}", f"{name}/{part}", write)

    def database(into: Sealed) -> None:
        nonlocal wal
        wal = _copy(source, into, tell)

    put("database", database)
    if source.secret is not None:
        secret = source.secret.read_bytes()
        put("jwt_secret", lambda into: into.write(secret))
    listed = "\n".join(put_contents(place, source.files, tell)).encode()
    put("contents", lambda into: into.write(listed))
    made = Manifest(name, began, now_ms(), place.key.kid, source.facts, parts, wal)
    _finish(place, draft, made)
    return made


def _finish(place: Place, draft: Path, made: Manifest) -> None:
    with (draft / MANIFEST).open("wb") as file:
        file.write(made.written(place.key))
        file.flush()
        os.fsync(file.fileno())
    sync(draft)
    draft.rename(place.folder / made.name)
    sync(place.folder)


def _copy(source: Source, into: Sealed, tell: Tell) -> tuple[str, str]:
    """Returns the first and the last segment of WAL that the copy needs."""
    database = source.database
    if isinstance(database, Server):
        return base_backup(database, into, source.facts.segment, lambda done: tell("database", done, 0))
    for left in database.parent.glob(".backup-*/"):
        if left.stat().st_mtime < time.time() - OLD_SECONDS:  # of one that was killed
            shutil.rmtree(left)
    with tempfile.TemporaryDirectory(dir=database.parent, prefix=".backup-") as folder:
        copy = Path(folder, "copy.db")
        _copy_sqlite(database, copy, lambda done, total: tell("copy", done, total))
        total, done = copy.stat().st_size, 0
        with copy.open("rb") as copied:
            while piece := copied.read(PIECE):
                into.write(piece)
                done += len(piece)
                tell("database", done, total)
    return "", ""


def _copy_sqlite(database: Path, copy: Path, tell: Callable[[int, int], None]) -> None:
    """One state of it, while others write: what they write during the copy would else have it begin again."""
    with closing(sqlite3.connect(database, isolation_level=None)) as source, closing(sqlite3.connect(copy)) as target:
        target.execute("PRAGMA synchronous=OFF")
        source.execute("BEGIN")
        source.execute("SELECT count(*) FROM sqlite_master").fetchone()
        source.backup(target, pages=PAGES, progress=lambda _, left, total: tell(total - left, total), sleep=0)


def put_contents(place: Place, files: Path, tell: Tell) -> list[str]:
    """All that are not there yet, each once; the names of all. What is swept meanwhile is not wanted either."""
    listed = []
    paths = sorted(path for path in files.glob("??/*") if len(path.name) == 64)
    for number, path in enumerate(paths, 1):
        name = place.key.name_of(path.name)
        target = place.contents / name[:2] / name
        try:
            if not target.exists():
                _put_content(place, path, target)
        except FileNotFoundError:
            continue
        listed.append(name)
        tell("files", number, len(paths))
    return listed


def _put_content(place: Place, path: Path, target: Path) -> Part:
    with path.open("rb") as file:

        def write(into: Sealed) -> None:
            while piece := file.read(PIECE):
                into.write(piece)

        return place.put(target, f"contents/{target.name}", write)
