"""What is told in the log: each request with who and about which conversation, what was slow, one file a day."""

import gzip
import logging
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
import structlog
from sqlalchemy import text
from structlog.testing import capture_logs

from actors import Agent, Visitor
from kefu.kit.clock import iso, now_ms
from kefu.kit.db import Database
from kefu.kit.errors import Busy
from kefu.kit.logs import DailyFile


@pytest.fixture
def lines() -> Iterator[list[Any]]:
    before = structlog.get_config()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger("info"))
    with capture_logs() as lines:
        yield lines
    structlog.configure(**before)


def told(lines: list[Any], event: str) -> list[dict[str, Any]]:
    return [one for one in lines if one["event"] == event]


async def test_each_request_says_how_it_went_about_what_and_whose_it_was(
    agent: Agent, visitor: Visitor, lines: list[Any]
) -> None:
    await visitor.asks_for_a_person()
    await agent.get(f"/api/sessions/{visitor.name}")
    await agent.get("/api/sessions")
    mine, hers, list_ = (
        next(one for one in told(lines, "request.served") if one["method"] == method and one["path"] == path)
        for method, path in (
            ("POST", "/api/manual/escalate"),
            ("GET", f"/api/sessions/{visitor.name}"),
            ("GET", "/api/sessions"),
        )
    )
    assert (mine["session_name"], "agent" in mine) == (visitor.name, False)
    assert (hers["session_name"], hers["agent"], hers["status"]) == (visitor.name, agent.id, 200)
    assert ("session_name" in list_, list_["agent"]) == (False, agent.id)
    assert all(one["duration_ms"] > 0 for one in (mine, hers, list_))


async def test_a_slow_statement_is_told_by_its_text_and_without_its_values(db: Database, lines: list[Any]) -> None:
    await db.fetch("SELECT 1 WHERE $1 = 'quick'", "quick")
    assert told(lines, "query.slow") == []
    db.slow.seconds = 0.0
    await db.fetch("SELECT 2\n  WHERE $1 = 'canary'", "canary-value")
    await db.execute("UPDATE agents SET name = $1 WHERE id = $1", "canary-value")
    await db.seek("SELECT 3 WHERE $1 = 'x'", "canary-value")
    async with db.read() as tx:
        await tx.execute(text("SELECT 4 WHERE :v = 'x'"), {"v": "canary-value"})
    found = [one["statement"] for one in told(lines, "query.slow")]
    for sql in ("SELECT 2 WHERE $1 = 'canary'", "UPDATE agents", "SELECT 3", "SELECT 4"):
        assert any(one.startswith(sql) for one in found), sql
    assert "canary-value" not in str(lines)


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_a_statement_that_runs_into_its_limit_is_told_too(db: Database, lines: list[Any]) -> None:
    db.slow.seconds = 0.05

    async def sleep() -> None:
        async with db.read() as tx:
            await tx.execute(text("SET LOCAL statement_timeout = 100"))
            await tx.execute(text("SELECT pg_sleep(20)"))

    with pytest.raises(Busy):
        await sleep()
    assert [one["statement"] for one in told(lines, "query.slow")] == ["SELECT pg_sleep(20)"]


def record(said: str) -> logging.LogRecord:
    return logging.LogRecord("kefu", logging.INFO, "", 0, orjson.dumps({"event": said}).decode(), None, None)


def test_each_day_has_a_file_and_earlier_ones_are_compressed_and_go(tmp_path: Path) -> None:
    days = [iso(now_ms() - ago * 86_400_000)[:10] for ago in range(1, 6)]
    file = tmp_path / "logs/kefu.log"
    file.parent.mkdir()
    for day in days[1:4]:
        file.with_name(f"kefu.log.{day}.gz").write_bytes(gzip.compress(day.encode()))
    file.with_name(f"kefu.log.{days[4]}").write_text("left by a killed process")
    file.with_name("kefu.log.old-notes").write_text("not ours")
    daily = DailyFile(file, keep_days=3)
    daily.emit(record("yesterday"))
    for one in daily.compressing:
        one.join()
    assert gzip.decompress(file.with_name(f"kefu.log.{days[4]}.gz").read_bytes()) == b"left by a killed process"
    daily.rolloverAt = int(time.time())
    daily.emit(record("today"))
    for one in daily.compressing:
        one.join()
    daily.emit(record("today too"))
    daily.close()
    assert [orjson.loads(line)["event"] for line in file.read_bytes().splitlines()] == ["today", "today too"]
    packed = sorted(one.name for one in file.parent.glob("*.gz"))
    newest = gzip.decompress((file.parent / packed[-1]).read_bytes())
    assert orjson.loads(newest)["event"] == "yesterday"
    assert packed[:-1] == [f"kefu.log.{day}.gz" for day in sorted(days[1:3])], "three at most"
    assert sorted(one.name for one in file.parent.iterdir()) == sorted(["kefu.log", "kefu.log.old-notes", *packed])
