"""An operator works on the SQLite file on which the server runs: both wait for each other, and nobody gets a 500."""

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from faults.checker import violations
from faults.crowd import Crowd
from faults.people import Line, at_work
from faults.process import Kefu
from faults.stored import found, until_idle
from kefu.jobs.queue import LEASE
from kefu.kit.db import Database

PASSWORD = "correct-horse-7"


@pytest.fixture
async def kefu(database_url: str, tmp_path: Path) -> AsyncIterator[Kefu]:
    """It answers from the knowledge that is loaded meanwhile."""
    kefu = Kefu(tmp_path, database_url, AI_SERVICE_PROVIDER="builtin")
    await kefu.start()
    yield kefu
    await kefu.kill()


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_commands_beside_a_busy_server(
    kefu: Kefu, line: Line, db: Database, record_property: Callable[[str, object], None]
) -> None:
    create = ("agent", "create", "--password", PASSWORD, "--name", "Mei", "--username")
    crowd = Crowd(line)
    await crowd.arrive(alone=4, with_agent=2)
    async with at_work(crowd.talk(), *crowd.follow()) as tasks:
        commands = [kefu.run("demo"), *(kefu.run(*create, f"mei-{n}") for n in range(3)), kefu.run("migrate")]
        ended = await asyncio.gather(*commands)
        crowd.leave.set()
        await tasks[0]
        await until_idle(db, LEASE.total_seconds() + 5)
        everything = await found(db, line.told, crowd.seen)
        await crowd.see_all(everything)
    signed_in = await line.once("POST", "/api/agent/login", body={"username": "mei-2", "password": PASSWORD})
    record_property("acknowledged", len(line.told.acks))
    record_property("told 503", line.told.statuses[503])
    record_property("slowest answer", f"{line.told.slowest:.2f} s")
    assert [code for code, _ in ended] == [0] * 5, ended
    assert violations(everything) == []
    assert line.told.unpromised == []
    assert kefu.logged("request.failed") == []
    assert signed_in
    assert signed_in.status_code == 200
