"""The whole run: each scenario on each database, judged."""

import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import asyncpg

from bench import answers, followers, posts
from bench.figures import Bound, Judged, Table, milliseconds
from bench.report import Report, machine
from bench.subject import Place, serving
from servers import Servers, free_port

POST_RATIO = Bound("at least", 0.08, goal=0.24)
FIRST_DELTA = Bound("at most", 60)
SEEN = Bound("at most", 25)
FOLLOWER_MEMORY = Bound("at most", 20, goal=16)

POST_COLUMNS = ("connections", "post", "requests/s", "p50 ms", "p99 ms", "server CPU μs", "bad", "÷ bare")
ANSWER_COLUMNS = ("language", "questions", "p50 ms", "p99 ms")
FOLLOWER_COLUMNS = (
    "followers",
    "KiB each",
    "opened/s",
    "idle CPU",
    "posts/s",
    "seen p50 ms",
    "p99 ms",
    "max ms",
    "CPU",
    "refused",
    "not seen",
)


@dataclass(frozen=True)
class Effort:
    """How long to measure: `rounds` of `seconds` for posts, `questions` in each language, `delivery` seconds a rate."""

    rounds: int
    seconds: float
    questions: int
    delivery: float


FULL = Effort(rounds=7, seconds=2, questions=40, delivery=10)
QUICK = Effort(rounds=3, seconds=0.5, questions=8, delivery=3)


class Findings:
    """What is known so far about one database."""

    def __init__(self, database: str) -> None:
        self.database = database
        self.judged: list[Judged] = []
        self.tables: list[Table] = []

    def judge(self, what: str, value: float, unit: str, bound: Bound) -> None:
        self.judged.append(Judged(self.database, what, value, unit, bound))


async def run(effort: Effort) -> Report:
    """Raises servers.Missing when PostgreSQL is not installed."""
    judged, tables, before = [], [], machine()
    async with _places() as places:
        for database, place in places.items():
            found = Findings(database)
            place.prepare()
            await _posts(place, effort, found)
            await _answers(place, effort, found)
            await _followers(place, effort, found)
            judged += found.judged
            tables += found.tables
    return Report(judged, tables, before)


@asynccontextmanager
async def _places() -> AsyncIterator[dict[str, Place]]:
    with tempfile.TemporaryDirectory(prefix="kefu-bench-") as name:
        folder = Path(name)
        for one in ("servers", "sqlite", "postgres"):
            (folder / one).mkdir()
        servers = Servers(folder / "servers")
        try:
            server = servers.postgres()
            connection = await asyncpg.connect(f"{server}/postgres")
            await connection.execute("CREATE DATABASE bench")
            await connection.close()
            yield {
                "SQLite": Place(folder / "sqlite", "", free_port()),
                "PostgreSQL": Place(folder / "postgres", f"{server}/bench", free_port()),
            }
        finally:
            servers.close()


async def _posts(place: Place, effort: Effort, found: Findings) -> None:
    _say(f"{found.database}: posts")
    async with serving(place) as subject:
        results = await posts.measure(subject, effort.rounds, effort.seconds)
    rows = []
    for (n, kind), result in results.items():
        ratio = result.ratio_to(results[n, "bare"])
        rows.append([str(n), kind, *result.row, f"{ratio:.2f}"])
        if kind != "bare":
            found.judge(f"post ÷ bare, {kind}, {n} connection{'s' if n > 1 else ''}", ratio, "", POST_RATIO)
    found.tables.append(Table(f"{found.database}: posts", POST_COLUMNS, rows))


async def _answers(place: Place, effort: Effort, found: Findings) -> None:
    _say(f"{found.database}: answers")
    async with serving(place) as subject:
        took = await answers.measure(subject, effort.questions)
    rows = []
    for lang, seconds in took.items():
        p50, p99 = milliseconds(seconds, 0.5), milliseconds(seconds, 0.99)
        rows.append([lang, str(len(seconds)), f"{p50:.1f}", f"{p99:.1f}"])
        found.judge(f"post to first delta, {lang}, p50", p50, "ms", FIRST_DELTA)
    found.tables.append(Table(f"{found.database}: builtin answer, post to first delta", ANSWER_COLUMNS, rows))


async def _followers(place: Place, effort: Effort, found: Findings) -> None:
    """All on one session, where every post goes to all; and each on its own, where it goes to one."""
    rows = []
    for sessions, rates in ((1, (20,)), (followers.FOLLOWERS, (20, 200))):
        where = "on one session" if sessions == 1 else "a session each"
        _say(f"{found.database}: {followers.FOLLOWERS} followers, {where}")
        async with serving(place) as subject:
            result = await followers.measure(subject, sessions, rates, effort.delivery)
        found.judge(f"memory of a follower, {where}", result.kib, "KiB", FOLLOWER_MEMORY)
        for one in result.deliveries:
            rows.append(_follower_row(where, result, one))
            p99 = milliseconds(one.latencies, 0.99)
            found.judge(f"post to seen, {where}, {one.rate}/s, p99", p99, "ms", SEEN)
    found.tables.append(Table(f"{found.database}: {followers.FOLLOWERS} followers", FOLLOWER_COLUMNS, rows))


def _follower_row(where: str, result: followers.Followers, one: followers.Delivery) -> list[str]:
    latencies = [f"{milliseconds(one.latencies, share):.2f}" for share in (0.5, 0.99, 1)]
    return [
        where,
        f"{result.kib:.1f}",
        f"{result.opened_per_second:,.0f}",
        f"{result.idle_share:.1%}",
        str(one.rate),
        *latencies,
        f"{one.cpu_share:.0%}",
        str(one.refused),
        str(one.missing),
    ]


def _say(what: str) -> None:
    print(f"  … {what}", flush=True)
