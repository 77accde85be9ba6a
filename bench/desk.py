"""`python -m bench.desk`: how the workbench feels with 10,000 sessions in its list and 5,000 messages in one of them.

The product runs on PostgreSQL, and Chromium without a window, traced, shows its workbench. Writes bench/desk.md. Exit
code 1 when a figure misses its bound.
"""

import asyncio
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

sys.path.append(str(Path(__file__).parent.parent / "tests"))

import asyncpg
from playwright.async_api import Browser, async_playwright

import bench.report
from bench.desktop import Desktop, Seen
from bench.figures import Bound, Judged, Table, quantile
from bench.report import Report, machine
from bench.stock import SHOPS, Size, fill
from bench.subject import ADMIN, PASSWORD, Place, serving
from kefu.kit.db import Database
from kefu.ops.migrate import upgrade
from kefu.shops.service import FIRST_SHOP, put_shop
from servers import Servers, free_port

FOLDER = Path(__file__).parent
CHROMIUMS = (Path("/usr/bin/chromium-headless-shell"), Path("/usr/bin/chromium"))
FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update")
SIZE = Size(sessions=10_000, longest=5_000)
LONGEST = f"s_{SIZE.sessions - 1:020d}"
PATIENCE = 180.0
OPENINGS, ROUNDS, KEPT = 5, 4, 20
FRAMES, TASK = Bound("at least", 55), Bound("at most", 100)
SWITCH, OPEN, FIRST_LOAD = Bound("at most", 100), Bound("at most", 300), Bound("at most", 240)


async def prepare(server: str) -> str:
    """A database of the stock; returns its address."""
    admin = await asyncpg.connect(f"{server}/postgres")
    await admin.execute("CREATE DATABASE desk")
    await admin.close()
    url = f"{server}/desk"
    db = Database(url, is_patient=True)
    await upgrade(db)
    async with db.write() as tx:
        for shop in SHOPS:
            await put_shop(tx, **{**FIRST_SHOP, "id": shop})
    await db.close()
    await fill(url, SIZE)
    return url


async def measure(browser: Browser, address: str) -> Report:
    about = machine() | {"Chromium": browser.version, "sessions": f"{SIZE.sessions:,}"}
    desk = await Desktop.open(browser, address, ADMIN, PASSWORD)
    loaded = await desk.first_load()
    down = await desk.scrolls_through(SIZE.sessions)
    again = await desk.scrolls_back()
    names = await desk.newest(KEPT)
    await desk.switches(names)
    switches = await desk.switches(names * ROUNDS)
    opens, jump, find = [], 0.0, 0.0
    for _ in range(OPENINGS):
        await desk.begins_anew(LONGEST)
        opens.append(await desk.opens(LONGEST))
    judged = [
        *scrolled("first way down, reading 100 pages", down),
        *scrolled("back up and down again", again),
        one("switch to a conversation of the last 40, p50", quantile(switches, 0.5), "ms"),
        one("switch to a conversation of the last 40, p95", quantile(switches, 0.95), "ms", SWITCH),
        one("5,000 messages: from the click to the newest, worst of 5", max(opens), "ms", OPEN),
        one("first load of the workbench, scripts and styles", loaded.kilobytes, "kB gz", FIRST_LOAD),
    ]
    rows = [
        [what, f"{seen.fps:.1f}", str(seen.frames), f"{seen.longest_task:.0f}"]
        for what, seen in (("down", down), ("again", again))
    ]
    tables = [Table("Scrolling", ["", "frames a second, median", "frames", "longest task, ms"], rows)]
    return Report([each for each in judged if each], tables, about)


def one(what: str, value: float, unit: str, bound: Bound | None = None) -> Judged:
    return Judged("postgresql", what, value, unit, bound or Bound("at most", float("inf")))


def scrolled(what: str, seen: Seen) -> list[Judged]:
    return [
        one(f"list, {what}: frames a second, median", seen.fps, "", FRAMES),
        one(f"list, {what}: longest task", seen.longest_task, "ms", TASK),
    ]


async def run(folder: Path) -> Report:
    servers = Servers(folder)
    try:
        url = await prepare(servers.postgres())
        program = next(filter(Path.is_file, CHROMIUMS))
        async with (
            serving(Place(folder, url, free_port())) as subject,
            async_playwright() as playwright,
            await playwright.chromium.launch(executable_path=program, args=FLAGS) as browser,
        ):
            return await measure(browser, f"http://127.0.0.1:{subject.port}")
    finally:
        servers.close()


LEGEND = "…"


def main() -> int:
    with tempfile.TemporaryDirectory(prefix="kefu-desk-") as folder:
        report = asyncio.run(run(Path(folder)))
    page = report.page().replace("# Bench", "# The desk", 1).replace(bench.report.LEGEND, LEGEND)
    (FOLDER / "desk.md").write_text(page, "utf-8")
    print(report.lines())
    return 1 if report.missed else 0


if __name__ == "__main__":
    sys.exit(main())
