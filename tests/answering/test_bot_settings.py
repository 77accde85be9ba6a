"""Each shop chooses who answers for it, tries that out before, and its key is read by nobody."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI

from actors import Agent, Stage, code_of, data_of
from ai import openai_wire
from ai.coze_wire import Coze, private_pem
from ai.provider import OWN, Provider, answers, provider, says
from audit.audited import entries
from kefu.ai.ports import Ask, Finished, Message, Piece, ProviderFailed
from kefu.kit.config import Settings
from kefu.kit.db import Database
from kefu.main import create_app
from kefu.shops.service import first_shop

BOT, TRIAL = "/api/shops/default/bot", "/api/shops/default/bot/test"
KEY = "sk-canary0123456789abcdef0123456789abcdef"
ASK = Ask([Message("user", "Hello")], "s_1", "answer")


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> Settings:
    return Settings(data_dir=tmp_path, database_url=database_url, rate_limits="on", outbound_allow=OWN)


@pytest.fixture
async def there() -> AsyncIterator[Provider]:
    async with provider(says(openai_wire.openai(["O", "K"]))) as server:
        yield server


@pytest.fixture
async def lead(stage: Stage) -> Agent:
    return await stage.agent("lin", "supervisor")


async def chosen(lead: Agent, **wish: Any) -> dict[str, Any]:
    now = data_of(await lead.get(BOT))
    found: dict[str, Any] = data_of(await lead.put(BOT, now | wish))
    return found


async def said(app: FastAPI) -> str:
    """What the shop's model says, or why it does not; `-` without a model."""
    model = await app.state.model_of("default")
    if model is None:
        return "-"
    try:
        found = [one async for one in model.stream(ASK)]
    except ProviderFailed as failed:
        return failed.reason
    assert isinstance(found[-1], Finished)
    return "".join(one.text for one in found if isinstance(one, Piece))


async def test_a_shop_chooses_and_from_the_next_answer_on_it_is_so(
    app: FastAPI, lead: Agent, db: Database, there: Provider
) -> None:
    first = data_of(await lead.get(BOT))
    assert [first[name] for name in ("provider", "default_provider", "version", "has_key")] == [
        None,
        "builtin",
        0,
        False,
    ]
    assert await said(app) == "-"
    wish = {"provider": "custom", "url": there.url, "model": "small", "persona": "Vela", "prompt": "Be brief."}
    now = await chosen(lead, **wish, key=KEY, budgets={"shop_day": {"tokens": 1000, "usd": 2.5}})
    assert {name: now[name] for name in wish} == wish
    assert (now["has_key"], now["version"], now["updated_by"]) == (True, 1, lead.id)
    assert now["budgets"]["shop_day"] == {"tokens": 1000, "usd": 2.5}
    assert await said(app) == "OK"
    assert there.heard[-1].headers["authorization"] == f"Bearer {KEY}"
    assert there.heard[-1].body["model"] == "small"
    await chosen(lead, model="large")
    assert await said(app) == "OK"
    assert there.heard[-1].body["model"] == "large"
    assert there.heard[-1].headers["authorization"] == f"Bearer {KEY}", "a key stays with its address"
    kept = [*await db.fetch("SELECT * FROM bot_settings"), *await db.fetch("SELECT * FROM audit_entries")]
    assert KEY not in "".join(map(str, kept)), "sealed at rest"
    await chosen(lead, provider="builtin")
    assert await said(app) == "-"


async def test_a_cheaper_model_speaks_for_one_that_fails(app: FastAPI, lead: Agent) -> None:
    broken = answers({"error": {"message": "The model does not exist", "code": "model_not_found"}}, 404)
    async with provider(broken, says(openai_wire.openai(["Cheap"]))) as there:
        await chosen(lead, provider="custom", url=there.url, model="large", cheaper_model="small")
        assert await said(app) == "Cheap"
        assert [one.body["model"] for one in there.heard] == ["large", "small"]


