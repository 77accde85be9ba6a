"""A shop with an embedder: what its model answers from, what leaves, and what happens when no vector comes."""

import asyncio
import re
from collections.abc import AsyncIterator
from typing import Any

import pytest
from fastapi import FastAPI

from actors import Agent, Stage, Visitor, data_of
from ai.hashing import DIMENSION, embeds
from ai.openai_wire import openai
from ai.provider import OWN, Heard, Provider, Reply, answers, provider
from kefu.answering.ports import Answerer
from kefu.jobs.queue import ensure, take
from kefu.kit.config import Settings
from kefu.kit.db import Database
from kefu.knowledge.embedding import EmbedPassages, PassageEmbedding
from kefu.knowledge.service import Content, put_published

POWERBANK = Content("en", "Powerbank", "The powerbank may fly in the cabin.", "powerbank")
TRANSFER = Content("en", "Bank transfer", "We take money by bank transfer. The power of the law holds.", "transfer")
GERMANY = Content(
    "en", "Delivery to Germany", "Delivery to Germany takes 3 days.", "germany", questions=["How long to Berlin?"]
)
UK = Content("en", "Delivery to the UK", "Delivery to the UK takes 6 days.", "uk", questions=["How long to London?"])
PLUGS = Content("en", "UK plugs", "A plug for the UK is in the box.", "plugs")
EMAIL = "li.wei@canary.example"
BOT, TRIAL = "/api/shops/default/bot", "/api/shops/default/bot/test"


class Both:
    """Chats and embeds, by the path. The chat says what the passage named `Powerbank` or the first one says."""

    def __init__(self) -> None:
        self.embeds = embeds()

    async def __call__(self, heard: Heard, reply: Reply) -> None:
        if heard.path.endswith("/embeddings"):
            await self.embeds(heard, reply)
            return
        prompt = "\n".join(one["content"] for one in heard.body["messages"])
        found = re.search(r"passage (\d)[^\n]*\nPowerbank", prompt)
        said = f"The powerbank may fly in the cabin [{found[1]}]." if found else "Delivery takes 6 days [1]."
        await reply.stream(openai([said]))


@pytest.fixture
def both() -> Both:
    return Both()


@pytest.fixture
async def wire(both: Both) -> AsyncIterator[Provider]:
    async with provider(both) as one:
        yield one


@pytest.fixture
def settings(settings: Settings, wire: Provider) -> Settings:
    chosen = {"ai_provider": "custom", "ai_url": wire.url, "ai_model": "m", "ai_embedding_model": "bge-m3"}
    return Settings(**settings.model_dump() | chosen | {"outbound_allow": OWN})


@pytest.fixture
def answerer() -> Answerer | None:
    """That of the settings."""
    return None


@pytest.fixture
async def knows(db: Database, app: FastAPI, visitor: Visitor) -> Visitor:
    """The visitor of a shop whose passages have vectors."""
    async with db.write() as tx:
        await put_published(tx, "default", [POWERBANK, TRANSFER, GERMANY, UK, PLUGS])
        await ensure(tx, EmbedPassages(), EmbedPassages.kind)
    await db.execute("UPDATE jobs SET run_at = 0, leased_until = NULL WHERE kind = $1", EmbedPassages.kind)
    jobs = [job for job in await take(db, "bulk", "w", 50) if job.kind == EmbedPassages.kind]
    for job in jobs:  # on SQLite the application's own worker may have it
        await PassageEmbedding(db, app.state.model_of.embedder_of)(job)
    async with asyncio.timeout(60):
        while [*map(tuple, await db.fetch("SELECT done, total FROM vector_states"))] != [(5, 5)]:  # noqa: ASYNC110 - a job
            await asyncio.sleep(0.05)
    return visitor


async def ask(visitor: Visitor, question: str) -> dict[str, Any]:
    answer: dict[str, Any] = data_of(await visitor.post("/api/chat", {"message": question, "user_id": visitor.name}))
    return answer


async def proof(agent: Agent, visitor: Visitor) -> dict[str, Any]:
    return dict(await (await agent.follows(visitor.name)).sees("answer.evidenced"))


def embedded(wire: Provider) -> list[list[str]]:
    return [one.body["input"] for one in wire.heard if one.path == "/embeddings"]


