"""The figures of the team: right to the second, of today by the shop's clocks, and for whom they are."""

from typing import Any

import pytest
from fastapi import FastAPI

from actors import Agent, Stage, code_of, data_of
from kefu.kit.clock import now_ms, start_of_day
from kefu.kit.db import Database
from kefu.sessions.models import Episode, Session, Stint
from kefu.sessions.states import Status
from kefu.shops.service import put_shop
from sessions.test_lists import SHOP

MINUTE = 60_000
OPENED = {"status": "bot_active", "locale": "en", "conversation_id": "c", "visitor_id": ""}

ZONE = "Asia/Shanghai"


def session(name: str, at: int, **columns: Any) -> Session:
    return Session(**{**OPENED, "name": name, "shop": "default", "created_at": at, "updated_at": at, **columns})


def episode(name: str, at: int, waited: int | None = None, replied: int | None = None, **columns: Any) -> Episode:
    """`waited` and `replied` seconds after it began."""
    later = {"taken_at": waited, "replied_at": replied}
    times = {column: None if after is None else at + after * 1000 for column, after in later.items()}
    return Episode(
        **{"session": name, "number": 1, "shop": "default", "reason": "manual", "started_at": at, **times, **columns}
    )


@pytest.fixture
async def lead(stage: Stage) -> Agent:
    return await stage.agent("lead", "supervisor")


@pytest.fixture
async def mei(stage: Stage) -> Agent:
    return await stage.agent("mei")


@pytest.fixture
async def day(db: Database, mei: Agent) -> int:
    """When the day began. Ten waits of 1 to 10 minutes today, one of an hour yesterday, two who wait now."""
    now = now_ms()
    day = start_of_day(now, ZONE)
    async with db.write() as tx:
        await put_shop(tx, id="other", **SHOP)
        for n in range(10):
            tx.add(session(f"s-{n}", day + n))
            ended = {"ended_at": now, "ended_by": "session.closed"} if n < 4 else {}
            replied = (n + 2) * 60 if n < 3 else None
            tx.add(episode(f"s-{n}", day + n, (n + 1) * 60, replied, rating=5 if n < 2 else None, **ended))
        tx.add(session("s-yesterday", day - 1))
        tx.add(episode("s-yesterday", day - 4_000_000, 3600, None, reason="vip"))
        tx.add(episode("s-unasked", day, 0, 0, reason="unasked"))
        waits = {"status": "pending_manual", "escalation_reason": "keyword"}
        tx.add(session("w-1", now - MINUTE, **waits, escalated_at=now - 3 * MINUTE))
        tx.add(session("w-2", now - MINUTE, **waits, escalated_at=now - MINUTE, shop="other"))
        live = {"status": "manual_live", "agent_id": mei.id, "agent_name": "Mei", "escalation_reason": "vip"}
        tx.add(session("l-1", now - MINUTE, **live, manual_started_at=now - 2 * MINUTE))
        stint = {"session": "s-0", "episode": 1, "shop": "default", "agent_id": mei.id, "started_at": day}
        tx.add(Stint(**stint, seq=3, ended_at=day + 5 * MINUTE, ended_by="session.released"))
        tx.add(Stint(**stint, seq=7))
    return day


async def test_how_it_stands(lead: Agent, day: int) -> None:
    stats = data_of(await lead.get("/api/sessions/stats"))
    assert stats["by_status"] == stats["counts"]
    assert {status: stats["counts"][status] for status in ("pending_manual", "manual_live", "closed")} == {
        "pending_manual": 2, "manual_live": 1, "closed": 0,
    }  # fmt: skip
    assert (stats["waiting"], stats["active_agents"]) == (2, 1)
    assert stats["oldest_wait_seconds"] == pytest.approx(180, abs=30)
    assert stats["avg_waiting_time"] == pytest.approx(120, abs=30)
    assert stats["avg_service_time"] == pytest.approx(120, abs=30)
    assert stats["by_escalation_reason"] == {"keyword": 2, "vip": 1}
    assert start_of_day(now_ms(), ZONE) == day


