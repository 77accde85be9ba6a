"""The folder that backups lie in.

    20261128T024000123Z/    one backup, with manifest.json; until it is whole it is called .20261128T024000123Z
    contents/ab/ab12…       files of visitors and of the knowledge, each once for all backups
    wal/0000000100000000…   what PostgreSQL wrote since, one segment each; .partial: the one it is writing

Everything is written under another name, synced and moved, so what has its name is whole.
"""

import fcntl
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, BinaryIO, ClassVar, Literal

import orjson

from kefu.backups.sealed import Damaged, Key, Sealed, opened
from kefu.kit.errors import Conflict, KefuError
from kefu.kit.i18n import Text

NAME = "%Y%m%dT%H%M%S"
MANIFEST, SUFFIX = "manifest.json", ".sealed"


class AnotherRuns(Conflict):
    code = "BACKUP_RUNS"
    text: ClassVar[Text] = {
        "en": "Another backup into this folder is under way.",
        "zh": "另一个备份正在写入该目录。",
    }


class WrongKey(KefuError):
    code = "BACKUP_KEY_WRONG"
    text: ClassVar[Text] = {
        "en": "{name} is sealed with another key (number {kid}).\n    → Set BACKUP_KEY to the one of that time.",
        "zh": "{name} 使用了另一把密钥（编号 {kid}）。\n    → 请将 BACKUP_KEY 设为当时的密钥。",
    }


class NoBackup(KefuError):
    code = "BACKUP_NOT_FOUND"
    text: ClassVar[Text] = {"en": "There is no such backup in {folder}.", "zh": "{folder} 中没有该备份。"}


@dataclass(frozen=True, slots=True)
class Part:
    """Of the sealed file."""

    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Facts:
    """Of the database. `field_keys`: which keys open what is sealed in it, by their numbers. `segment`: bytes."""

    database: Literal["sqlite", "postgresql"]
    server: str
    migration: str
    kefu: str
    field_keys: list[str]
    segment: int = 0


@dataclass(frozen=True, slots=True)
class Manifest:
    """`began`: Unix ms; everything that was committed before is in it.

    `wal`: the first and the last segment of PostgreSQL's that it has and needs.
    """

    name: str
    began: int
    ended: int
    key: str
    facts: Facts
    parts: dict[str, Part]
    wal: tuple[str, str] = ("", "")

    @property
    def size(self) -> int:
        return sum(part.size for part in self.parts.values())

    def written(self, key: Key) -> bytes:
        facts = asdict(self)
        return orjson.dumps(facts | {"mac": key.mac(_canonical(facts))}, option=orjson.OPT_INDENT_2)


def _canonical(facts: object) -> bytes:
    return orjson.dumps(facts, option=orjson.OPT_SORT_KEYS)


