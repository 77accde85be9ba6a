"""`make drill`: the machine of a shop with 2 million messages is lost under load and comes back elsewhere.

Writes bench/drill.md. Exit code 1 when more is lost, or it takes longer, than promised (docs/operate/backup.md).
"""

import asyncio
import shutil
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

sys.path.append(str(Path(__file__).parent.parent / "tests"))

import asyncpg

import bench.report
from bench.figures import Bound, Judged, Table
from bench.report import Report, machine
from bench.stock import MESSAGES, SESSIONS, SHOPS, fill
from faults import drill
from faults.crowd import Crowd
from faults.drill import Loss, audit_is_whole, command, is_recovered, loss, started, talked, wal_is_followed
from faults.people import Line, at_work, line_to
from faults.postgres import Postgres
from faults.process import Kefu
from faults.waiting import until
from kefu.kit.clock import now_ms
from kefu.kit.db import Database
from kefu.shops.service import FIRST_SHOP, put_shop

FOLDER = Path(__file__).parent
RPO, RTO = Bound("at most", 300), Bound("at most", 1800)
RECOVERED_WITHIN = 1800
WHOLE_SECONDS = 2700
PREFIX = "drill-"
TALK_SECONDS = 60
# Of all that was there before: nothing of it changes meanwhile.
LAST = "SELECT max(position) FROM events"
SUM = "SELECT count(*), sum(hashtextextended(stream || seq || payload, 0)) FROM events WHERE position <= $1"


@dataclass
class Drill:
    """What took how long, in seconds, in the order in which it was done."""

    took: dict[str, float] = field(default_factory=dict)
    sizes: dict[str, str] = field(default_factory=dict)

    @asynccontextmanager
    async def step(self, what: str) -> AsyncIterator[None]:
        began = time.monotonic()
        yield
        self.took[what] = time.monotonic() - began
        print(f"{what:<60} {self.took[what]:8.1f} s", flush=True)


async def filled(postgres: Postgres, folder: Path) -> Kefu:
    kefu = drill.machine(folder / "lost", postgres.url)
    await command(kefu, "migrate")
    db = Database(postgres.url, is_patient=True)
    async with db.write() as tx:
        for shop in SHOPS:
            await put_shop(tx, **{**FIRST_SHOP, "id": shop})
    await db.close()
    await fill(postgres.url)
    return kefu


async def checksum(url: str, last: int) -> tuple[int, int]:
    """How many events there are up to that position, and a sum over them."""
    connection = await asyncpg.connect(url)
    try:
        count, total = await connection.fetchrow(SUM, last)
    finally:
        await connection.close()
    return count, int(total)


async def last_of(url: str) -> int:
    connection = await asyncpg.connect(url)
    try:
        return int(await connection.fetchval(LAST))
    finally:
        await connection.close()


async def lose(done: Drill, kefu: Kefu, line: Line, backups: Path, postgres: Postgres) -> tuple[int, int]:
    """How much was acknowledged before the last round but one, and when the server was killed (ms)."""
    crowd = Crowd(line, PREFIX)
    await crowd.arrive(alone=8, with_agent=2)
    follower = await started(kefu, "backup", "follow", "--to", str(backups))
    try:
        async with at_work(crowd.talk()):
            async with done.step("kefu backup, under load"):
                await command(kefu, "backup", "--to", str(backups))
            await asyncio.sleep(TALK_SECONDS)
            promised = await talked(line, crowd)
            for _ in range(2):
                await wal_is_followed(postgres.url, now_ms())
            await asyncio.sleep(10)
            await postgres.kill()
            return promised, now_ms()
    finally:
        follower.kill()
        await follower.wait()


async def bring_back(done: Drill, new: Postgres, folder: Path, backups: Path) -> Kefu:
    """To the moment in which it serves."""
    other = drill.machine(folder / "new", new.url)
    words = ("restore", "--from", str(backups), "--pgdata", str(new.home / "data"))
    async with done.step("kefu restore"):
        print(await command(other, *words))
    db = Database(new.url)
    async with done.step("PostgreSQL reads the WAL"):
        await new.start()
        await until(lambda: is_recovered(db), RECOVERED_WITHIN)
    async with done.step("kefu migrate"):
        await command(other, "migrate")
    async with done.step("kefu serve, until it takes connections"):
        await other.start()
    await other.kill()
    await db.close()
    return other


