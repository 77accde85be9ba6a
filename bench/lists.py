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
EACH, PAGES, WARM = 30, 3, 3
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

    async def times(self, path: str, query: str) -> list[float]:
        """Seconds of each request: page after page, from the first again after PAGES of them."""
        took, cursor = list[float](), ""
        for n in range(WARM + EACH):
            began = time.perf_counter()
            answer = await self.http.get(f"{path}?{query}&cursor={cursor}", headers=bearer(self.token))
            took.append(time.perf_counter() - began)
            data = answer.raise_for_status().json()["data"]
            cursor = "" if (n + 1) % PAGES == 0 else data["next_cursor"] or ""
        return took[WARM:]


async def measure(
    callers: Sequence[Caller], path: str, queries: Sequence[str], bound: Bound
) -> tuple[list[Judged], Table]:
    now = int(time.time()) // 60 * 60
    since = {"day": now - DAY, "week": now - 7 * DAY, "month": now - 30 * DAY}
    judged, rows = list[Judged](), list[list[str]]()
    for caller in callers:
        for query in queries:
            took = await caller.times(path, query.format(**since))
            p50, p95 = milliseconds(took, 0.5), milliseconds(took, 0.95)
            judged.append(Judged("postgresql", f"{path}?{query} ({caller.role}), p95", p95, "ms", bound))
            rows.append([caller.role, f"`{query or '–'}`", f"{p50:.1f}", f"{p95:.1f}", f"{max(took) * 1000:.1f}"])
            print(f"{caller.role:<12} {path} {query:<45} p50 {p50:7.1f}  p95 {p95:7.1f} ms")
    return judged, Table(path, ["as", "query", "p50, ms", "p95, ms", "slowest, ms"], rows)


async def run(folder: Path) -> Report:
    """On a PostgreSQL of its own, as the tests run it (64 MB of shared buffers)."""
    about = machine()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
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
        await fill(url)
        app = create_app(Settings(data_dir=folder, database_url=url, rate_limits="off"))
        async with (
            app.router.lifespan_context(app),
            served(app) as address,
            httpx2.AsyncClient(base_url=address, timeout=60) as http,
        ):
            callers = [await _signed_in(Team(db, http), http, role) for role in ("supervisor", "agent")]
            listed, lists = await measure(callers, "/api/sessions", LISTS, LIST)
            found, searches = await measure(callers, "/api/search/messages", SEARCHES, SEARCH)
        await db.close()
    finally:
        servers.close()
    about |= {"sessions": f"{SESSIONS:,}", "messages": f"{SESSIONS * MESSAGES:,}"}
    return Report([*listed, *found], [lists, searches], about)


async def _signed_in(team: Team, http: httpx2.AsyncClient, role: Role) -> Caller:
    await team.hire(role, role)
    return Caller(role, http, (await team.sign_in(role)).token)


def main() -> int:
    with tempfile.TemporaryDirectory(prefix="kefu-lists-") as folder:
        report = asyncio.run(run(Path(folder)))
    (FOLDER / "lists.md").write_text(report.page().replace("# Bench", "# Lists and search", 1), "utf-8")
    for one in report.missed:
        print(f"✗ {one.what} is {one.value:.3g} ms, must be {one.bound.sense} {one.bound.limit:g}")
    return 1 if report.missed else 0


if __name__ == "__main__":
    sys.exit(main())
