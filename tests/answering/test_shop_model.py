"""A shop's own model answers in the whole application, from a server that speaks as providers do."""

from collections.abc import AsyncIterator

import pytest
from sqlalchemy import select

from actors import Agent, Visitor, data_of
from ai.openai_wire import openai
from ai.provider import OWN, Heard, Provider, Reply, provider, says
from kefu.ai.books import ModelUsage
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
    answer = data_of(await visitor.post("/api/chat", body))
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


@pytest.mark.usefixtures("knows")
async def test_a_stream_that_is_cut_is_followed_by_a_whole_answer_from_the_knowledge(
    visitor: Visitor, agent: Agent, wire: Provider
) -> None:
    async def cut(_: Heard, reply: Reply) -> None:
        await reply.head()
        for frame in openai(TEXTS)[:3]:
            await reply.chunk(frame)
        reply.cut()

    wire.scripts[:] = [cut]
    answer = data_of(
        await visitor.post("/api/chat", {"message": "How do I return something?", "user_id": visitor.name})
    )
    assert (answer["message"], answer["answered"]) == (RETURNS.body, True)
    evidence = await (await agent.follows(visitor.name)).sees("answer.evidenced")
    assert (evidence["provider"], evidence["fell_back_from"]) == ("builtin", ["openai: cut"])
