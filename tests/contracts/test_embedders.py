"""Through whatever a text is embedded, these promises are kept: against servers that speak each provider's protocol."""

import asyncio
import math
from array import array
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from typing import Any

import pytest

from ai.hashing import embeds, vector_of
from ai.openai_wire import embeddings
from ai.provider import OWN, Heard, Provider, Reply, Script, answers, provider
from kefu.ai.breaker import FAILURES, Breaker
from kefu.ai.budget import Books, Budget, Limit, OverBudget, Payer
from kefu.ai.catalog import Choice, Price
from kefu.ai.embedding import BookedEmbedder, OpenAiEmbedder, TryingEmbedder
from kefu.ai.ports import TEXTS, Embedder, ProviderFailed, Usage
from kefu.ai.telling import Line
from kefu.ai.trying import Tries
from kefu.kit.db import Database
from kefu.kit.http import Outbound
from kefu.kit.http_streams import HttpStreams, Waits

KEY = "sk-canary0123456789abcdef0123456789abcdef"
ASKED = ["How long does delivery take?", "送货要多久？"]
# Who gives vectors, and what else they write around them.
KINDS: dict[str, tuple[Choice, dict[str, Any]]] = {
    "openai": (Choice("openai", "", KEY, "gpt-4o", embedding_model="text-embedding-3-small"), {}),
    "azure": (Choice("azure", "", KEY, deployment="desk", embedding_model="vectors 1"), {}),
    "qwen": (Choice("custom", "", KEY, "qwen-plus", embedding_model="text-embedding-v4"), {"id": "4f9c-1d77"}),
    "ollama": (Choice("custom", "", "", "qwen2.5", embedding_model="bge-m3"), {}),
    "vllm": (Choice("custom", "", KEY, "Qwen", embedding_model="BAAI/bge-m3"), {"id": "embd-1", "created": 1721075653}),
}


@dataclass
class There:
    choice: Choice
    more: dict[str, Any]
    line: Line
    stack: AsyncExitStack

    async def embedder(self, *scripts: Script) -> tuple[Embedder, Provider]:
        one = await self.stack.enter_async_context(provider(*scripts))
        return self.at(one.url), one

    def at(self, url: str) -> Embedder:
        return OpenAiEmbedder(replace(self.choice, url=url), self.line)


@pytest.fixture(params=KINDS)
async def there(request: pytest.FixtureRequest) -> AsyncIterator[There]:
    streams = HttpStreams(Outbound(OWN))
    async with AsyncExitStack() as stack:
        yield There(*KINDS[request.param], Line(streams, Waits(connect=2, read=0.3, total=20)), stack)
        await streams.stop()


ONCE = pytest.mark.parametrize("there", ["openai"], indirect=True)


def numbers(vector: bytes) -> list[float]:
    return list(array("f", vector))


async def failure(embedder: Embedder) -> ProviderFailed:
    with pytest.raises(ProviderFailed) as failed:
        await embedder.embed(ASKED)
    return failed.value


async def test_each_text_gets_its_vector_of_length_one(there: There) -> None:
    """In whatever order they come."""
    body = embeddings([[0.0, 3.0, 4.0], [2.0, 0.0, 0.0]], **there.more)
    body["data"].reverse()
    embedder, server = await there.embedder(answers(body))
    found = await embedder.embed(ASKED)
    assert [numbers(one) for one in found.vectors] == [pytest.approx([0, 0.6, 0.8]), [1.0, 0.0, 0.0]]
    assert found.dimension == 3
    assert (found.end.provider, found.end.usage) == (there.choice.provider, Usage(8, 0, is_estimated=False))
    heard = server.heard[-1]
    assert heard.body["input"] == ASKED
    if there.choice.provider == "azure":
        assert heard.path == "/openai/deployments/vectors%201/embeddings?api-version=2024-10-21"
        assert (heard.headers["api-key"], "model" in heard.body) == (KEY, False)
    else:
        assert (heard.path, heard.body["model"]) == ("/embeddings", there.choice.embedding_model)
        assert heard.headers.get("authorization") == (f"Bearer {KEY}" if there.choice.key else None)


async def cut_short(_: Heard, reply: Reply) -> None:
    await reply.head(200, "application/json")
    await reply.chunk(b'{"data": [{"embedding": [0.1, ')
    reply.cut()


async def silent(_: Heard, reply: Reply) -> None:
    await reply.head(200, "application/json")
    await asyncio.sleep(60)


