"""A PostgreSQL of one test's own, to be killed in the middle of its work."""

import asyncio
import os
import shutil
import signal
import subprocess
from contextlib import suppress
from pathlib import Path

import asyncpg

from faults.waiting import until
from servers import free_port, postgres_programs

READY_SECONDS = 30


class Postgres:
    """It keeps its data in `home`, which must be a folder that its own user can reach. Raises servers.Missing."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._programs = postgres_programs()
        # PostgreSQL refuses to run as root.
        self._user = "postgres" if os.geteuid() == 0 else None
        self._port = free_port()
        self._process: asyncio.subprocess.Process | None = None
        self.url = f"postgresql://kefu@127.0.0.1:{self._port}/postgres"

    async def create(self) -> None:
        if self._user:
            shutil.chown(self._home, self._user)
        options = ("--username=kefu", "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync")
        made = await self._run(str(self._programs / "initdb"), "-D", str(self._home / "data"), *options)
        assert await made.wait() == 0, (self._home / "log").read_text()

    async def start(self) -> None:
        """Start it, recover what the last kill left, and wait until it serves."""
        settings = {"listen_addresses": "127.0.0.1", "port": self._port, "unix_socket_directories": self._home}
        arguments = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        self._process = await self._run(
            str(self._programs / "postgres"), "-D", str(self._home / "data"), *map(str, arguments)
        )
        await self.until_ready()

    async def until_ready(self) -> None:
        await until(self._serves, READY_SECONDS)

    async def kill(self) -> None:
        """Every process of it with -9, as when the power goes."""
        assert self._process
        children = self._children()
        self._process.kill()
        for child in children:
            with suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)
        await self._process.wait()
        await until(lambda: not any(map(_runs, children)), READY_SECONDS)

    async def crash(self) -> None:
        """One of the processes that serve clients with -9: PostgreSQL throws out all others and recovers by itself."""
        connection = await asyncpg.connect(self.url)
        own = int(connection.get_server_pid())
        os.kill(own, signal.SIGKILL)
        await until(lambda: not _runs(own), READY_SECONDS)
        connection.terminate()

    async def stop(self) -> None:
        assert self._process
        if self._process.returncode is None:
            self._process.send_signal(signal.SIGINT)
            await self._process.wait()

    def _children(self) -> list[int]:
        assert self._process
        pid = self._process.pid
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]

    async def _run(self, *command: str) -> asyncio.subprocess.Process:
        with (self._home / "log").open("ab") as log:
            return await asyncio.create_subprocess_exec(
                *command,
                cwd=self._home,
                stdout=log,
                stderr=subprocess.STDOUT,
                user=self._user,
                group=self._user,
                extra_groups=[] if self._user else None,
            )

    async def _serves(self) -> bool:
        try:
            connection = await asyncpg.connect(self.url, timeout=5)
        except (OSError, asyncpg.PostgresError, TimeoutError):
            return False
        await connection.close()
        return True


def _runs(pid: int) -> bool:
    return Path(f"/proc/{pid}").exists()