async def test_what_the_day_brought(lead: Agent, day: int) -> None:
    stats = data_of(await lead.get("/api/sessions/stats"))
    today = stats["today"]
    new_at_midnight = 3 if now_ms() - day > 2 * MINUTE else today["sessions"] - 10
    assert (today["sessions"], today["total_escalations"]) == (10 + new_at_midnight, 10)
    assert (today["by_reason"], today["handled"], today["rating"], today["ratings"]) == ({"manual": 10}, 1, 5.0, 2)
    waited = {"average": 330.0, "median": 300.0, "p90": 540.0, "longest": 600.0}
    assert stats["wait"] == {"count": 10, **waited}
    assert stats["first_response"] == {"count": 3, "average": 180.0, "median": 180.0, "p90": 240.0, "longest": 240.0}
    assert (stats["service"]["count"], stats["service"]["average"]) == (1, 300.0)
    assert stats["agent_efficiency"]["resolution_rate"] == 0.75


async def test_of_one_shop(lead: Agent, day: int) -> None:
    del day
    stats = data_of(await lead.get("/api/sessions/stats?shop=other"))
    assert (stats["total"], stats["waiting"], stats["today"]["total_escalations"]) == (1, 1, 0)
    assert stats["wait"] == {"count": 0, "average": None, "median": None, "p90": None, "longest": None}
    unknown = await lead.get("/api/sessions/stats?shop=nowhere")
    assert (unknown.status_code, code_of(unknown)) == (404, "SHOP_NOT_FOUND")
    assert (await lead.get("/api/sessions/stats?shop=A%20B")).status_code == 422


async def test_the_wallboard(stage: Stage, lead: Agent, mei: Agent, day: int) -> None:
    desk = await mei.watches_the_desk()
    await desk.sees("presence", agents=[{"id": mei.id, "name": "Mei"}])
    board = data_of(await lead.get("/api/wallboard"))
    assert [(one["name"], one["is_here"], one["serving"], one["handled"]) for one in board["agents"]] == [
        ("Lead", False, 0, 0),
        ("Mei", True, 1, 1),
    ]
    assert sum(hour["escalations"] for hour in board["hours"]) == board["stats"]["today"]["total_escalations"] == 10
    assert sum(hour["sessions"] for hour in board["hours"]) == board["stats"]["today"]["sessions"]
    assert len(board["hours"]) == (now_ms() - day) // 3_600_000 + 1
    await (await stage.visitor()).asks_for_a_person()
    assert data_of(await lead.get("/api/wallboard"))["at"] == board["at"]  # counted once for all who ask


async def test_who_may_know(app: FastAPI, stage: Stage, lead: Agent, mei: Agent) -> None:
    del app
    inspector = await stage.agent("ina", "inspector")
    for path in ("/api/wallboard", "/api/sessions/stats"):
        assert (await lead.get(path)).status_code == (await inspector.get(path)).status_code == 200
    refused = await mei.get("/api/wallboard")
    assert (refused.status_code, code_of(refused)) == (403, "FORBIDDEN")
    plain = data_of(await mei.get("/api/sessions/stats"))
    assert set(plain) == {"counts", "total", "waiting", "oldest_wait_seconds"}
    assert plain["counts"] == dict.fromkeys([status.value for status in Status], 0)
    assert set(data_of(await mei.get("/api/sessions/stats?shop=default"))) == set(plain)


def test_a_day_begins_by_the_clocks_of_the_zone() -> None:
    at = 1_774_760_400_000  # 2026-03-29 05:00 UTC, a day that began in winter time
    assert at - start_of_day(at, ZONE) == 13 * 3_600_000
    assert at - start_of_day(at, "Europe/Berlin") == 6 * 3_600_000