GOOD = [[1.0, 0.0], [0.0, 1.0]]
REFUSED: dict[str, Script] = {
    "busy 429": answers({"error": {"message": "Rate limit", "code": "rate_limit"}}, 429, Retry_After="7"),
    "denied 401": answers({"error": {"message": f"Incorrect API key provided: {KEY}."}}, 401),
    "denied 404": answers({"error": {"message": "The model does not exist"}}, 404),
    "broken 500": answers(b"<html>Internal Server Error</html>", 500),
    "malformed html": answers(b"<html>sign in to the Wi-Fi</html>"),
    "malformed error": answers({"error": {"message": "model loading"}}),
    "malformed none": answers(embeddings([])),
    "malformed few": answers(embeddings(GOOD[:1])),
    "malformed many": answers(embeddings([*GOOD, [1.0, 1.0]])),
    "malformed twice": answers(embeddings(GOOD) | {"data": [{"index": 0, "embedding": GOOD[0]}] * 2}),
    "malformed dimensions": answers(embeddings([[1.0, 0.0], [1.0]])),
    "malformed zero": answers(embeddings([[0.0, 0.0], [1.0, 0.0]])),
    "malformed huge": answers(b'{"data": [{"index": 0, "embedding": [1e999]}, {"index": 1, "embedding": [1]}]}'),
    "malformed words": answers(embeddings([["a", "b"], ["c", "d"]])),  # type: ignore[list-item]  # that is the fault
    "malformed base64": answers({"data": [{"index": n, "embedding": "AACAPw=="} for n in range(2)]}),
    "too_long body": answers(b'{"data": "' + b"x" * (5 << 20) + b'"}'),
    "cut body": cut_short,
    "slow body": silent,
}


@ONCE
@pytest.mark.parametrize("case", REFUSED)
async def test_what_are_no_vectors_is_named(there: There, case: str) -> None:
    embedder, _ = await there.embedder(REFUSED[case])
    failed = await failure(embedder)
    assert failed.reason == case.partition(" ")[0]
    assert failed.wait == (7.0 if case == "busy 429" else None)
    assert KEY not in f"{failed.said}{failed.details}{failed.message('en')}"


@ONCE
async def test_who_cannot_be_reached_is_named(there: There) -> None:
    assert (await failure(there.at("http://127.0.0.1:9"))).reason == "refused"
    assert (await failure(there.at("https://model.invalid"))).reason == "unknown_host"
    assert (await failure(there.at("http://10.0.0.1"))).reason == "denied"


def trying(embedder: Embedder, tries: Tries, seconds: float = 20.0) -> TryingEmbedder:
    return TryingEmbedder(embedder, Breaker({"provider": "p", "model": "v"}), ("p", "v"), tries, seconds)


@ONCE
async def test_what_passes_is_tried_again_and_who_never_answers_in_time_is_left_alone(there: There) -> None:
    embedder, server = await there.embedder(REFUSED["broken 500"], REFUSED["busy 429"], embeds())
    asked = trying(embedder, Tries(first=0.001, longest=0.0))
    assert (await failure(asked)).reason == "busy", "it asks for more time than anybody has"
    assert (await asked.embed(ASKED)).dimension == len(vector_of(""))
    assert len(server.heard) == 3
    embedder, server = await there.embedder(silent)
    impatient = trying(embedder, Tries(most=1), seconds=0.01)
    for _ in range(FAILURES + 3):
        assert (await failure(impatient)).reason == "slow"
    assert server.connections <= FAILURES


@ONCE
async def test_what_it_costs_is_on_the_books_and_a_spent_budget_asks_nobody(there: There, db: Database) -> None:
    embedder, server = await there.embedder(embeds())
    books = Books(db, "UTC", lambda _: Price(1_000_000.0, 0.0))
    payer = Payer("default", budget=Budget(shop_day=Limit(tokens=30)))
    booked = BookedEmbedder(embedder, books, payer, there.choice)
    await booked.embed(ASKED)
    query = "SELECT provider, model, purpose, calls, tokens_in, tokens_out, cost FROM model_usage"
    (row,) = await db.fetch(query)
    assert tuple(row) == ("openai", "text-embedding-3-small", "embed", 1, 8, 0, 8_000_000)
    with pytest.raises(OverBudget):
        await booked.embed(ASKED * (TEXTS // 2))
    assert len(server.heard) == 1


@ONCE
async def test_many_ask_at_once_and_each_gets_their_own(there: There) -> None:
    there.line = replace(there.line, waits=Waits(connect=20, read=20, total=60))
    embedder, _ = await there.embedder(embeds())

    async def one(text: str) -> None:
        (vector,) = (await embedder.embed([text])).vectors
        length = math.hypot(*vector_of(text))
        assert numbers(vector) == pytest.approx([n / length for n in vector_of(text)], abs=1e-6)

    async with asyncio.TaskGroup() as group:
        for n in range(20):
            group.create_task(one(f"Question {n:03d}"))
