"""The way back: a backup into an empty place, or, by force, into one whose content is put aside and not lost."""

import hashlib
import os
import sqlite3
import tarfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from kefu.backups.place import Manifest, Place, name_of, sync
from kefu.backups.sealed import Damaged, Reader, opened
from kefu.backups.taking import Tell
from kefu.backups.wal import PARTIAL, needed
from kefu.kit.clock import iso, now_ms
from kefu.kit.errors import Conflict, KefuError
from kefu.kit.i18n import Text

BUFFER = 1 << 20
SECRET = "jwt_secret"  # noqa: S105 - the name of its file
VERSION = "PG_VERSION"  # without it PostgreSQL takes the folder for none of its own, so it comes last
# The WAL lies there already; asking nobody for more ends the recovery where it ends.
RECOVERY = """
# kefu restore
restore_command = 'false'
recovery_target_timeline = 'latest'
recovery_target_action = 'promote'
{target}"""


class NotEmpty(Conflict):
    code = "RESTORE_NOT_EMPTY"
    text: ClassVar[Text] = {
        "en": "{place} is not empty.\n    → Choose another place, or --force: what is there is moved to {aside}.",
        "zh": "{place} 不为空。\n    → 请换一个位置，或使用 --force：原内容会移到 {aside}。",
    }


class StillRuns(Conflict):
    code = "RESTORE_IN_USE"
    text: ClassVar[Text] = {
        "en": "{place} is in use.\n    → Stop what serves it first.",
        "zh": "{place} 正在使用中。\n    → 请先停止相关服务。",
    }


class OtherDatabase(KefuError):
    code = "RESTORE_OTHER_DATABASE"
    text: ClassVar[Text] = {
        "en": "This backup is of {database}.\n    → SQLite: leave DATABASE_URL empty. PostgreSQL: name the server's "
        "data folder with --pgdata.",
        "zh": "该备份来自 {database}。\n    → SQLite：请将 DATABASE_URL 留空；PostgreSQL：请用 --pgdata 指定数据目录。",
    }


@dataclass(frozen=True, slots=True)
class Target:
    """`data`: KEFU_DATA_DIR. `database`: the path of the SQLite file, or of PostgreSQL's data folder."""

    data: Path
    database: Path
    is_forced: bool = False
    until: int | None = None


def restore(place: Place, manifest: Manifest, target: Target, tell: Tell) -> None:
    """Blocks. What makes a database of it comes last, so that one stopped halfway is none, and can be begun again.

    Raises NotEmpty, StillRuns, Damaged, OSError.
    """
    has_secret = "jwt_secret" in manifest.parts
    secret = b"".join(place.read(manifest.name, "jwt_secret")) if has_secret else b""
    if manifest.facts.database == "sqlite":
        _restore_sqlite(place, manifest, target, secret, tell)
    else:
        _restore_postgres(place, manifest, target, tell)
        if secret:
            _put(target.data / SECRET, iter([secret]))
    os.sync()


def _restore_sqlite(place: Place, manifest: Manifest, target: Target, secret: bytes, tell: Tell) -> None:
    path = target.database
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists():
        _let_go(path)
        if not target.is_forced:
            raise NotEmpty(place=path, aside=path.parent / "before-restore-…")
    _restore_contents(place, target.data / "files", tell)
    draft = path.with_name(f".{path.name}.arriving")
    _put(draft, _counted(place.read(manifest.name, "database"), lambda done: tell("database", done, 0)))
    with closing(sqlite3.connect(draft)) as connection:
        if connection.execute("PRAGMA quick_check").fetchone() != ("ok",):
            raise Damaged(part=f"{manifest.name}/database")
        connection.execute("PRAGMA journal_mode=DELETE")  # so that it is one file
    if path.exists():
        _put_aside([one for one in (path, target.data / SECRET) if one.exists()], path.parent)
    if secret:
        _put(target.data / SECRET, iter([secret]))
    draft.replace(path)


def _let_go(path: Path) -> None:
    """Have SQLite end its log, which it can only when nobody else has the file open. Raises StillRuns."""
    try:
        with closing(sqlite3.connect(path, timeout=1)) as connection:
            connection.execute("PRAGMA journal_mode=DELETE")
    except sqlite3.OperationalError:
        raise StillRuns(place=path) from None
    except sqlite3.DatabaseError:
        return  # no database: it is put aside as it is


