"""Whole conversations one after the other for a long time: what grows, and whether answers stay as quick as they were.

`python -m bench.soak [minutes]` (30; as few as 3 to try it): one app process on PostgreSQL and Redis. Ends by itself.
"""

import asyncio
import random
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

sys.path.append(str(Path(__file__).parent.parent / "tests"))

import asyncpg
import psutil
import uvloop

import bench.report
from bench.client import Following, follow
from bench.figures import Bound, Judged, Table, milliseconds
from bench.report import FOLDER, Report, machine
from bench.subject import ADMIN, PASSWORD, Place, Subject, Visit, serving
from servers import Servers, free_port

MINUTES = 30
PER_SECOND = 2.0  # conversations that begin
STAYS_SECONDS = 20.0
SAMPLES = 60
TOKEN_SECONDS = 600
ANSWER_SECONDS = 30
SIZE = "SELECT pg_database_size('bench')"
QUESTIONS = ("How long does charging take?", "电池可以带上飞机吗？", "Can I return my bike?", "Where is my parcel?")
# Of the last third against the second one; the first warms up.
GROWTH = Bound("at most", 1.05)
MORE_HANDLES, MORE_CONNECTIONS = Bound("at most", 5), Bound("at most", 2)
SLOWER = Bound("at most", 1.5)
FAILED = Bound("at most", 0)


@dataclass
class Sample:
    """`asked`, `answered`: seconds of each post, and from a question to the bot's whole answer, since the last one."""

    memory: int
    handles: int
    connections: int
    streams: int
    asked: list[float]
    answered: list[float]


@dataclass
class Soak:
    subject: Subject
    admin: asyncpg.Connection
    pid: int
    done: int = 0
    failed: list[str] = field(default_factory=list)
    asked: list[float] = field(default_factory=list)
    answered: list[float] = field(default_factory=list)
    open: set[Following] = field(default_factory=set)
    agent: tuple[float, str] = (0.0, "")

    async def sample(self) -> Sample:
        process = psutil.Process(self.pid)
        held = await self.admin.fetchval("SELECT count(*) FROM pg_stat_activity WHERE datname = 'bench'")
        sample = Sample(process.memory_info().rss, process.num_fds(), held, len(self.open), self.asked, self.answered)
        self.asked, self.answered = [], []
        return sample

    async def conversation(self) -> None:
        """A visitor asks the bot, then a person, who answers, gives it back and closes it."""
        call = self.subject.caller.json
        visit = await self.subject.visit(random.choice(("en", "zh")))
        answer = asyncio.Event()
        stream = await follow(
            self.subject.port, visit.name, visit.token, lambda _, data: answer.set() if b'"answered":' in data else None
        )
        self.open.add(stream)
        try:
            began = time.perf_counter()
            await self._post(visit, random.choice(QUESTIONS))
            async with asyncio.timeout(ANSWER_SECONDS):
                await answer.wait()
            self.answered.append(time.perf_counter() - began)
            await call("POST", "/api/manual/escalate", visit.token, {"session_name": visit.name})
            await self._post(visit, "I need a person, please.")
            agent = await self._agent_token()
            await call("POST", f"/api/sessions/{visit.name}/takeover", agent)
            reply = {"session_name": visit.name, "role": "agent", "content": "Gladly.", "client_msg_id": "a-1"}
            await call("POST", "/api/manual/messages", agent, reply)
            await asyncio.sleep(STAYS_SECONDS)
            await call("POST", f"/api/sessions/{visit.name}/close", agent, {"reason": "resolved"})
            self.done += 1
        finally:
            stream.close()
            self.open.discard(stream)

    async def _agent_token(self) -> str:
        """A token that does not end meanwhile."""
        since, token = self.agent
        if not token or time.monotonic() - since > TOKEN_SECONDS:
            login = {"username": ADMIN, "password": PASSWORD}
            token = (await self.subject.caller.json("POST", "/api/agent/login", body=login))["token"]
            self.agent = time.monotonic(), token
        return token

    async def _post(self, visit: Visit, content: str) -> None:
        began = time.perf_counter()
        body = {"content": content, "client_msg_id": f"{len(content)}-{began}"}
        await self.subject.caller.json("POST", f"/api/sessions/{visit.name}/messages", visit.token, body)
        self.asked.append(time.perf_counter() - began)


async def soak(soak: Soak, seconds: float) -> list[Sample]:
    """Conversations begin at the wanted rate, whether or not earlier ones are done; told every sixtieth of the time."""
    samples: list[Sample] = []
    begun, started = time.perf_counter(), 0
    async with asyncio.TaskGroup() as under_way:
        while (now := time.perf_counter() - begun) < seconds:
            if now >= started / PER_SECOND:
                under_way.create_task(_one(soak))
                started += 1
            if now >= (len(samples) + 1) * seconds / SAMPLES:
                samples.append(await soak.sample())
                print(f"  {now / 60:4.1f} min  {soak.done} conversations, {len(soak.failed)} failed", flush=True)
            await asyncio.sleep(1 / PER_SECOND / 10)
    return samples


