"""The real server as a process of its own, to be killed and started again on the same port."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import orjson

from faults.program import takes_connections
from faults.waiting import until
from servers import free_port

PROGRAM = Path(sys.executable).with_name("kefu")
ADMIN = "admin"
ADMIN_PASSWORD = "a long one for the tests 7"
UP_SECONDS = 60
DOWN_SECONDS = 40


class Kefu:
    """`kefu serve` with a data folder of its own in `home`, on the given database."""

    def __init__(self, home: Path, database_url: str, **settings: str) -> None:
        self.port = free_port()
        self.address = f"http://127.0.0.1:{self.port}"
        self.home = home
        self._log = home / "server.log"
        self._process: asyncio.subprocess.Process | None = None
        self.environment = {
            "PATH": os.environ["PATH"],
            "KEFU_DATA_DIR": str(home / "data"),
            "DATABASE_URL": database_url,
            "JWT_SECRET_KEY": "a secret of the fault tests, long enough",
            "SUPER_ADMIN_USERNAME": ADMIN,
            "SUPER_ADMIN_PASSWORD": ADMIN_PASSWORD,
            "RATE_LIMITS": "off",
            "AI_SERVICE_PROVIDER": "scripted",
            **settings,
        }

    @property
    def pid(self) -> int:
        assert self._process
        return self._process.pid

    async def start(self) -> None:
        """Start it and wait until it takes connections."""
        await self._start("serve", "--host", "127.0.0.1", "--port", str(self.port))

    async def _start(self, *arguments: str) -> None:
        with self._log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                PROGRAM, *arguments, cwd=self.home, env=self.environment, stdout=log, stderr=subprocess.STDOUT
            )
        await until(self._is_started, UP_SECONDS)

    async def _is_started(self) -> bool:
        assert self._process
        if self._process.returncode is not None:
            raise RuntimeError(f"not started: {self._log.read_text()[-3000:]}")
        return await self._is_up()

    async def _is_up(self) -> bool:
        return await takes_connections(self.port)

    async def kill(self) -> None:
        """With -9: it has no chance to finish anything."""
        assert self._process
        if self._process.returncode is None:
            self._process.kill()
        await self._process.wait()

    async def terminate(self) -> tuple[int, float]:
        """With SIGTERM; returns the exit code and the seconds until it was gone. Raises TimeoutError."""
        assert self._process
        began = time.monotonic()
        self._process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(DOWN_SECONDS):
            code = await self._process.wait()
        return code, time.monotonic() - began

    def freeze(self) -> None:
        """It stands still, with everything it holds, until `thaw`."""
        assert self._process
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        assert self._process
        self._process.send_signal(signal.SIGCONT)

    async def run(self, *arguments: str) -> tuple[int, str]:
        """Another `kefu` command on the same database, beside the server; returns the exit code and what it wrote."""
        process = await asyncio.create_subprocess_exec(
            PROGRAM,
            *arguments,
            cwd=self.home,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        async with asyncio.timeout(UP_SECONDS):
            output, _ = await process.communicate()
        assert process.returncode is not None
        return process.returncode, output.decode()

    def logged(self, event: str) -> list[Mapping[str, object]]:
        """The lines of the log with this `event`, over all starts."""
        lines = self._log.read_bytes().splitlines()
        found = [orjson.loads(line) for line in lines if line.startswith(b"{") and line.endswith(b"}")]
        return [line for line in found if line.get("event") == event]


class KefuWorker(Kefu):
    """`kefu worker` with its own folder in `home`."""

    async def start(self) -> None:
        self._starts = self._said()
        await self._start("worker")

    async def _is_up(self) -> bool:
        return self._said() > self._starts

    def _said(self) -> int:
        return self._log.read_bytes().count(b"Kefu worker is running") if self._log.exists() else 0
