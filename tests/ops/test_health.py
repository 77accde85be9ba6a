"""Is it up, and who is the bot."""

import httpx2
from fastapi import FastAPI

from actors import code_of, data_of
from kefu import __version__
from kefu.kit.db import Database


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
