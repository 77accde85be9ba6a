"""A shop's own model answers in the whole application, from a server that speaks as providers do."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from sqlalchemy import select

from actors import Agent, Visitor, data_of
from ai.openai_wire import openai
from ai.provider import OWN, Heard, Provider, Reply, Script, answers, provider, says
from kefu.ai.books import ModelUsage
from kefu.answering.models import BotSettings
from kefu.answering.ports import Answerer
from kefu.kit.config import Settings
from kefu.kit.db import Database
from kefu.knowledge.service import Content, put_published

RETURNS = Content(
    "en", "Returning goods", "You may return goods within 30 days.", "returns", questions=["How do I return something?"]
)
TEXTS = ["You may return", " goods within", " 30 days [", "1]. We write to [EM", "AIL_1]."]
KEY = "sk-canary-4f9c1d77b2"
EMAIL, PHONE = "li.wei@canary.example", "13812340077"


@pytest.fixture
async def wire() -> AsyncIterator[Provider]:
    async with provider(says(openai(TEXTS))) as one:
        yield one


@pytest.fixture
def settings(settings: Settings, wire: Provider) -> Settings:
    chosen = {"ai_provider": "openai", "ai_url": f"{wire.url}/v1", "ai_key": KEY, "ai_model": "gpt-4o-mini"}
    return Settings(**settings.model_dump() | chosen | {"outbound_allow": OWN})


@pytest.fixture
def answerer() -> Answerer | None:
    """That of the settings."""
    return None


@pytest.fixture
async def knows(db: Database, app: object) -> object:
    async with db.write() as tx:
        await put_published(tx, "default", [RETURNS])
    return app


@pytest.mark.usefixtures("knows")
async def test_a_visitor_is_answered_by_the_model_and_only_what_it_needs_goes_there(
    db: Database, visitor: Visitor, agent: Agent, wire: Provider, settings: Settings
) -> None:
    body = {"message": f"How do I return something? I am {EMAIL}, {PHONE}.", "user_id": visitor.name}
    told = await visitor.post("/api/chat", body)
    answer = data_of(told)
    assert {one.headers.get("x-client-request-id") for one in wire.heard} == {told.headers["x-request-id"]}
    assert (answer["message"], answer["answered"]) == (
        f"You may return goods within 30 days. We write to {EMAIL}.",
        True,
    )
    assert [source["title"] for source in answer["sources"]] == ["Returning goods"]
    evidence = await (await agent.follows(visitor.name)).sees("answer.evidenced")
    assert (evidence["provider"], evidence["model"], evidence["tokens"]) == ("openai", "gpt-4o-mini-2024-07-18", 30)
    assert evidence["cost"] == pytest.approx((21 * 0.15 + 9 * 0.6) / 1e6)
    async with db.read() as tx:
        (used,) = (await tx.execute(select(ModelUsage))).scalars()
    assert (used.shop, used.purpose, used.calls, used.tokens_in, used.tokens_out) == ("default", "answer", 1, 21, 9)
    sent = b"".join(one.content for one in wire.heard).decode()
    secrets = (KEY, EMAIL, PHONE, settings.signing_key(), visitor.token, agent.token)
    assert [secret for secret in secrets if secret in sent] == []


def broken_by(last: bytes | None) -> Script:
    """Two pieces, and then something that is no answer; None: nothing, and the line is gone."""

    async def script(_: Heard, reply: Reply) -> None:
        await reply.head()
        for frame in openai(TEXTS)[:3]:
            await reply.chunk(frame)
        await asyncio.sleep(0.05)
        if last is None:
            reply.cut()
        else:
            await reply.chunk(last)
            await reply.end()

    return script


# What a provider does instead of answering, in an order in which it is asked up to the last.
FAULTS: list[tuple[str, Script]] = [
    ("denied", answers({"error": {"message": "Incorrect API key", "code": "invalid_api_key"}}, 401)),
    ("busy", answers({"error": {"message": "Rate limit", "code": "x"}}, 429, Retry_After="60")),
    ("empty", says(openai([]))),
    ("too_long", says(openai(["may " * 6000] * 2))),
    ("cut", broken_by(None)),
    ("malformed", broken_by(b'data: {"choices": [{\n\n')),
    ("malformed", broken_by('data: {"choices": [{"delta": {"content": "退货"}}]}\n\n'.encode("gbk"))),
    ("broken", answers(b"<html>Internal Server Error</html>", 500)),
]


@pytest.mark.usefixtures("knows")
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_whatever_a_provider_does_the_visitor_gets_a_whole_answer_from_the_knowledge(
    db: Database, visitor: Visitor, agent: Agent, wire: Provider
) -> None:
    """Nothing stays of what it began. Who fails again and again is not asked for a while; another model is."""
    watch = await agent.follows(visitor.name)

    async def asks() -> tuple[str, list[str]]:
        answer = data_of(
            await visitor.post("/api/chat", {"message": "How do I return something?", "user_id": visitor.name})
        )
        assert answer["answered"] is True
        evidence = await watch.sees("answer.evidenced")
        return answer["message"], evidence["fell_back_from"]

    for reason, script in FAULTS:
        wire.scripts[:] = [script]
        assert await asks() == (RETURNS.body, [f"openai: {reason}"])
    wire.scripts[:], asked = [says(openai([*TEXTS[:3], "1]."]))], len(wire.heard)
    assert await asks() == (RETURNS.body, ["openai: broken"])
    assert len(wire.heard) == asked
    async with db.write() as tx:
        choice = {"provider": "openai", "url": f"{wire.url}/v1", "model": "another", "version": 1, "key": KEY}
        tx.add(BotSettings(shop="default", updated_at=0, updated_by="a-1", coze={}, budgets={}, **choice))
    assert await asks() == ("You may return goods within 30 days.", [])
