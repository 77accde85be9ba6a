"""The machine is lost under load and its backup restored elsewhere: what was promised is there, nothing twice (O8)."""

import shutil
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from pathlib import Path

import pytest

from conftest import do_without
from faults.crowd import Crowd
from faults.drill import Loss, audit_is_whole, command, is_recovered, loss, machine, started, talked, wal_is_followed
from faults.people import Line, at_work, line_to
from faults.postgres import Postgres
from faults.process import Kefu
from faults.waiting import until
from kefu.kit.clock import now_ms
from kefu.kit.db import Database
from kefu.ops.migrate import upgrade
from servers import Missing

RECOVERED_WITHIN = 60
RPO_SECONDS = 300
Say = Callable[[str, object], None]


def check(found: Loss, promised: int, say: Say) -> None:
    say("lost", f"{found.lost} of {found.acknowledged} messages, {found.seconds:.1f} s")
    assert found.wrong == []
    assert found.lost <= found.acknowledged - promised
    assert found.seconds < RPO_SECONDS


async def write_until_it_dies(kefu: Kefu, line: Line, backups: str) -> tuple[int, int]:
    """How much was acknowledged before the backup, and when the server was killed (ms)."""
    crowd = Crowd(line)
    await crowd.arrive(alone=3, with_agent=1)
    async with at_work(crowd.talk()):
        promised = await talked(line, crowd)
        await command(kefu, "backup", "--to", backups)
        await talked(line, crowd)
        await kefu.kill()
        return promised, now_ms()


async def test_with_an_embedded_database(tmp_path: Path, record_property: Say) -> None:
    lost, new, backups = machine(tmp_path / "lost"), machine(tmp_path / "new"), str(tmp_path / "backups")
    await lost.start()
    try:
        async with line_to(lost.address) as line:
            promised, ended = await write_until_it_dies(lost, line, backups)
    finally:
        await lost.kill()
    shutil.rmtree(lost.home)
    assert "kefu migrate" in await command(new, "restore", "--from", backups)
    db = Database(f"sqlite:///{new.home / 'data/kefu.db'}")
    found, is_whole = await loss(db, line, promised, ended), await audit_is_whole(db, new)
    await db.close()
    assert is_whole
    check(found, promised, record_property)


@pytest.fixture
async def servers() -> AsyncIterator[tuple[Postgres, Postgres]]:
    """The one that is lost, running, and where it is restored to, with nothing yet."""
    with tempfile.TemporaryDirectory(prefix="kefu-pg-") as one, tempfile.TemporaryDirectory(prefix="kefu-pg-") as two:
        try:
            lost, new = Postgres(Path(one)), Postgres(Path(two))
        except Missing as missing:
            do_without(str(missing))
        await lost.create()
        new.own()
        await lost.start()
        yield lost, new
        await lost.kill()
        await new.stop()


async def migrated(url: str) -> None:
    db = Database(url, is_patient=True)
    await upgrade(db)
    await db.close()


async def write_until_postgresql_dies(kefu: Kefu, line: Line, backups: str, postgres: Postgres) -> tuple[int, int]:
    """How much was acknowledged before a round of the follower, and when the server was killed (ms)."""
    crowd = Crowd(line)
    await crowd.arrive(alone=3, with_agent=1)
    follower = await started(kefu, "backup", "follow", "--to", backups, "--every", "0.3")
    try:
        async with at_work(crowd.talk()):
            await command(kefu, "backup", "--to", backups)
            promised = await talked(line, crowd)
            for _ in range(2):  # what was committed a moment before a round may have come too late for it
                await wal_is_followed(postgres.url, now_ms())
            await talked(line, crowd)
            await postgres.kill()
            return promised, now_ms()
    finally:
        with suppress(ProcessLookupError):
            follower.kill()
        await follower.wait()


# Connections that a killed server leaves behind are closed by nobody but the garbage collector.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning", "ignore:unclosed:ResourceWarning")
async def test_with_postgresql(servers: tuple[Postgres, Postgres], tmp_path: Path, record_property: Say) -> None:
    lost, new = servers
    kefu, backups = machine(tmp_path / "lost", lost.url), str(tmp_path / "backups")
    await migrated(lost.url)
    await kefu.start()
    try:
        async with line_to(kefu.address) as line:
            promised, ended = await write_until_postgresql_dies(kefu, line, backups, lost)
    finally:
        await kefu.kill()
    shutil.rmtree(lost.home / "data")
    other = machine(tmp_path / "new", new.url)
    told = await command(other, "restore", "--from", backups, "--pgdata", str(new.home / "data"))
    assert "breaks off" not in told
    await new.start()
    db = Database(new.url)
    await until(lambda: is_recovered(db), RECOVERED_WITHIN)
    found, is_whole = await loss(db, line, promised, ended), await audit_is_whole(db, other)
    await db.close()
    assert is_whole
    check(found, promised, record_property)