async def test_a_model_answers_from_what_only_the_vectors_found(
    knows: Visitor, agent: Agent, wire: Provider, db: Database
) -> None:
    answer = await ask(knows, f"Take a power bank? {EMAIL}.")
    assert (answer["message"], answer["answered"]) == ("The powerbank may fly in the cabin.", True)
    assert [source["title"] for source in answer["sources"]] == ["Powerbank"]
    evidence = await proof(agent, knows)
    assert (evidence["retrieval"], evidence["embedder"]) == ("fused", "custom/bge-m3")
    told = data_of(await agent.get(f"/api/sessions/{knows.name}/evidence/{evidence['seq'] - 1}"))
    assert (told["retrieval"], told["embedder"]) == ("fused", "custom/bge-m3")
    assert embedded(wire)[-1] == ["Take a power bank? [EMAIL_1]."]
    rows = await db.fetch("SELECT model, calls FROM model_usage WHERE purpose = 'embed'")
    assert [tuple(row) for row in rows] == [("bge-m3", 2)]
    hit_test = data_of(await agent.post("/api/knowledge/search", {"query": "a power bank", "lang": "en"}))
    assert hit_test["retrieval"] == "fused"
    assert "powerbank" in [hit["slug"] for hit in hit_test["hits"]]
    path = f"/api/sessions/{knows.name}/recommendations?q=power%20bank"
    assert "Powerbank" in [one["title"] for one in data_of(await agent.get(path))]


async def test_no_vector_in_time_leaves_the_words_and_the_evidence_says_so(
    knows: Visitor, agent: Agent, wire: Provider, both: Both
) -> None:
    async def hang(_: Heard, __: Reply) -> None:
        await asyncio.sleep(60)

    both.embeds = hang
    async with asyncio.timeout(30):
        answer = await ask(knows, "How long does delivery to the UK take?")
    assert (answer["message"], answer["answered"]) == ("Delivery takes 6 days.", True)
    evidence = await proof(agent, knows)
    assert (evidence["retrieval"], evidence["embedder"]) == ("keyword", "custom/bge-m3")
    assert wire.left.is_set(), "who is not waited for is not kept waiting"


async def test_a_question_that_follows_up_is_looked_up_with_the_one_before(
    knows: Visitor, agent: Agent, wire: Provider
) -> None:
    await ask(knows, "How long does delivery to Germany take?")
    await ask(knows, "And in the UK?")
    asked = embedded(wire)[-1]
    assert asked == ["And in the UK?", "How long does delivery to Germany take?\nAnd in the UK?"]
    stream = await agent.follows(knows.name)
    await stream.sees("answer.evidenced")
    evidence = await stream.sees("answer.evidenced")
    titles = [one["title"] for one in evidence["passages"]]
    assert titles.index("Delivery to the UK") < titles.index("UK plugs"), titles


async def test_a_shop_tries_its_embedder_and_sees_how_far_its_vectors_are(
    knows: Visitor, stage: Stage, wire: Provider, both: Both
) -> None:
    assert knows.name
    lead = await stage.agent("lin", "supervisor")
    now = data_of(await lead.get(BOT))
    vectors = {"model": "custom/bge-m3", "done": 5, "total": 5, "reason": ""}
    assert (now["embedding_model"], now["vectors"]) == ("", vectors)
    wish = now | {"provider": "custom", "url": wire.url, "model": "m", "embedding_model": "e5"}
    tried = data_of(await lead.post(TRIAL, wish))["embedding"]
    assert (tried["ok"], tried["model"], tried["dimension"]) == (True, "e5", DIMENSION)
    assert tried["total_ms"] > 0
    both.embeds = answers({"error": {"message": "no such model"}}, 404)
    tried = data_of(await lead.post(TRIAL, wish))["embedding"]
    assert (tried["ok"], tried["dimension"], tried["reason"]) == (False, None, "denied")
    assert (tried["message"][:2], tried["said"]) == ("It", "HTTP 404 no such model")
    assert data_of(await lead.put(BOT, wish))["embedding_model"] == "e5"
    now = data_of(await lead.put(BOT, data_of(await lead.get(BOT)) | {"provider": "builtin"}))
    assert now["embedding_model"] == "", "it has no provider to go to"
    assert data_of(await lead.post(TRIAL, now))["embedding"] is None
