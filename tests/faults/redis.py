"""A Redis of one test's own, to be killed and emptied: it keeps nothing on the disk."""

import asyncio
import shutil
from pathlib import Path

from faults.program import Program
from servers import Missing, free_port


class Redis(Program):
    """Raises servers.Missing."""

    def __init__(self, home: Path) -> None:
        program = shutil.which("redis-server")
        if not program:
            raise Missing("redis-server")
        self.port = free_port()
        command = [program, "--bind", "127.0.0.1", "--port", str(self.port), "--save", "", "--appendonly", "no"]
        super().__init__(home, command, self._serves)

    async def empty(self) -> None:
        assert await self._ask("FLUSHALL") == "+OK"

    async def _serves(self) -> bool:
        try:
            return await self._ask("PING") == "+PONG"
        except OSError:
            return False

    async def _ask(self, command: str) -> str:
        reads, writes = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            writes.write(f"{command}\r\n".encode())
            return (await reads.readline()).decode().strip()
        finally:
            writes.close()
