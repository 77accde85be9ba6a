"""`python -m bench.desk`: how the workbench feels with 10,000 sessions in its list and 5,000 messages in one of them.

The product runs on PostgreSQL; Chromium, without a window and traced, shows its workbench. Writes bench/desk.md. Exit
code 1 when a figure misses its bound.
"""

import asyncio
import gzip
import sys
import tempfile
import time
from pathlib import Path

sys.path += [str(Path(__file__).parent.parent / folder) for folder in ("tests", "scripts")]

import asyncpg
from playwright.async_api import Browser, async_playwright

import bench.report
from bench.desktop import Desktop, Seen
from bench.figures import Bound, Judged, Table, quantile
from bench.report import Report, machine
from bench.stock import DAY, SHOPS, Size, fill
from bench.subject import ADMIN, PASSWORD, Place, serving
from first_load import WORKBENCH, first_load
from kefu.kit.db import Database
from kefu.ops.migrate import upgrade
from kefu.shops.service import FIRST_SHOP, put_shop
from servers import Servers, free_port

FOLDER = Path(__file__).parent
CHROMIUMS = (Path("/usr/bin/chromium-headless-shell"), Path("/usr/bin/chromium"))
FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update")
SIZE = Size(sessions=10_000, longest=5_000)
LONGEST = f"s_{SIZE.sessions - 1:020d}"
PATIENCE = 180
OPENINGS, ROUNDS, RECENT = 5, 3, 20
FRAMES, TASK, SWITCH = Bound("at least", 55), Bound("at most", 100), Bound("at most", 100)
OPEN, BACK, FIRST_LOAD = Bound("at most", 300), Bound("at most", 3_000), Bound("at most", 240)


async def prepare(server: str) -> str:
    """The address of a database with the stock."""
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
    loaded = await desk.loads()
    ways = {
        "down, while they are read": await desk.scrolls_through(SIZE.sessions),
        "up and down": await desk.scrolls_back(),
    }
    recent = await desk.newest(RECENT)
    cold, warm = await desk.switches(recent), await desk.switches(recent * ROUNDS)
    opened = [await anew(desk) for _ in range(OPENINGS)]
    back = await desk.goes_to(time.strftime("%Y-%m-%d", time.localtime(time.time() - 58 * DAY / 1000)))
    judged = [
        *(one for way, seen in ways.items() for one in scrolled(way, seen)),
        judge("switch to one of the last conversations, p95", quantile(warm, 0.95), "ms", SWITCH),
        judge(f"5,000 messages open, slowest of {OPENINGS}", max(opened), "ms", OPEN),
        judge("from their end to a day 58 days back", back, "ms", BACK),
        judge("workbench, first load", kilobytes(), "kB gz", FIRST_LOAD),
    ]
    times = {"switch, first time": cold, "switch, again": warm, "5,000 messages": opened, "list, uncached": [loaded]}
    return Report(judged, [way_table(ways), time_table(times)], about)


async def anew(desk: Desktop) -> float:
    await desk.begins_anew(LONGEST)
    return await desk.opens(LONGEST)


def way_table(ways: dict[str, Seen]) -> Table:
    rows = [
        [way, f"{seen.fps:g}", str(seen.frames), *(f"{ms:.0f}" for ms in (seen.gap, seen.longest, seen.busiest))]
        for way, seen in ways.items()
    ]
    columns = ("way", "frames/s, median", "frames", "between two, p95", "longest task", "of it running, at most")
    return Table("Scrolling through the list, times in ms", columns, rows)


def time_table(times: dict[str, list[float]]) -> Table:
    rows = [
        [what, str(len(took)), *(f"{ms:.0f}" for ms in (quantile(took, 0.5), quantile(took, 0.95), max(took)))]
        for what, took in times.items()
    ]
    return Table("From the click to the picture, in ms", ("", "times", "p50", "p95", "slowest"), rows)


def judge(what: str, value: float, unit: str, bound: Bound) -> Judged:
    return Judged("postgresql", what, value, unit, bound)


def scrolled(way: str, seen: Seen) -> list[Judged]:
    return [
        judge(f"10,000 sessions, {way}: frames a second, median", seen.fps, "", FRAMES),
        judge(f"10,000 sessions, {way}: longest task", seen.longest, "ms", TASK),
    ]


def kilobytes() -> float:
    return sum(len(gzip.compress((WORKBENCH / one).read_bytes())) for one in first_load(WORKBENCH)) / 1000


async def run(folder: Path) -> Report:
    servers = Servers(folder)
    try:
        async with asyncio.timeout(PATIENCE), async_playwright() as playwright:
            url = await prepare(servers.postgres())
            program = next(filter(Path.is_file, CHROMIUMS))
            browser = await playwright.chromium.launch(executable_path=program, args=FLAGS)
            async with serving(Place(folder, url, free_port())) as subject, browser:
                return await measure(browser, f"http://127.0.0.1:{subject.port}")
    finally:
        servers.close()


LEGEND = """\
The service, its PostgreSQL and Chromium share the machine with whatever else runs there; the bounds are for an idle
one. Frames and tasks are those of Chromium's own trace, without a window and without a graphics card: *frames a second*
is the median of the whole seconds, *longest task* the longest of the page's main thread from its beginning to its end,
*of it running* what a task used of the processor at most. The first way down reads 100 pages of 100 sessions while it
scrolls. *From the click to the picture*: until the newest messages have been drawn; *again* are 20 conversations that
were open before, in turn; the 5,000 messages are opened by a page that has just been loaded. *Back to a day* reads
all that lies between."""


def main() -> int:
    with tempfile.TemporaryDirectory(prefix="kefu-desk-") as folder:
        report = asyncio.run(run(Path(folder)))
    page = report.page().replace("# Bench", "# The desk", 1).replace(bench.report.LEGEND, LEGEND)
    (FOLDER / "desk.md").write_text(page, "utf-8")
    print(report.lines())
    for one in report.missed:
        print(f"✗ {one.what} is {one.value:.3g} {one.unit}, must be {one.bound.sense} {one.bound.limit:g}")
    return 1 if report.missed else 0


if __name__ == "__main__":
    sys.exit(main())