async def _one(soak: Soak) -> None:
    try:
        await soak.conversation()
    except (RuntimeError, TimeoutError, OSError) as error:
        soak.failed.append(f"{type(error).__name__}: {error}"[:300])


def judged(soak: Soak, samples: Sequence[Sample]) -> list[Judged]:
    third = len(samples) // 3
    before, after = samples[third : 2 * third], samples[2 * third :]

    def typical(what: str) -> tuple[float, float]:
        earlier, later = (median(getattr(one, what) for one in some) for some in (before, after))
        return earlier, later

    memory, handles, held = typical("memory"), typical("handles"), typical("connections")
    found = [
        Judged("postgresql", "memory, last third to second", memory[1] / memory[0], "x", GROWTH),
        Judged("postgresql", "more open handles", handles[1] - handles[0], "", MORE_HANDLES),
        Judged("postgresql", "more database connections", held[1] - held[0], "", MORE_CONNECTIONS),
        Judged("postgresql", "conversations that failed", len(soak.failed), "", FAILED),
    ]
    for what, name in (("asked", "storing a message"), ("answered", "the bot's answer")):
        earlier, later = ([took for one in some for took in getattr(one, what)] for some in (before, after))
        share = milliseconds(later, 0.95) / milliseconds(earlier, 0.95)
        found.append(Judged("postgresql", f"{name}: p95, last third to second", share, "x", SLOWER))
    return found


def table(samples: Sequence[Sample], seconds: float) -> Table:
    """A row for each tenth of the time."""
    columns = ("minute", "memory MB", "handles", "connections", "streams", "post p50 ms", "p95", "answer p50 ms", "p95")
    step, rows = max(len(samples) // 10, 1), list[list[str]]()
    for n in range(step - 1, len(samples), step):
        some, last = samples[n + 1 - step : n + 1], samples[n]
        times = [[took for one in some for took in getattr(one, what)] for what in ("asked", "answered")]
        shares = [f"{milliseconds(one, share):.1f}" if one else "–" for one in times for share in (0.5, 0.95)]
        held = [f"{last.memory / 1e6:.0f}", *map(str, (last.handles, last.connections, last.streams))]
        rows.append([f"{(n + 1) / len(samples) * seconds / 60:.1f}", *held, *shares])
    return Table("As time goes by", columns, rows)


LEGEND = """\
Whole conversations, two beginning each second, on one app process with PostgreSQL and Redis: a visitor with an open
stream asks the bot, is answered, asks for a person, is taken over, answered, and 20 s later closed. Load and service
share the machine. The first third of the time warms up; the last third is held against the second."""


async def run(folder: Path, minutes: float) -> Report:
    servers = Servers(folder)
    server = servers.postgres()
    admin = await asyncpg.connect(f"{server}/postgres")
    await admin.execute("CREATE DATABASE bench")
    place = Place(folder / "data", f"{server}/bench", free_port(), f"{servers.redis()}/0")
    place.folder.mkdir()
    place.prepare()
    async with serving(place) as subject:
        soaked = Soak(subject, admin, subject.pid)
        cpu, size = subject.cpu(), await admin.fetchval(SIZE)
        samples = await soak(soaked, minutes * 60)
        cpu, size = subject.cpu() - cpu, await admin.fetchval(SIZE) - size
    await admin.close()
    servers.close()
    for failure in soaked.failed[:5]:
        print(f"  failed: {failure}")
    each = [f"{cpu / soaked.done * 1000:.0f} ms", f"{size / soaked.done / 1024:.1f} KiB"]
    row = [f"{minutes:g}", str(soaked.done), str(len(soaked.failed)), *each]
    columns = ("minutes", "conversations", "failed", "CPU of the app process for each", "of the database for each")
    done = Table("Load", columns, [row])
    return Report(judged(soaked, samples), [done, table(samples, minutes * 60)], machine())


def main(minutes: float) -> int:
    with tempfile.TemporaryDirectory(prefix="kefu-soak-") as folder:
        report = uvloop.run(run(Path(folder), minutes))
    page = report.page().replace("# Bench", "# Endurance", 1).replace(bench.report.LEGEND, LEGEND)
    (FOLDER / "soak.md").write_text(page, "utf-8")
    print(report.lines())
    return 1 if report.missed else 0


if __name__ == "__main__":
    sys.exit(main(min(float(sys.argv[1]), MINUTES) if len(sys.argv) > 1 else MINUTES))