async def test_a_key_goes_nowhere_but_where_it_was_given_for(lead: Agent, there: Provider) -> None:
    now = await chosen(lead, provider="openai", url=there.url, model="m", key=KEY)
    async with provider(says(openai_wire.openai(["Mine"]))) as other:
        elsewhere = now | {"url": other.url}
        for path, call in ((BOT, lead.put), (TRIAL, lead.post)):
            answer = await call(path, elsewhere)
            assert (answer.status_code, code_of(answer)) == (422, "BOT_INCOMPLETE"), path
            assert answer.json()["error"]["details"]["fields"] == [{"field": "key", "reason": "required"}]
        custom = await chosen(lead, provider="custom", url=other.url)
        assert custom["has_key"] is False
        assert data_of(await lead.post(TRIAL, custom))["ok"] is True
        assert "authorization" not in other.heard[-1].headers


async def test_what_is_not_saved_yet_can_be_tried(lead: Agent, there: Provider, db: Database) -> None:
    now = data_of(await lead.get(BOT))
    wish = now | {"provider": "openai", "url": there.url, "model": "gpt-4o-mini", "key": KEY}
    found = data_of(await lead.post(TRIAL, wish))
    assert (found["ok"], found["provider"], found["model"]) == (True, "openai", "gpt-4o-mini-2024-07-18")
    assert 0 < found["first_ms"] <= found["total_ms"]
    assert data_of(await lead.get(BOT)) == now
    refusal = {"error": {"message": f"Incorrect API key provided: {KEY}", "code": "invalid_api_key"}}
    there.scripts[:] = [answers(refusal, 401)]
    answer = await lead.stage.http.post(
        TRIAL, json=wish, headers={"Authorization": f"Bearer {lead.token}", "Accept-Language": "zh"}
    )
    found = data_of(answer)
    assert (found["ok"], found["reason"], found["first_ms"]) == (False, "denied", None)
    assert found["message"] == "请求被拒绝，请检查密钥、模型名称和账户状态。"
    assert found["said"] == "HTTP 401 Incorrect API key provided: ***"
    assert data_of(await lead.post(TRIAL, now))["provider"] == "builtin"
    tested = [one for one in await entries(db) if one.action == "bot.tested"]
    assert len(tested) == 3
    used = data_of(await lead.get("/api/reports/costs"))["used"]
    assert {(one["purpose"], one["model"], one["calls"]) for one in used} == {
        ("test", "gpt-4o-mini-2024-07-18", 1),
        ("test", "gpt-4o-mini", 1),
    }
    refused = [await lead.post(TRIAL, now) for _ in range(8)][-1]
    assert (refused.status_code, code_of(refused)) == (429, "RATE_LIMITED")


async def test_a_shop_says_what_its_models_cost_and_what_was_booked_stays(
    app: FastAPI, lead: Agent, there: Provider
) -> None:
    """The provider names its model `gpt-4o-mini-2024-07-18`."""

    async def booked() -> list[tuple[Any, ...]]:
        used = data_of(await lead.get("/api/reports/costs"))["used"]
        return [(one["calls"], one["cost"] and round(one["cost"], 9), one["unpriced"]) for one in used]

    wish = {"provider": "custom", "url": there.url, "model": "gpt-4o-mini", "cheaper_model": "house-model"}
    listed, none = (await chosen(lead, **wish))["prices_in_force"]
    assert (listed["tokens_in"], listed["source"], listed["as_of"]) == (0.15, "catalogue", "2026-03")
    assert none == {"model": "house-model", "tokens_in": None, "tokens_out": None, "source": None, "as_of": None}
    own = [{"model": name, "tokens_in": 1.0, "tokens_out": 2.0} for name in ("gpt-4o-mini", "house-model")]
    now = await chosen(lead, prices=own)
    assert [(one["source"], one["tokens_out"], one["as_of"]) for one in now["prices_in_force"]] == [
        ("shop", 2.0, None)
    ] * 2
    assert await said(app) == "OK"
    cost = 39e-6  # of 21 tokens in, 9 out
    assert await booked() == [(1, cost, 0)]
    await chosen(lead, prices=[own[0] | {"tokens_in": 0, "tokens_out": 0}])
    assert await said(app) == "OK"
    assert await booked() == [(2, cost, 0)], "from now on it is free, and the past cost what it did"
    twice = now | {"prices": [own[0], own[0] | {"model": "GPT-4o-mini"}], "version": now["version"] + 1}
    assert code_of(await lead.put(BOT, twice)) == "VALIDATION_FAILED"


