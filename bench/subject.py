"""The service under measurement: a process of its own on a database of its own, and what the load needs of it."""

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from bench.client import Caller

ROOT = Path(__file__).parent.parent
ADMIN, PASSWORD = "admin", "measure-by-measure-42"
START_SECONDS = 60
QUIET_SHARE = 0.05


@dataclass(frozen=True)
class Place:
    """Where a service keeps its data. `database_url` is empty for SQLite in `folder`, `redis_url` for no Redis."""

    folder: Path
    database_url: str
    port: int
    redis_url: str = ""
    rate_limits: str = "off"

    @property
    def environment(self) -> dict[str, str]:
        return {
            **os.environ,
            "KEFU_DATA_DIR": str(self.folder),
            "DATABASE_URL": self.database_url,
            "REDIS_URL": self.redis_url,
            "SUPER_ADMIN_USERNAME": ADMIN,
            "SUPER_ADMIN_PASSWORD": PASSWORD,
            "RATE_LIMITS": self.rate_limits,
            "AI_SERVICE_PROVIDER": "builtin",
        }

    @property
    def log(self) -> Path:
        return self.folder / "serve.log"

    def prepare(self) -> None:
        """The schema and the demo shop."""
        for verb in ("migrate", "demo"):
            kefu = [sys.executable, "-c", "from kefu.cli import main; main()", verb]
            subprocess.run(kefu, cwd=ROOT, env=self.environment, check=True, capture_output=True)

    def start(self) -> subprocess.Popen[bytes]:
        """The service, as `kefu serve` runs it."""
        command = [sys.executable, "-m", "bench.server", str(self.port)]
        with self.log.open("ab") as log:
            return subprocess.Popen(command, cwd=ROOT, env=self.environment, stdout=log, stderr=log)


@dataclass(frozen=True)
class Visit:
    """An open session and its visitor's token."""

    name: str
    token: str


class Subject:
    """The running service, measured from outside."""

    def __init__(self, place: Place, process: subprocess.Popen[bytes]) -> None:
        self.port = place.port
        self.caller = Caller(place.port)
        self._process = psutil.Process(process.pid)
        self._agent_token = ""

    @property
    def pid(self) -> int:
        return int(self._process.pid)

    def cpu(self) -> float:
        """Seconds of processor time so far."""
        times = self._process.cpu_times()
        return float(times.user + times.system)

    def memory(self) -> int:
        """Resident bytes."""
        return int(self._process.memory_info().rss)

    async def cpu_share(self, seconds: float) -> float:
        """The part of one core that is used during the next `seconds`."""
        cpu, begun = self.cpu(), time.perf_counter()
        await asyncio.sleep(seconds)
        return (self.cpu() - cpu) / (time.perf_counter() - begun)

    def _run_ns(self) -> int:
        """Nanoseconds that the threads which live have run, by the scheduler: ticks of 10 ms miss what is shorter."""
        threads = Path(f"/proc/{self._process.pid}/task").iterdir()
        return sum(int((one / "schedstat").read_text().split()[0]) for one in threads)

    async def idle_share(self, seconds: float) -> float:
        """As `cpu_share`, fine enough for a process that does next to nothing."""
        ran, begun = self._run_ns(), time.perf_counter_ns()
        await asyncio.sleep(seconds)
        return (self._run_ns() - ran) / (time.perf_counter_ns() - begun)

    async def quiet(self) -> None:
        """Wait until what earlier load left to do is done."""
        while await self.cpu_share(0.2) > QUIET_SHARE:
            pass

    async def visit(self, locale: str = "en") -> Visit:
        opened = await self.caller.json("POST", "/api/conversation/new", body={"shop": "demo", "locale": locale})
        return Visit(opened["session_name"], opened["visitor_token"])

    async def served_visit(self) -> Visit:
        """A session that a person has taken over, so that the bot leaves its messages alone."""
        if not self._agent_token:
            login = {"username": ADMIN, "password": PASSWORD}
            self._agent_token = (await self.caller.json("POST", "/api/agent/login", body=login))["token"]
        visit = await self.visit()
        await self.caller.json("POST", f"/api/sessions/{visit.name}/takeover", self._agent_token)
        return visit


@asynccontextmanager
async def serving(place: Place) -> AsyncIterator[Subject]:
    """Start the service, wait until it answers, and stop it at the end. Raises RuntimeError when it does not start."""
    process = place.start()
    subject = Subject(place, process)
    try:
        await _answering(subject, process, place)
        yield subject
    finally:
        subject.caller.close()
        process.terminate()
        process.wait(START_SECONDS)


async def _answering(subject: Subject, process: subprocess.Popen[bytes], place: Place) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            await subject.caller.json("GET", "/api/health/ready")
        except OSError:
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(place.log.read_text()[-3000:]) from None
            await asyncio.sleep(0.05)
        else:
            return
