"""PostgreSQL's own programs: the base backup, and what is written since (`pg_basebackup`, `pg_receivewal`)."""

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import IO, ClassVar
from urllib.parse import unquote, urlsplit, urlunsplit

from kefu.backups.sealed import Sealed
from kefu.kit.errors import KefuError
from kefu.kit.i18n import Text

PIECE, EDGE = 1 << 20, 1 << 15
# At the begin and at the end of the tar: https://www.postgresql.org/docs/current/backup-manifest-wal-ranges.html
FIRST_SEGMENT = re.compile(rb"START WAL LOCATION: \S+ \(file ([0-9A-F]{24})\)")
END = re.compile(rb'"End-LSN": "([0-9A-F]+)/([0-9A-F]+)"')
SLOT = "kefu_backup"
# Where Debian has each version.
DEBIAN = Path("/usr/lib/postgresql")


class ToolMissing(KefuError):
    code = "BACKUP_TOOL_MISSING"
    text: ClassVar[Text] = {
        "en": "{program} is not installed.\n    → apt-get install postgresql-client, of the server's version or newer.",
        "zh": "未安装 {program}。\n    → 请安装与服务器同版本或更新的 postgresql-client。",
    }


class ToolFailed(KefuError):
    """`said`: the last lines that the program wrote."""

    code = "BACKUP_TOOL_FAILED"
    text: ClassVar[Text] = {
        "en": "{program} failed: {said}\n    → docs/operate/backup.md tells what role and settings it needs.",
        "zh": "{program} 执行失败：{said}\n    → 所需角色与设置见 docs/operate/backup.md。",
    }


class Server:
    """The way to the server for its programs. The password goes by the environment: everybody sees the arguments."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        name = parts.netloc.rpartition("@")
        user, _, password = name[0].partition(":")
        bare = urlunsplit(("postgresql", f"{user}@{name[2]}" if user else name[2], *parts[2:]))
        own = {name: value for name, value in os.environ.items() if name.startswith("PG")}
        self._environment = {"PATH": os.environ.get("PATH", ""), "LC_ALL": "C", "PGCONNECT_TIMEOUT": "10", **own}
        if password:
            self._environment["PGPASSWORD"] = unquote(password)
        self._dsn = bare

    def start(self, program: str, *arguments: str, out: int, err: IO[bytes]) -> "subprocess.Popen[bytes]":
        """Raises ToolMissing."""
        command = [program_at(program), "--dbname", self._dsn, "--no-password", *arguments]
        return subprocess.Popen(  # noqa: S603 - our own words, and an address that the operator wrote
            command, env=self._environment, stdin=subprocess.DEVNULL, stdout=out, stderr=err
        )

    def run(self, program: str, *arguments: str) -> None:
        """Raises ToolMissing, ToolFailed."""
        with tempfile.TemporaryFile() as err:
            check(program, self.start(program, *arguments, out=subprocess.DEVNULL, err=err), err)


def program_at(program: str) -> str:
    """The newest that Debian has, or the one on the path. Raises ToolMissing."""
    versions = sorted(DEBIAN.glob("[0-9]*"), key=lambda folder: int(folder.name))
    there = [folder / "bin" / program for folder in reversed(versions) if (folder / "bin" / program).exists()]
    found = str(there[0]) if there else shutil.which(program)
    if found is None:
        raise ToolMissing(program=program)
    return found


def check(program: str, process: "subprocess.Popen[bytes]", err: IO[bytes]) -> None:
    """Wait for its end. Raises ToolFailed."""
    if process.wait():
        err.seek(0)
        raise ToolFailed(program=program, said=err.read()[-600:].decode(errors="replace").strip())


def base_backup(server: Server, into: Sealed, segment: int, tell: Callable[[int], None]) -> tuple[str, str]:
    """The whole cluster as one tar, with the WAL that it needs: the names of the first and the last segment of that.

    `segment`: bytes of each. `tell` hears the bytes so far, and may raise to stop it.
    """
    with tempfile.TemporaryFile() as err:
        options = ("--pgdata=-", "--format=tar", "--wal-method=fetch", "--checkpoint=fast", "--label=kefu")
        process = server.start("pg_basebackup", *options, out=subprocess.PIPE, err=err)
        assert process.stdout
        try:
            head, tail, done = b"", b"", 0
            while piece := process.stdout.read(PIECE):
                head, tail = head or piece[:EDGE], (tail + piece)[-EDGE:]
                into.write(piece)
                done += len(piece)
                tell(done)
            check("pg_basebackup", process, err)
        finally:
            process.kill()
            process.wait()
            process.stdout.close()
    first, ends = FIRST_SEGMENT.search(head), END.findall(tail)
    if first is None or not ends:
        raise ToolFailed(program="pg_basebackup", said="its tar does not say which WAL it needs")
    high, low = (int(part, 16) for part in ends[-1])
    name = first[1].decode()
    return name, f"{name[:8]}{high:08X}{low // segment:08X}"
