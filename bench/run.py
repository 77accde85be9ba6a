"""The whole run: each scenario on each database, judged."""

import gc
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import asyncpg

from bench import answers, crowd, flood, followers, logins, posts, reads
from bench.figures import Bound, Judged, Table, milliseconds
from bench.report import Report, machine
from bench.subject import Place, serving
from servers import Servers, free_port

# Of the post at 64 connections, and at one.
POST_RATIO = {"SQLite": Bound("at least", 0.15), "PostgreSQL": Bound("at least", 0.25)}
POST_RATIO_ALONE = Bound("at least", 0.08)
POST_P99 = Bound("at most", 60)
FIRST_DELTA = Bound("at most", 60)
SEEN = Bound("at most", 25)
FOLLOWER_MEMORY = Bound("at most", 20, goal=16)
CROWD_MEMORY = Bound("at most", 16)
CROWD_IDLE = Bound("at most", 1)
ACROSS_P50, ACROSS_P99 = Bound("at most", 5), Bound("at most", 20)
SOCKET_MEMORY = Bound("at most", 24)
BROADCAST = Bound("at most", 300)
REOPENED = Bound("at least", 2000)
GET = Bound("at most", 10)
BESIDE_LOGINS = Bound("at most", 3)

POST_COLUMNS = ("connections", "post", "requests/s", "p50 ms", "p99 ms", "server CPU μs", "bad", "÷ bare")
LOGIN_COLUMNS = ("what", "requests", "p50 ms", "p99 ms", "max ms", "bad")
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
    """Raises servers.Missing when PostgreSQL or Redis is not installed."""
    judged, tables, before = [], [], machine()
    async with _places() as places:
        for database, place in places.items():
            found = Findings(database)
            place.prepare()
            await _posts(place, effort, found)
            await _logins(place, effort, found)
            await _answers(place, effort, found)
            await _followers(place, effort, found)
            await _flood(place, found)
            if place.redis_url:
                await _reads(place, found)
                await _crowd(place, effort, found)
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
                "PostgreSQL": Place(folder / "postgres", f"{server}/bench", free_port(), f"{servers.redis()}/0"),
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
            bound = POST_RATIO[found.database] if n > 1 else POST_RATIO_ALONE
            found.judge(f"post ÷ bare, {kind}, {n} connection{'s' if n > 1 else ''}", ratio, "", bound)
    if found.database == "PostgreSQL":
        p99 = milliseconds(results[64, "served by a person"].latencies, 0.99)
        found.judge("post, served by a person, 64 connections, p99", p99, "ms", POST_P99)
    found.tables.append(Table(f"{found.database}: posts", POST_COLUMNS, rows))


async def _logins(place: Place, effort: Effort, found: Findings) -> None:
    _say(f"{found.database}: posts beside {logins.LOGINS_PER_SECOND} sign-ins a second")
    await logins.hire(place)
    async with serving(place) as subject:
        result = await logins.measure(subject, effort.rounds, effort.seconds)
    ratio = milliseconds(result.beside.latencies, 0.99) / milliseconds(result.alone.latencies, 0.99)
    found.judge(f"post beside {logins.LOGINS_PER_SECOND} sign-ins/s ÷ without, p99", ratio, "×", BESIDE_LOGINS)
    rows = []
    for what, one in (("posts alone", result.alone), ("posts beside", result.beside), ("sign-ins", result.logins)):
        shares = [f"{milliseconds(one.latencies, share):.1f}" for share in (0.5, 0.99, 1)]
        rows.append([what, str(len(one.latencies)), *shares, str(one.bad)])
    found.tables.append(Table(f"{found.database}: posts beside sign-ins", LOGIN_COLUMNS, rows))


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


async def _flood(place: Place, found: Findings) -> None:
    _say(f"{found.database}: {flood.FAKE} fake visitors")
    result = await flood.measure(place)
    found.judge(f"post of a visitor beside {flood.FAKE} fake ones ÷ without them, p95", result.times, "", flood.TIMES)
    found.tables.append(Table(f"{found.database}: {flood.FAKE} fake visitors", flood.COLUMNS, flood.rows(result)))


async def _reads(place: Place, found: Findings) -> None:
    _say(f"{found.database}: the session store in Redis")
    took, share = await reads.measure(place)
    found.judge(f"get of a session from Redis, {reads.READERS} readers, p99", milliseconds(took, 0.99), "ms", GET)
    row = [str(len(took)), f"{share:.1%}", *(f"{milliseconds(took, one):.2f}" for one in (0.5, 0.99, 1))]
    columns = ("gets", "by Redis", "p50 ms", "p99 ms", "max ms")
    found.tables.append(Table(f"{found.database}: the session store in Redis", columns, [row]))


async def _crowd(place: Place, effort: Effort, found: Findings) -> None:
    _say(f"{found.database}: {crowd.CROWD} followers, another process takes the posts")
    result = await crowd.measure(place, effort.delivery)
    found.judge(f"memory of one of {crowd.CROWD} followers", result.kib, "KiB", CROWD_MEMORY)
    found.judge(f"a core, idle with {crowd.CROWD} followers", result.idle_share * 100, "%", CROWD_IDLE)
    rows = []
    for one, name in ((result.across, "from another process"), (result.stalled, "beside as many stalled readers")):
        for share, bound in ((0.5, ACROSS_P50), (0.99, ACROSS_P99)):
            value = milliseconds(one.latencies, share)
            found.judge(f"post to seen, {name}, {one.rate}/s, p{share * 100:.0f}", value, "ms", bound)
        shares = [f"{milliseconds(one.latencies, share):.2f}" for share in (0.5, 0.99, 1)]
        rows.append([name, *shares, str(one.refused), str(one.missing)])
    found.judge("followers who come back at once, a second", result.reopened_per_second, "", REOPENED)
    _say(f"{found.database}: one post to {crowd.CROWD} followers; {crowd.SOCKETS} sockets")
    found.judge(f"one post to all {crowd.CROWD}, p50", milliseconds(await crowd.broadcast(place), 0.5), "ms", BROADCAST)
    found.judge(f"memory of one of {crowd.SOCKETS} sockets", await crowd.sockets(place), "KiB", SOCKET_MEMORY)
    columns = ("posts", "seen p50 ms", "p99 ms", "max ms", "refused", "not seen")
    found.tables.append(Table(f"{found.database}: {crowd.CROWD} followers", columns, rows))


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
    """Before it begins, what this process left is freed: it does not do so itself, see `main`."""
    gc.collect()
    print(f"  … {what}", flush=True)