def _put_aside(paths: Iterable[Path], parent: Path) -> None:
    aside = parent / f"before-restore-{name_of(now_ms())}"
    aside.mkdir(mode=0o700)
    for path in paths:
        path.rename(aside / path.name)


def _restore_postgres(place: Place, manifest: Manifest, target: Target, tell: Tell) -> None:
    home = target.database
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    if (home / "postmaster.pid").exists():
        raise StillRuns(place=home)
    standing = [one for one in home.iterdir() if not one.name.startswith("before-restore-")]
    if standing and not target.is_forced:
        raise NotEmpty(place=home, aside=home / "before-restore-…")
    if standing:
        _put_aside(standing, home)
    _restore_contents(place, target.data / "files", tell)
    pieces = _counted(place.read(manifest.name, "database"), lambda done: tell("database", done, 0))
    version = _unpack(pieces, home)
    _restore_wal(place, manifest, home / "pg_wal", tell)
    wanted = f"recovery_target_time = '{iso(target.until)}'\n" if target.until else ""
    with (home / "postgresql.auto.conf").open("a") as file:
        file.write(RECOVERY.format(target=wanted))
    (home / "recovery.signal").touch()
    home.chmod(0o700)
    _give_to(home.parent, home)
    os.sync()
    (home / VERSION).write_bytes(version)
    _give_to(home, home / VERSION)


def _unpack(pieces: Iterator[bytes], home: Path) -> bytes:
    """All but the file that makes a data folder of it, which is returned. Raises Damaged."""
    version = b""
    with Reader(pieces) as reader, tarfile.open(fileobj=reader, mode="r|", bufsize=BUFFER) as tar:
        for member in tar:
            if member.name.removeprefix("./") == VERSION:
                file = tar.extractfile(member)
                version = file.read() if file else b""
            else:
                tar.extract(member, home, filter="tar")
        while reader.read(BUFFER):  # to the end, where it is known that nothing was cut off
            pass
    if not version:
        raise Damaged(part="database")
    return version


def _restore_wal(place: Place, manifest: Manifest, folder: Path, tell: Tell) -> None:
    """What PostgreSQL wrote since; of a segment that never was complete, what there is."""
    wanted = needed(place, manifest)
    for number, path in enumerate(wanted, 1):
        target = folder / path.name.removesuffix(PARTIAL)
        if not (path.name.endswith(PARTIAL) and (place.wal / target.name).exists()):
            with path.open("rb") as file:
                _put(target, opened(file, place.key, f"wal/{path.name}"))
        tell("wal", number, len(wanted))


def _restore_contents(place: Place, files: Path, tell: Tell) -> None:
    """All there are: what no row of the database names is swept within a day."""
    paths = sorted(place.contents.glob("??/*"))
    for number, path in enumerate(paths, 1):
        draft = files / "arriving" / path.name
        with path.open("rb") as file:
            sha256 = _put(draft, opened(file, place.key, f"contents/{path.name}"))
        target = files / sha256[:2] / sha256
        target.parent.mkdir(exist_ok=True)
        draft.replace(target)
        tell("files", number, len(paths))


def _put(path: Path, pieces: Iterator[bytes]) -> str:
    """Written whole, synced, for its owner alone; its SHA-256."""
    path.parent.mkdir(parents=True, exist_ok=True)
    digest = hashlib.sha256()
    path.touch(0o600)
    with path.open("wb") as file:
        for piece in pieces:
            file.write(piece)
            digest.update(piece)
        file.flush()
        os.fsync(file.fileno())
    sync(path.parent)
    return digest.hexdigest()


def _counted(pieces: Iterator[bytes], tell: Callable[[int], None]) -> Iterator[bytes]:
    done = 0
    for piece in pieces:
        done += len(piece)
        tell(done)
        yield piece


def _give_to(owner_of: Path, home: Path) -> None:
    """As root: the folder and all in it to whom the other belongs, for PostgreSQL runs as nobody else."""
    if os.geteuid() == 0:
        owner = owner_of.stat()
        for path in (home, *home.rglob("*")):
            os.chown(path, owner.st_uid, owner.st_gid, follow_symlinks=False)