class Place:
    def __init__(self, folder: Path, key: Key) -> None:
        self.folder, self.key = folder, key
        self.contents, self.wal = folder / "contents", folder / "wal"

    @contextmanager
    def locked(self) -> Iterator[None]:
        """One backup at a time. What a dead one left is removed. Raises AnotherRuns."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / ".lock").open("w") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise AnotherRuns from None
            for left in self.folder.glob(".2*Z"):
                shutil.rmtree(left)
            yield

    def names(self) -> list[str]:
        """Of all backups, the oldest first."""
        return sorted(path.parent.name for path in self.folder.glob(f"2*Z/{MANIFEST}"))

    def manifest(self, name: str) -> Manifest:
        """Raises NoBackup, WrongKey, Damaged."""
        try:
            facts = orjson.loads((self.folder / name / MANIFEST).read_bytes())
        except FileNotFoundError:
            raise NoBackup(folder=self.folder) from None
        except ValueError:
            raise Damaged(part=f"{name}/{MANIFEST}") from None
        return self._authentic(name, facts)

    def _authentic(self, name: str, facts: Any) -> Manifest:
        if not isinstance(facts, dict):
            raise Damaged(part=f"{name}/{MANIFEST}")
        if facts.get("key") != self.key.kid:
            raise WrongKey(name=name, kid=facts.get("key"))
        mac = facts.pop("mac", "")
        if mac != self.key.mac(_canonical(facts)) or facts["name"] != name:
            raise Damaged(part=f"{name}/{MANIFEST}")
        parts = {part: Part(**of) for part, of in facts["parts"].items()}
        return Manifest(**{**facts, "facts": Facts(**facts["facts"]), "parts": parts, "wal": tuple(facts["wal"])})

    def open(self, name: str, part: str) -> BinaryIO:
        try:
            return (self.folder / name / f"{part}{SUFFIX}").open("rb")
        except FileNotFoundError:
            raise Damaged(part=f"{name}/{part}") from None

    def read(self, name: str, part: str) -> Iterator[bytes]:
        """The plain pieces. Raises Damaged."""
        with self.open(name, part) as file:
            yield from opened(file, self.key, f"{name}/{part}")

    def chosen(self, name: str | None, until: int | None) -> Manifest:
        """That one, or the newest that ended before `until` (ms), or the newest. Raises NoBackup."""
        if name:
            return self.manifest(name)
        found = [self.manifest(one) for one in self.names()]
        fitting = [one for one in found if until is None or one.ended <= until]
        if not fitting:
            raise NoBackup(folder=self.folder)
        return fitting[-1]

    def put(self, path: Path, stream: str, write: Callable[[Sealed], None]) -> Part:
        """A sealed file, in its place when it is whole and on the disk."""
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_name(f".{path.name}.{os.getpid()}")
        try:
            with draft.open("wb") as file:
                sealed = Sealed(file, self.key, stream)
                write(sealed)
                sealed.end()
                file.flush()
                os.fsync(file.fileno())
            draft.replace(path)
            sync(path.parent)
        finally:
            draft.unlink(missing_ok=True)
        return Part(sealed.size, sealed.sha256)

    def keep(self, days: int) -> list[str]:
        """Remove what is too old: backups, then WAL and contents that those that stay do not need. The names removed.

        The newest is never removed.
        """
        names = self.names()
        gone = sorted(set(names) - kept(names, days))
        for name in gone:
            aside = self.folder / f".{name}"
            (self.folder / name).rename(aside)
            shutil.rmtree(aside)
        if names:
            oldest = self.manifest(min(set(names) - set(gone)))
            self._keep_wal(oldest.wal[0])
            self._keep_contents(set(names) - set(gone), oldest.began / 1000)
        return gone

    def _keep_wal(self, first: str) -> None:
        """From the first segment that the oldest backup needs, on every timeline."""
        for path in self.wal.glob("[0-9A-F]*"):
            segment = path.name.partition(".")[0]
            if first and len(segment) == len(first) and segment[8:] < first[8:] and segment[:8] <= first[:8]:
                path.unlink(missing_ok=True)

    def _keep_contents(self, names: set[str], since: float) -> None:
        """What a backup lists, and what came since the oldest: a file of WAL that no list knows yet."""
        listed = {line for name in names for line in self.listed(name)}
        for path in self.contents.glob("*/*"):
            with suppress(FileNotFoundError):
                if path.name not in listed and path.stat().st_mtime < since:
                    path.unlink()

    def listed(self, name: str) -> Sequence[str]:
        """The contents that this backup is whole with."""
        return b"".join(self.read(name, "contents")).decode().split()


def name_of(at: int) -> str:
    """Of a backup that began then (ms)."""
    return datetime.fromtimestamp(at / 1000, UTC).strftime(NAME) + f"{at % 1000:03d}Z"


def kept(names: Sequence[str], days: int) -> set[str]:
    """Of names in order those that stay, counted back from the newest.

    All of its last hour, the last of each hour of its last day, and the last of each of its last `days` days.
    """
    found = set()
    newest = _time(names[-1]) if names else None
    spans: dict[str, str] = {}
    for name in names:
        assert newest
        age = newest - _time(name)
        if age < timedelta(hours=1):
            found.add(name)
        elif age < timedelta(days=1):
            spans[name[:11]] = name
        if age < timedelta(days=days):
            spans[name[:8]] = name
    return found | set(spans.values())


def _time(name: str) -> datetime:
    return datetime.strptime(name[:15], NAME).replace(tzinfo=UTC)


def sync(folder: Path) -> None:
    """Have the folder's own list of names on the disk."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
