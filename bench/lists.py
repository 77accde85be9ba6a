"""`python -m bench.lists`: how long lists and searches take with 100,000 sessions and 2 million messages on PostgreSQL.

Writes bench/lists.md. Exit code 1 when a figure misses its bound.
"""

import asyncio
import logging
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

sys.path.append(str(Path(__file__).parent.parent / "tests"))

import asyncpg
import httpx2
import structlog

import bench.report
from accounts.team import Team, bearer
from bench.figures import Bound, Judged, Table, milliseconds
from bench.report import Report, machine
from bench.stock import MESSAGES, SESSIONS, SHOPS, fill
from kefu.accounts.permissions import Role
from kefu.kit.config import Settings
from kefu.kit.db import Database
from kefu.main import create_app
from kefu.ops.migrate import upgrade
from kefu.shops.service import FIRST_SHOP, put_shop
from servers import Servers
from serving import served

FOLDER = Path(__file__).parent
LIST, SEARCH = Bound("at most", 100), Bound("at most", 300)
EACH, PAGES, WARM = 45, 3, 3
DAY = 86_400

LISTS = (
    "",
    "sort=newest",
    "sort=oldest",
    "sort=vip",
    "sort=waitTime",
    "status=closed",
    "status=pending_manual",
    "status=pending_manual,manual_live&sort=newest",
    "status=bot_active&sort=waitTime",
    "agent=agent_7",
    "agent=mine",
    "agent=unassigned",
    "customer_type=vip",
    "customer_type=old",
    "customer_type=new&sort=newest",
    "shop=pop-up",
    "shop=pop-up&sort=oldest",
    "time_start={week}&sort=newest",
    "time_start={week}&time_end={day}",
    "time_end={month}&sort=newest",
    "keyword=电池",
    "keyword=battery",
    "keyword=zyx4000",
    "keyword=nowhere",
    "keyword=电池&status=pending_manual",
    "customer_type=old&shop=north&status=closed",
)
SEARCHES = (
    "q=电池",
    "q=维修",
    "q=怎么",
    "q=北京 维修点",
    "q=battery",
    "q=the",
    "q=warranty",
    "q=zyx4000",
    "q=nowhere",
    "q=NV-12345",
    "q=电池&status=pending_manual",
    "q=battery&agent=agent_7",
    "q=头盔&shop=pop-up",
    "q=battery&time_end={month}",
)


@dataclass(frozen=True)
class Caller:
    """Who asks, over HTTP."""

    role: Role
    http: httpx2.AsyncClient
    token: str

    async def times(self, path: str, query: str) -> tuple[list[float], list[float]]:
        """Seconds of each request, page after page, from the first again after PAGES; and of a bare one before each."""
        took, bare, cursor = list[float](), list[float](), ""
        for n in range(WARM + EACH):
            began = time.perf_counter()
            await self.http.get("/health")
            asked = time.perf_counter()
            answer = await self.http.get(f"{path}?{query}&cursor={cursor}", headers=bearer(self.token))
            took.append(time.perf_counter() - asked)
            bare.append(asked - began)
            data = answer.raise_for_status().json()["data"]
            cursor = "" if (n + 1) % PAGES == 0 else data["next_cursor"] or ""
        return took[WARM:], bare[WARM:]


class Measured:
    """The rows of one route, and what they are held to."""

    def __init__(self, path: str, bound: Bound) -> None:
        self.path, self.bound = path, bound
        self.judged: list[Judged] = []
        self.rows: list[list[str]] = []

    async def ask(self, caller: Caller, queries: Sequence[str]) -> None:
        now = int(time.time()) // 60 * 60
        since = {"day": now - DAY, "week": now - 7 * DAY, "month": now - 30 * DAY}
        for query in queries:
            took, bare = await caller.times(self.path, query.format(**since))
            p50, p95, idle = milliseconds(took, 0.5), milliseconds(took, 0.95), milliseconds(bare, 0.95)
            what = f"{self.path}?{query} ({caller.role}), p95"
            self.judged.append(Judged("postgresql", what, p95, "ms", self.bound))
            self.rows.append([caller.role, f"`{query or '–'}`", f"{p50:.1f}", f"{p95:.1f}", f"{idle:.1f}"])
            print(f"{caller.role:<12} {self.path} {query:<45} p50 {p50:7.1f}  p95 {p95:7.1f}  bare {idle:7.1f} ms")

    @property
    def table(self) -> Table:
        return Table(self.path, ["as", "query", "p50, ms", "p95, ms", "bare p95, ms"], self.rows)


async def run(folder: Path) -> Report:
    """On a PostgreSQL of its own, as the tests run it (64 MB of shared buffers)."""
    servers = Servers(folder)
    try:
        server = servers.postgres()
        admin = await asyncpg.connect(f"{server}/postgres")
        await admin.execute("CREATE DATABASE lists")
        await admin.close()
        url = f"{server}/lists"
        db = Database(url, is_patient=True)
        await upgrade(db)
        async with db.write() as tx:
            for shop in SHOPS:
                await put_shop(tx, **{**FIRST_SHOP, "id": shop})
        await db.close()
        await fill(url)
        return await measure(url, folder)
    finally:
        servers.close()


async def measure(url: str, folder: Path) -> Report:
    """Of a database that is filled. Plain agents ask some of what supervisors ask."""
    about = machine() | {"sessions": f"{SESSIONS:,}", "messages": f"{SESSIONS * MESSAGES:,}"}
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    lists, searches = Measured("/api/sessions", LIST), Measured("/api/search/messages", SEARCH)
    db = Database(url)
    app = create_app(Settings(data_dir=folder, database_url=url, rate_limits="off"))
    async with (
        app.router.lifespan_context(app),
        served(app) as address,
        httpx2.AsyncClient(base_url=address, timeout=60) as http,
    ):
        lead, agent = [await _signed_in(Team(db, http), http, role) for role in ("supervisor", "agent")]
        for measured, queries in ((lists, LISTS), (searches, SEARCHES)):
            await measured.ask(lead, queries)
            await measured.ask(agent, queries[::3])
    await db.close()
    return Report([*lists.judged, *searches.judged], [lists.table, searches.table], about)


async def _signed_in(team: Team, http: httpx2.AsyncClient, role: Role) -> Caller:
    await team.hire(role, role)
    return Caller(role, http, (await team.sign_in(role)).token)


LEGEND = """\
Over HTTP, one request after the other, three pages of each list; the service, its PostgreSQL and who asks share the
machine with whatever else runs there. *Bare p95* is a request that asks the database for nothing, sent between the
others: what of a figure is the machine's load, or the client's own, and not the list's.
The bounds are for an idle machine."""


def main() -> int:
    with tempfile.TemporaryDirectory(prefix="kefu-lists-") as folder:
        report = asyncio.run(run(Path(folder)))
    save(report)
    for one in report.missed:
        print(f"✗ {one.what} is {one.value:.3g} ms, must be {one.bound.sense} {one.bound.limit:g}")
    return 1 if report.missed else 0


def save(report: Report) -> None:
    page = report.page().replace("# Bench", "# Lists and search", 1).replace(bench.report.LEGEND, LEGEND)
    (FOLDER / "lists.md").write_text(page, "utf-8")


if __name__ == "__main__":
    sys.exit(main())