async def run(folder: Path, homes: tuple[Path, Path]) -> Report:
    done, backups = Drill(), folder / "backups"
    lost, new = (Postgres(home) for home in homes)
    await lost.create()
    new.own()
    await lost.start()
    try:
        kefu = await filled(lost, folder)
        last = await last_of(lost.url)
        before = await checksum(lost.url, last)
        await kefu.start()
        async with line_to(kefu.address) as line:
            promised, ended = await lose(done, kefu, line, backups, lost)
        await kefu.kill()
        shutil.rmtree(lost.home / "data")
        done.sizes["backup"] = _megabytes(backups.glob("2*/*"))
        done.sizes["WAL"] = _megabytes(backups.glob("wal/*"))
        other = await bring_back(done, new, folder, backups)
        async with done.step("kefu backup verify"):
            await command(other, "backup", "verify", "--to", str(backups))
        db = Database(new.url, is_patient=True)
        found, is_whole = await loss(db, line, promised, ended, PREFIX), await audit_is_whole(db, other)
        await db.close()
        return written(done, found, is_same=before == await checksum(new.url, last) and is_whole)
    finally:
        await lost.kill()
        await new.stop()


def _megabytes(paths: Iterable[Path]) -> str:
    return f"{sum(path.stat().st_size for path in paths) / 1e6:,.0f} MB"


def written(done: Drill, found: Loss, *, is_same: bool) -> Report:
    back = ("kefu restore", "PostgreSQL reads the WAL", "kefu migrate", "kefu serve, until it takes connections")
    judged = [
        Judged("postgresql", "lost, from the newest event there to the end", found.seconds, "s", RPO),
        Judged("postgresql", "until it serves again", sum(done.took[step] for step in back), "s", RTO),
        Judged(
            "postgresql",
            "acknowledged before, and lost, doubled or disordered",
            len(found.wrong),
            "",
            Bound("at most", 0),
        ),
        Judged(
            "postgresql",
            "of the messages before, or the audit log, changed",
            float(not is_same),
            "",
            Bound("at most", 0),
        ),
    ]
    rows = [[what, f"{seconds:.1f}"] for what, seconds in done.took.items()]
    about = machine() | {"sessions": f"{SESSIONS:,}", "messages": f"{SESSIONS * MESSAGES:,}"} | done.sizes
    about["messages under load"] = f"{found.acknowledged:,}, {found.lost:,} of them lost"
    return Report(judged, [Table("Steps", ["what", "s"], rows)], about)


LEGEND = """\
Visitors and an agent write while `kefu backup` and `kefu backup follow` run; PostgreSQL is killed with -9 and its disk
thrown away; the backup is restored elsewhere and served. Afterwards the log is compared with what was acknowledged, and
a sum over all older events with what it was. All of it on one machine, with whatever else runs there: on two the
network is added, which carries the backup's size."""


def main() -> int:
    with (
        tempfile.TemporaryDirectory(prefix="kefu-drill-") as folder,
        tempfile.TemporaryDirectory(prefix="kefu-drill-") as lost,
        tempfile.TemporaryDirectory(prefix="kefu-drill-") as new,
    ):
        report = asyncio.run(_bounded(Path(folder), (Path(lost), Path(new))))
    page = report.page().replace("# Bench", "# Drill", 1).replace(bench.report.LEGEND, LEGEND)
    (FOLDER / "drill.md").write_text(page, "utf-8")
    for one in report.missed:
        print(f"✗ {one.what}: {one.value:.3g} {one.unit}, must be {one.bound.sense} {one.bound.limit:g}")
    return 1 if report.missed else 0


async def _bounded(folder: Path, homes: tuple[Path, Path]) -> Report:
    async with asyncio.timeout(WHOLE_SECONDS):
        return await run(folder, homes)


if __name__ == "__main__":
    sys.exit(main())
