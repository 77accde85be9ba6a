"""A PostgreSQL of one test's own, to be killed in the middle of its work."""

import os
import shutil
import signal
from pathlib import Path

import asyncpg

from faults.program import READY_SECONDS, Program, runs
from faults.waiting import until
from servers import free_port, postgres_programs


class Postgres(Program):
    """It keeps its data in `home`, which must be a folder that its own user can reach. Raises servers.Missing."""

    def __init__(self, home: Path) -> None:
        self._programs = postgres_programs()
        self.port = free_port()
        self.url = f"postgresql://kefu@127.0.0.1:{self.port}/postgres"
        settings = {"listen_addresses": "127.0.0.1", "port": self.port, "unix_socket_directories": home}
        arguments = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        command = [str(self._programs / "postgres"), "-D", str(home / "data"), *map(str, arguments)]
        # PostgreSQL refuses to run as root.
        super().__init__(home, command, self._serves, user="postgres" if os.geteuid() == 0 else None)

    @property
    def home(self) -> Path:
        return self._home

    def own(self) -> None:
        """Give the folder to whom the server runs as."""
        if self._user:
            shutil.chown(self._home, self._user)

    async def create(self) -> None:
        self.own()
        options = ("--username=kefu", "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync")
        made = await self.run(str(self._programs / "initdb"), "-D", str(self._home / "data"), *options)
        assert await made.wait() == 0, (self._home / "log").read_text()

    async def crash(self) -> None:
        """One of the processes that serve clients with -9: PostgreSQL throws out all others and recovers by itself."""
        connection = await asyncpg.connect(self.url)
        own = int(connection.get_server_pid())
        os.kill(own, signal.SIGKILL)
        await until(lambda: not runs(own), READY_SECONDS)
        connection.terminate()

    async def _serves(self) -> bool:
        try:
            connection = await asyncpg.connect(self.url, timeout=5)
        except (OSError, asyncpg.PostgresError, TimeoutError):
            return False
        await connection.close()
        return True
