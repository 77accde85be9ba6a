"""Follow what PostgreSQL writes after the last backup, so that losing the server costs seconds, not a day.

`pg_receivewal` takes the WAL as it is written, by a replication slot, into a folder of this machine. Each segment that
is complete goes sealed into the backups' folder; of the one that is being written a copy every EVERY_SECONDS. The slot
keeps on the server what did not come here yet.
"""

import subprocess
import tempfile
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from threading import Event

from kefu.backups.place import Manifest, Part, Place
from kefu.backups.postgres import SLOT, Server, check
from kefu.backups.sealed import Sealed
from kefu.backups.taking import put_contents
from kefu.kit.clock import Ms, now_ms

LOG_BYTES = 1 << 32
EVERY_SECONDS = 30.0
TICK_SECONDS = 0.5
PARTIAL = ".partial"
STOP_SECONDS = 10


def needed(place: Place, manifest: Manifest) -> list[Path]:
    """The files of the WAL that a backup is brought on with, in order; none for one of SQLite."""
    first = manifest.wal[0]
    found = sorted(place.wal.glob("[0-9A-F]*")) if first else []
    return [path for path in found if not _is_segment(path.name) or path.name[8:24] >= first[8:]]


def breaks_off(manifest: Manifest, names: Iterable[str]) -> str | None:
    """The last segment before the first one that is missing between the backup and the end of the WAL, if any is."""
    size, last = manifest.facts.segment, manifest.wal[1]
    for name in sorted({name[:24] for name in names if _is_segment(name)}, key=lambda one: one[8:]):
        if _number(name, size) > _number(last, size) + 1:
            return last
        last = max(last, name, key=lambda one: _number(one, size))
    return None


def _is_segment(name: str) -> bool:
    """Rather than the history of a timeline."""
    return len(name.removesuffix(PARTIAL)) == len("000000010000000000000001")


def _number(segment: str, size: int) -> int:
    """Its place in the whole WAL, whatever the timeline."""
    return int(segment[8:16], 16) * (LOG_BYTES // size) + int(segment[16:], 16)


def ship(place: Place, spool: Path, seen: dict[str, int]) -> int:
    """Seal what is new in the folder that the receiver fills; the bytes of it.

    A segment is removed there once it is here. `seen`: what was found of a partial one, so that it comes again only
    when it has changed.
    """
    shipped = 0
    for path in sorted(spool.glob("[0-9A-F]*")):
        if not path.name.endswith(PARTIAL):
            shipped += _put(place, path).size
            (place.wal / f"{path.name}{PARTIAL}").unlink(missing_ok=True)
            path.unlink()
            continue
        with suppress(FileNotFoundError):  # complete since, and so of the next round
            state = path.stat().st_mtime_ns
            if seen.get(path.name) != state:
                shipped += _put(place, path).size
                seen.clear()
                seen[path.name] = state
    return shipped


def _put(place: Place, path: Path) -> Part:
    data = path.read_bytes()

    def write(into: Sealed) -> None:
        into.write(data)

    return place.put(place.wal / path.name, f"wal/{path.name}", write)


class Follower:
    """`files`: of the visitors, which are followed too. `told(since, bytes)`: after a round that brought something."""

    def __init__(self, place: Place, server: Server, spool: Path, files: Path) -> None:
        self._place, self._server, self._spool, self._files = place, server, spool, files
        self._seen: dict[str, int] = {}

    def follow(self, stop: Event, told: Callable[[Ms, int], None], every: float = EVERY_SECONDS) -> None:
        """Until `stop` is set. Raises ToolMissing, ToolFailed, OSError."""
        self._spool.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._place.wal.mkdir(parents=True, exist_ok=True)
        self._server.run("pg_receivewal", "--slot", SLOT, "--create-slot", "--if-not-exists")
        with tempfile.TemporaryFile() as err:
            options = ("--directory", str(self._spool), "--slot", SLOT, "--no-loop", "--status-interval=10")
            receiver = self._server.start("pg_receivewal", *options, out=subprocess.DEVNULL, err=err)
            try:
                while not stop.is_set() and receiver.poll() is None:
                    self._round(told)
                    _pause(stop, every, receiver)
                if not stop.is_set():
                    self._round(told)  # what came before the server went
                    check("pg_receivewal", receiver, err)
            finally:
                receiver.terminate()
                receiver.wait(STOP_SECONDS)
        self._round(told)

    def _round(self, told: Callable[[Ms, int], None]) -> None:
        """`since`: what was committed a moment before the round began is in it.

        Told only when something came: what is told is written into the database, so something always comes, unless
        the line is dead.
        """
        began = now_ms()
        size = ship(self._place, self._spool, self._seen)
        put_contents(self._place, self._files, lambda *_: None)
        if size:
            told(began, size)


def _pause(stop: Event, seconds: float, receiver: "subprocess.Popen[bytes]") -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until and receiver.poll() is None:
        if stop.wait(min(TICK_SECONDS, seconds)):
            return
