"""Is it up, and who is the bot."""

import asyncio

import httpx2
from fastapi import FastAPI
from sqlalchemy import text

from accounts.team import bearer
from actors import Agent, Stage, code_of, data_of
from kefu import __version__
from kefu.backups.work import remember_wal
from kefu.kit.clock import now_ms
from kefu.kit.db import Database
from kefu.ops import health

# On SQLite the worker of the app takes whatever is due in its lane; this one is in none.
OVERDUE_JOB = """
INSERT INTO jobs (lane, kind, payload, run_at, created_at) VALUES ('nobody', 'unknown', '{}', 1, 1)
"""


async def test_a_running_service_says_so(client: httpx2.AsyncClient, db: Database) -> None:
    assert (await client.get("/health")).json() == {"status": "ok"}
    assert (await client.get("/api/health/ready")).json() == {"status": "ok"}
    assert (await client.get("/api/health")).json() == {
        "success": True,
        "status": "healthy",
        "version": __version__,
        "database": "sqlite" if db.is_sqlite else "postgresql",
        "provider": "builtin",
        "redis": "unused",
    }


async def test_a_service_that_stops_is_alive_but_not_ready(app: FastAPI, client: httpx2.AsyncClient) -> None:
    app.state.hub.drain()
    assert (await client.get("/health")).status_code == 200
    answer = await client.get("/api/health/ready")
    assert (answer.status_code, code_of(answer), answer.headers["Retry-After"]) == (503, "NOT_READY", "2")


async def test_the_bot_introduces_itself_in_the_visitors_language(client: httpx2.AsyncClient) -> None:
    bots = {
        query: data_of(await client.get(f"/api/bot/info{query}", headers={"Accept-Language": "zh-CN"}))["bot"]
        for query in ("", "?locale=en", "?locale=zh-TW&shop=default", "?locale=fr")
    }
    assert [bot["locale"] for bot in bots.values()] == ["zh", "en", "zh", "en"]
    assert bots["?locale=en"].pop("icon").startswith("M12 3.5")
    assert bots["?locale=en"] == {
        "name": "Assistant",
        "description": "Answers from our help articles",
        "icon_url": "/static/widget/bot.svg",
        "welcome": "Hello! How can I help you?",
        "suggestions": [],
        "shop": "default",
        "shop_name": "Our shop",
        "locale": "en",
        "is_demo": False,
        "color": "#0f8f86",
        "palette": None,
        "avatar": "robot",
        "asks": {"name": "off", "email": "off"},
        "consent": {"mode": "off", "text": "", "link": ""},
        "hours_notice": "",
    }
    assert bots[""]["welcome"] == "您好！请问有什么可以帮您？"


async def test_unknown_addresses_and_methods_answer_in_the_one_shape(client: httpx2.AsyncClient) -> None:
    missing = await client.get("/api/nowhere", headers={"Accept-Language": "zh"})
    assert (missing.status_code, missing.json()["error"]) == (
        404,
        {"code": "NOT_FOUND", "message": "找不到所请求的内容。"},
    )
    wrong = await client.delete("/api/chat")
    assert (wrong.status_code, code_of(wrong), wrong.headers["Allow"]) == (405, "METHOD_NOT_ALLOWED", "POST")


async def test_each_part_is_told_to_who_may_read_figures(stage: Stage, db: Database, agent: Agent) -> None:
    lead = await stage.agent("lead", "supervisor")
    assert (await stage.http.get("/api/health/detailed", headers=bearer(agent.token))).status_code == 403
    async with db.write() as tx:
        await remember_wal(tx, now_ms() - 60_000, 7)
    visitor = await stage.visitor()
    await visitor.asks_for_a_person()
    told = data_of(await stage.http.get("/api/health/detailed", headers=bearer(lead.token)))
    parts = told["parts"]
    assert {name: part["status"] for name, part in parts.items()} == {
        "database": "ok",
        "redis": "unused",
        "jobs": "ok",
        "queue": "ok",
        "streams": "ok",
        "disk": "ok",
        "provider": "ok",
        "backup": "ok",
    }
    assert (told["status"], told["version"]) == ("healthy", __version__)
    facts = parts["database"]["facts"]
    assert facts["migration"] == facts["newest"]
    assert facts["kind"] == ("sqlite" if db.is_sqlite else "postgresql")
    assert parts["queue"]["facts"]["waiting"] == 1
    assert 60 <= parts["backup"]["facts"]["wal_age_seconds"] < 200
    assert all(part["latency_ms"] >= 0 for part in parts.values())
    async with db.write() as tx:
        await tx.execute(text(OVERDUE_JOB))
    told = data_of(await stage.http.get("/api/health/detailed", headers=bearer(lead.token)))
    assert (told["status"], told["parts"]["jobs"]["status"]) == ("degraded", "degraded")
    assert told["parts"]["jobs"]["facts"]["nobody_oldest_seconds"] > 120


async def test_a_part_that_hangs_is_down_after_its_time_and_holds_up_nobody() -> None:
    async def hang() -> health.Part:
        await asyncio.sleep(60)
        return health.Part("ok")

    part = await health.asked(hang(), within=0.05)
    assert (part.status, part.facts) == ("down", {"error": "TimeoutError"})