async def test_coze_is_chosen_with_its_private_key(app: FastAPI, lead: Agent) -> None:
    async with provider(Coze()) as there:
        ids = {"app_id": "app1", "workflow_id": "flow1", "client_id": "client1", "public_key_id": "kid1"}
        now = await chosen(lead, provider="coze", url=there.url, coze=ids, key=private_pem())
        assert (now["coze"], now["has_key"]) == (ids, True)
        assert data_of(await lead.post(TRIAL, now))["ok"] is True
        assert await said(app) == "Hello"


WRONG: dict[str, Any] = {
    "provider": "litellm",
    "url": "ftp://model.example",
    "key": "two\nlines",
    "model": "a b",
    "api_version": "2024/10",
    "coze": {"app": "x"},
    "persona": "x" * 81,
    "prompt": "x" * 8001,
    "mask_pii": "perhaps",
    "budgets": {"shop_day": {"usd": -1}},
    "prices": [{"model": "m", "tokens_in": -1, "tokens_out": 1}],
    "reads_messages": "perhaps",
    "version": -1,
}


async def test_wrong_wishes_are_refused_and_nothing_changes(lead: Agent, stage: Stage) -> None:
    now = data_of(await lead.get(BOT))
    for name, value in WRONG.items():
        for path, call in ((BOT, lead.put), (TRIAL, lead.post)):
            answer = await call(path, now | {name: value})
            assert (answer.status_code, code_of(answer)) == (422, "VALIDATION_FAILED"), name
    for url in ("http://169.254.169.254/v1", "https://10.0.0.1", "http://2130706433", "http://model.example@127.0.0.1"):
        answer = await lead.put(BOT, now | {"provider": "custom", "url": url, "model": "m"})
        assert (answer.status_code, code_of(answer)) == (422, "ADDRESS_REFUSED"), url
    answer = await lead.put(BOT, now | {"provider": "azure", "url": "https://desk.openai.azure.com"})
    lacks = [one["field"] for one in answer.json()["error"]["details"]["fields"]]
    assert (code_of(answer), lacks) == ("BOT_INCOMPLETE", ["key", "deployment"])
    assert code_of(await lead.put("/api/shops/nowhere/bot", now)) == "SHOP_NOT_FOUND"
    mei = await stage.agent("mei")
    assert [(await mei.get(BOT)).status_code, (await mei.put(BOT, now)).status_code] == [403, 403]
    assert data_of(await lead.get(BOT)) == now


async def test_of_two_who_change_it_at_once_one_is_told_so(lead: Agent, db: Database) -> None:
    now = data_of(await lead.get(BOT))
    both = await asyncio.gather(*(lead.put(BOT, now | {"persona": name}) for name in ("Vela", "Mira")))
    assert sorted(answer.status_code for answer in both) == [200, 409]
    (won,) = (data_of(one) for one in both if one.status_code == 200)
    (lost,) = (one for one in both if one.status_code == 409)
    assert (code_of(lost), lost.json()["error"]["details"]["version"]) == ("BOT_CHANGED", 1)
    assert data_of(await lead.get(BOT)) == won
    assert data_of(await lead.put(BOT, now | {"persona": won["persona"]})) == won, "safe to repeat"
    (entry,) = (one for one in await entries(db) if one.action == "bot.changed")
    assert entry.before == '{"persona":""}'


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_a_shop_without_a_choice_has_that_of_the_installation(
    tmp_path: Path, db: Database, there: Provider
) -> None:
    async with db.write() as tx:
        await first_shop(tx)
    own = Settings(
        data_dir=tmp_path, database_url=db.url, outbound_allow=OWN, ai_provider="custom", ai_url=there.url, ai_model="m"
    )
    app = create_app(own)
    async with app.router.lifespan_context(app):
        assert await said(app) == "OK"
