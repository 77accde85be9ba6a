"""`python -m bench.audit`: commands per second on PostgreSQL with and without an entry in the audit log.

A command locks its own row, writes an event and commits. Both kinds take turns, so that a busy machine slows both.
"""

import asyncio
import logging
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

sys.path.append(str(Path(__file__).parent.parent / "tests"))

import structlog

from kefu.accounts.audit import Keys, audit, seal_with
from kefu.accounts.verifying import verify
from kefu.kit.db import Database
from kefu.log.log import SYSTEM, Fact
from kefu.ops.migrate import upgrade
from kefu.sessions import service
from kefu.shops.service import first_shop
from servers import Servers

WRITERS, SECONDS, ROUNDS = 24, 2.0, 5


async def command(db: Database, name: str, *, audited: bool) -> None:
    async with db.write() as tx:
        session = await service.locked(tx, name)
        await service.record(tx, session, Fact("bench.happened", SYSTEM, {"n": 1}))
        if audited:
            audit(tx, "bench.happened", ("session", name), after={"n": 1})


async def rate(db: Database, *, audited: bool) -> float:
    """Commands per second of all writers together."""
    ends = time.monotonic() + SECONDS

    async def write(name: str) -> int:
        count = 0
        while time.monotonic() < ends:
            await command(db, name, audited=audited)
            count += 1
        return count

    return sum(await asyncio.gather(*(write(f"s{n}") for n in range(WRITERS)))) / SECONDS


async def main(url: str) -> None:
    db, keys = Database(url), Keys("a secret of the bench")
    seal_with(db, lambda: keys)
    await upgrade(db)
    async with db.write() as tx:
        await first_shop(tx)
        for n in range(WRITERS):
            await service.open_session(tx, service.Opening(f"s{n}", "default", "en"))
    rates: dict[bool, list[float]] = {False: [], True: []}
    for _ in range(ROUNDS):
        for audited, found in rates.items():
            found.append(await rate(db, audited=audited))
    started, last = time.perf_counter(), 0
    async for head, _ in verify(db, keys):
        last = head.seq
    took = time.perf_counter() - started
    ((size,),) = await db.fetch("SELECT pg_total_relation_size('audit_entries')")
    await db.close()
    for audited, found in rates.items():
        spread = f"{min(found):,.0f} to {max(found):,.0f}"
        print(f"{'with' if audited else 'without'} an entry: {median(found):,.0f}/s ({spread})")
    print(f"verified: {last:,} entries, {last / took:,.0f}/s; each takes {size / last:,.0f} bytes")


if __name__ == "__main__":
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    with tempfile.TemporaryDirectory() as folder:
        servers = Servers(Path(folder))
        try:
            asyncio.run(main(f"{servers.postgres()}/postgres"))
        finally:
            servers.close()
