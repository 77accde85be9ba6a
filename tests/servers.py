"""A real PostgreSQL and a real Redis for the tests.

Each is started by the first test that needs it and shared by all processes of the run. A keeper of its own stops it as
soon as the last of them is gone, also when they were killed: they hold a shared lock on one file, and the kernel gives
the keeper the exclusive one after them.
"""

import fcntl
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

START_SECONDS = 30


class Missing(Exception):
    """The server is not installed."""


def free_port() -> int:
    """A loopback port nobody listens on right now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Servers:
    """What the processes of one run share, in `folder`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._in_use = folder / "in-use"
        self._alive = self._in_use.open("a")
        fcntl.flock(self._alive, fcntl.LOCK_SH)
        self._keepers: list[subprocess.Popen[bytes]] = []

    def close(self) -> None:
        """This process needs them no more."""
        self._alive.close()
        for keeper in self._keepers:
            keeper.returncode = 0  # it outlives us until the others are done, and is not ours to wait for

    def once(self, name: str, make: Callable[[], str]) -> str:
        """What `make` returned, made by one process of the run only."""
        file = self._folder / name
        with (self._folder / f"{name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not file.exists():
                file.write_text(make())
            return file.read_text()

    def postgres(self) -> str:
        """`postgresql://kefu@127.0.0.1:port`, without a database. Raises Missing."""
        return self.once("postgres", self._start_postgres)

    def redis(self) -> str:
        """`redis://127.0.0.1:port`. Raises Missing."""
        return self.once("redis", self._start_redis)

    def _start_postgres(self) -> str:
        programs = postgres_programs()
        home = Path(tempfile.mkdtemp(prefix="kefu-postgres-"))
        # PostgreSQL refuses to run as root.
        user = "postgres" if os.geteuid() == 0 else None
        if user:
            shutil.chown(home, user)
        options = (
            "--username=kefu",
            "--auth=trust",
            "--encoding=UTF8",
            "--locale=C.UTF-8",
            "--no-sync",
            "--wal-segsize=1",
        )
        subprocess.run(
            [programs / "initdb", "-D", home / "data", *options],
            cwd=home,
            check=True,
            capture_output=True,
            user=user,
            group=user,
            extra_groups=[] if user else None,
        )
        port = free_port()
        settings = {
            "listen_addresses": "127.0.0.1",
            "port": port,
            "unix_socket_directories": home,
            "max_connections": 200,
            "shared_buffers": "64MB",
            "max_wal_size": "64MB",
            "min_wal_size": "2MB",
        }
        arguments = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        self._keep(home, user, [programs / "postgres", "-D", home / "data", *arguments])
        ready = [str(programs / "pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(port)]
        self._await(home, lambda: subprocess.run(ready, check=False).returncode == 0)
        return f"postgresql://kefu@127.0.0.1:{port}"

    def _start_redis(self) -> str:
        program = shutil.which("redis-server")
        if not program:
            raise Missing("redis-server")
        home = Path(tempfile.mkdtemp(prefix="kefu-redis-"))
        port = free_port()
        self._keep(home, None, [program, "--bind", "127.0.0.1", "--port", str(port), "--save", "", "--dir", str(home)])
        self._await(home, lambda: _answers(port))
        return f"redis://127.0.0.1:{port}"

    def _keep(self, home: Path, user: str | None, command: Sequence[str | Path]) -> None:
        with (home / "log").open("wb") as log:
            keeper = subprocess.Popen(
                [sys.executable, __file__, self._in_use, home, user or "", *command],
                cwd=home,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self._keepers.append(keeper)

    def _await(self, home: Path, is_ready: Callable[[], bool]) -> None:
        deadline = time.monotonic() + START_SECONDS
        while not is_ready():
            if time.monotonic() > deadline or self._keepers[-1].poll() is not None:
                raise RuntimeError(f"not started: {(home / 'log').read_text()[-2000:]}")
            time.sleep(0.05)


def postgres_programs() -> Path:
    """The folder of the newest PostgreSQL installed. Raises Missing."""
    installed = [path.parent for path in Path("/usr/lib/postgresql").glob("*/bin/initdb")]
    if installed:
        return max(installed, key=lambda folder: float(folder.parent.name))
    on_path = shutil.which("initdb")
    if not on_path:
        raise Missing("postgresql")
    return Path(on_path).resolve().parent


def _answers(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1) as connection:
            connection.sendall(b"PING\r\n")
            return connection.recv(16).startswith(b"+PONG")
    except OSError:
        return False


def keep(in_use: str, home: str, user: str, *command: str) -> None:
    """Run the server until nobody holds the lock any more, then stop it and remove its folder."""
    server = subprocess.Popen(
        command, cwd=home, user=user or None, group=user or None, extra_groups=[] if user else None
    )
    with Path(in_use).open() as file:
        fcntl.flock(file, fcntl.LOCK_EX)
    server.send_signal(signal.SIGINT)
    server.wait(START_SECONDS)
    shutil.rmtree(home, ignore_errors=True)


if __name__ == "__main__":
    keep(*sys.argv[1:])
