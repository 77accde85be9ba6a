"""The ground the other tests stand on."""

import asyncio
import socket
import subprocess
import sys
from pathlib import Path

import asyncpg
import pytest
from sqlalchemy import text

from kefu.kit.db import Database
from kefu.kit.postgres import plain_postgres
from servers import Servers, free_port

COUNT = text("SELECT count(*) FROM jobs")
ADD = text("INSERT INTO jobs (lane, kind, payload, run_at, created_at) VALUES ('talk', 'x', '{}', 0, 0)")


@pytest.mark.parametrize("time", ["first", "second"])
async def test_what_one_test_commits_the_next_does_not_see(db: Database, time: str) -> None:
    async with db.read() as tx:
        assert await tx.scalar(COUNT) == 0, f"the {time} time"
    async with db.write() as tx:
        await tx.execute(ADD)
    async with db.read() as tx:
        assert await tx.scalar(COUNT) == 1


async def test_postgresql_writes_to_the_disk_before_it_says_so(postgres_database: str) -> None:
    connection = await asyncpg.connect(plain_postgres(postgres_database))
    try:
        assert await connection.fetchval("SHOW fsync") == "on"
        assert await connection.fetchval("SHOW synchronous_commit") == "on"
    finally:
        await connection.close()


def test_redis_is_there(redis_url: str) -> None:
    assert redis_url.startswith("redis://127.0.0.1:")


def test_nothing_outside_this_machine_can_be_reached() -> None:
    with (
        pytest.warns(UserWarning, match="connect"),
        pytest.raises(RuntimeError, match=r"192\.0\.2\.1"),
        socket.socket() as outside,
    ):
        outside.connect(("192.0.2.1", 80))


async def test_a_server_stops_when_its_last_user_is_killed(tmp_path: Path) -> None:
    program = f"""
import sys, time
from pathlib import Path
sys.path.insert(0, {str(Path(__file__).parent)!r})
from servers import Servers
print(Servers(Path({str(tmp_path)!r})).redis(), flush=True)
time.sleep(60)
"""
    user = await asyncio.create_subprocess_exec(sys.executable, "-c", program, stdout=subprocess.PIPE)
    assert user.stdout
    port = int((await user.stdout.readline()).decode().strip().rpartition(":")[2])
    socket.create_connection(("127.0.0.1", port)).close()
    user.kill()
    await user.wait()
    for _ in range(100):
        if await _is_gone(port):
            return
        await asyncio.sleep(0.05)
    pytest.fail("the server is still there 5 s after its last user died")


async def _is_gone(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except ConnectionRefusedError:
        return True
    writer.close()
    await writer.wait_closed()
    return False


def test_a_thing_made_once_is_made_once(tmp_path: Path) -> None:
    made = []

    def make() -> str:
        made.append(free_port())
        return "made"

    first, second = Servers(tmp_path), Servers(tmp_path)
    assert [first.once("thing", make), second.once("thing", make), len(made)] == ["made", "made", 1]
    first.close()
    second.close()
