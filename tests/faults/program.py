"""A server program of one test's own, with its children, to be killed and started again."""

import asyncio
import os
import signal
import subprocess
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from pwd import getpwnam, struct_passwd

from faults.waiting import until

READY_SECONDS = 30


def _become(user: struct_passwd) -> None:
    """In the new process, before it is the program: uvloop starts nothing as another user."""
    os.setgroups([])
    os.setgid(user.pw_gid)
    os.setuid(user.pw_uid)


class Program:
    """It runs in `home` and writes its log there. `is_up` says whether it serves.

    `user`: whom it runs as, when not as us.
    """

    def __init__(
        self, home: Path, command: Sequence[str], is_up: Callable[[], Awaitable[bool]], user: str | None = None
    ) -> None:
        self._home = home
        self._command = command
        self._is_up = is_up
        self._user = user
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        """Start it and wait until it serves. Raises RuntimeError, TimeoutError."""
        self._process = await self.run(*self._command)
        await self.until_ready()

    async def run(self, *command: str) -> asyncio.subprocess.Process:
        with (self._home / "log").open("ab") as log:
            return await asyncio.create_subprocess_exec(
                *command,
                cwd=self._home,
                stdout=log,
                stderr=subprocess.STDOUT,
                preexec_fn=partial(_become, getpwnam(self._user)) if self._user else None,
            )

    async def until_ready(self) -> None:
        await until(self._is_ready, READY_SECONDS)

    async def _is_ready(self) -> bool:
        if self._process is None or self._process.returncode is not None:
            raise RuntimeError(f"not started: {(self._home / 'log').read_text()[-2000:]}")
        return await self._is_up()

    async def kill(self) -> None:
        """Every process of it with -9, as when the power goes."""
        if self._process is None:
            return
        children = self._children()
        if self._process.returncode is None:
            self._process.kill()
        for child in children:
            with suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)
        await self._process.wait()
        await until(lambda: not any(map(runs, children)), READY_SECONDS)

    async def stop(self) -> None:
        if self._process and self._process.returncode is None:
            self._process.send_signal(signal.SIGINT)
            async with asyncio.timeout(READY_SECONDS):
                await self._process.wait()

    def _children(self) -> list[int]:
        assert self._process
        pid = self._process.pid
        with suppress(OSError):
            return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
        return []


def runs(pid: int) -> bool:
    """One that is dead and only not yet buried by its parent does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


async def takes_connections(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    return True
