"""Passages get vectors, whatever happens meanwhile, and what only they find comes in beside what the words find."""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from dataclasses import replace

import pytest
from evals.run import goldens
from sqlalchemy import func, select

from ai.hashing import DIMENSION, embeds
from ai.provider import OWN, Heard, Provider, Reply, answers, provider
from kefu.ai.catalog import Choice
from kefu.ai.embedding import OpenAiEmbedder
from kefu.ai.ports import TEXTS, Embedder
from kefu.ai.telling import Line
from kefu.jobs.queue import ServedBefore, ensure, take
from kefu.kit.db import Database
from kefu.kit.http import Outbound
from kefu.kit.http_streams import HttpStreams, Waits
from kefu.kit.i18n import Locale
from kefu.knowledge.embedding import REST_MS, EmbedPassages, PassageEmbedding
from kefu.knowledge.models import Article, Passage, PassageVector, VectorState
from kefu.knowledge.passages import PASSAGE_LIMIT
from kefu.knowledge.search import Found, Hit, search
from kefu.knowledge.service import Content, archive_article, put_published
from kefu.knowledge.vectors import REFRESH_SECONDS, Near, Vectors
from kefu.porting.demo import load_demo
from kefu.shops.service import FIRST_SHOP, put_shop

SHOP = "default"
POWERBANK = Content("en", "Powerbank", "The powerbank may fly in the cabin.", "powerbank")
TRANSFER = Content("en", "Bank transfer", "We take money by bank transfer. The power of the law holds.", "transfer")
MANY = [Content("en", f"Colour {n}", f"The frame {n} comes in red number {n}.", f"colour-{n}") for n in range(25)]


class Desk:
    """A shop with an embedder, and what is done there."""

    def __init__(self, db: Database, line: Line, wire: Provider) -> None:
        self.db, self.wire = db, wire
        self._line = line
        self.model = "bge-m3"
        self.shop = SHOP
        self.vectors = Vectors(db)

    async def embedder_of(self, _: str) -> Embedder | None:
        if not self.model:
            return None
        return OpenAiEmbedder(Choice("custom", self.wire.url, embedding_model=self.model), self._line)

    async def put(self, *contents: Content) -> None:
        async with self.db.write() as tx:
            await put_published(tx, SHOP, contents)

    async def run(self) -> None:
        """The job once, as a worker does it; one that somebody else did first changes nothing."""
        async with self.db.write() as tx:
            await ensure(tx, EmbedPassages(), "embed")
        await self.db.execute("UPDATE jobs SET run_at = 0, leased_until = NULL")
        (job,) = await take(self.db, "bulk", "w", 1)
        with suppress(ServedBefore):
            await PassageEmbedding(self.db, self.embedder_of)(job)

    async def state(self) -> VectorState | None:
        async with self.db.read() as tx:
            return await tx.get(VectorState, self.shop)

    async def counts(self) -> tuple[int, int, int]:
        """Passages, those with a vector of the model, and vectors there are."""
        async with self.db.read() as tx:
            passages = await tx.scalar(select(func.count()).select_from(Passage))
            model = f"custom/{self.model}"
            its = (PassageVector.sense_hash == Passage.sense_hash) & (PassageVector.model == model)
            having = await tx.scalar(select(func.count()).select_from(Passage).join(PassageVector, its))
            vectors = await tx.scalar(select(func.count()).select_from(PassageVector))
        return passages or 0, having or 0, vectors or 0

    async def near(self, query: str) -> Near | None:
        embedder = await self.embedder_of(self.shop)
        if embedder is None or not await self.vectors.have(self.shop, embedder.model):
            return None
        (vector,) = (await embedder.embed([query])).vectors
        return Near(embedder.model, await self.vectors.nearest(self.shop, embedder.model, vector))

    async def found(self, query: str, lang: Locale = "en") -> Found:
        return await search(self.db, self.shop, query, lang, near=await self.near(query))


@pytest.fixture
async def wire() -> AsyncIterator[Provider]:
    async with provider(embeds()) as server:
        yield server


@pytest.fixture
async def desk(db: Database, wire: Provider) -> AsyncIterator[Desk]:
    async with db.write() as tx:
        await put_shop(tx, **FIRST_SHOP)
    streams = HttpStreams(Outbound(OWN))
    one = Desk(db, Line(streams, Waits(connect=20, read=20, total=60)), wire)
    yield one
    await one.vectors.stop()
    await streams.stop()


def slugs(found: Found) -> list[str]:
    return [hit.slug for hit in found.best]


async def test_what_only_the_vectors_find_comes_in_and_the_words_stay_as_sure_as_they_were(desk: Desk) -> None:
    await desk.put(POWERBANK, TRANSFER)
    question = "May I take a power bank along?"
    before = await desk.found(question)
    assert (slugs(before), before.retrieval, before.embedder) == (["transfer"], "keyword", "")
    await desk.run()
    state = await desk.state()
    assert state
    assert (state.model, state.done, state.total, state.reason) == ("custom/bge-m3", 2, 2, "")
    after = await desk.found(question)
    assert (after.retrieval, after.embedder) == ("fused", "custom/bge-m3")
    assert {*slugs(after)} == {"transfer", "powerbank"}
    assert after.hits == before.hits, "how sure the words are was calibrated without vectors"
    only = next(hit for hit in after.best if hit.slug == "powerbank")
    assert only.score < before.hits[0].score
    assert after.nearest > 0.3
    assert slugs(await desk.found("xylophone quartet")) == [], "what is far is no answer, however near the others are"


async def test_a_job_that_died_goes_on_where_it_was(desk: Desk) -> None:
    told: list[str] = []
    reached = asyncio.Event()

    async def hang(_: Heard, __: Reply) -> None:
        reached.set()
        await asyncio.sleep(60)

    await desk.put(*MANY)
    desk.wire.scripts[:] = [embeds(told=told), embeds(told=told), hang, embeds(told=told)]
    dying = asyncio.create_task(desk.run())
    async with asyncio.timeout(60):
        await reached.wait()
    dying.cancel()
    await asyncio.gather(dying, return_exceptions=True)
    state = await desk.state()
    assert state
    assert (state.done, state.total, state.stamp) == (2 * TEXTS, len(MANY), "")
    await desk.run()
    assert await desk.counts() == (25, 25, 25)
    assert len(told) == len({*told}) == len(MANY), "nobody pays twice"
    assert told[0].startswith("Colour 0\nThe frame 0"), "the title says what the text is about"
    await desk.run()
    assert len(told) == len(MANY), "what is done is done"


async def test_two_workers_at_once_leave_the_same_as_one(desk: Desk) -> None:
    await desk.put(*MANY)
    await asyncio.gather(desk.run(), desk.run(), return_exceptions=True)
    await desk.run()
    assert await desk.counts() == (25, 25, 25)
    state = await desk.state()
    assert state
    assert (state.done, state.total, bool(state.stamp)) == (25, 25, True)


async def test_another_model_replaces_the_vectors_and_meanwhile_the_words_search(desk: Desk) -> None:
    await desk.put(POWERBANK, TRANSFER)
    await desk.run()
    question = "power bank"
    before = await desk.near(question)
    desk.model = "other"
    assert (await desk.found(question)).retrieval == "keyword"
    desk.wire.scripts[:] = [embeds(dimension=64)]
    await desk.run()
    assert await desk.counts() == (2, 2, 2)
    after = await desk.found(question)
    assert (after.retrieval, after.embedder) == ("fused", "custom/other")
    late = await search(desk.db, SHOP, question, "en", near=before)
    assert {*slugs(late)} == {*slugs(after)}, "who asked the old one is answered all the same"
    desk.wire.scripts[:] = [embeds(dimension=96)]  # under the same name another model
    await desk.put(Content("en", "Lamp", "A lamp.", "lamp"))
    await desk.run()
    await desk.run()
    assert (await desk.counts())[1:] == (3, 3)
    desk.model = ""
    await desk.run()
    assert (await desk.counts())[2] == 0
    assert await desk.state() is None


async def test_a_vector_goes_with_the_last_passage_that_says_it(desk: Desk) -> None:
    twin = replace(POWERBANK, slug="twin")
    await desk.put(POWERBANK, twin, TRANSFER)
    await desk.run()
    assert await desk.counts() == (3, 3, 2)
    async with desk.db.read() as tx:
        rows = {row.slug: row for row in await tx.scalars(select(Article))}

    async def gone(slug: str) -> None:
        async with desk.db.write() as tx:
            await archive_article(tx, rows[slug].id, rows[slug].version)

    await gone("powerbank")
    assert await desk.counts() == (2, 2, 2)
    await gone("twin")
    assert await desk.counts() == (1, 1, 1)

    async def withdrawn(heard: Heard, reply: Reply) -> None:
        await gone("transfer")
        await embeds()(heard, reply)

    desk.model = "other"
    desk.wire.scripts[:] = [withdrawn]
    await desk.run()
    assert await desk.counts() == (0, 0, 0), "one that is gone when its vector comes gets none"


async def test_who_fails_is_asked_again_later_and_the_reason_stands_there(desk: Desk) -> None:
    await desk.put(POWERBANK)
    desk.wire.scripts[:] = [answers({"error": {"message": "no"}}, 401)]
    await desk.run()
    state = await desk.state()
    assert state
    assert (state.done, state.total, state.reason, state.stamp) == (0, 1, "denied", "")
    await desk.run()
    assert len(desk.wire.heard) == 1
    await desk.db.execute("UPDATE vector_states SET updated_at = updated_at - $1", REST_MS)
    desk.wire.scripts[:] = [embeds()]
    await desk.run()
    assert await desk.counts() == (1, 1, 1)


async def test_a_text_that_is_too_long_for_the_model_is_told_by_its_beginning(desk: Desk) -> None:
    told: list[str] = []

    async def small(heard: Heard, reply: Reply) -> None:
        if max(map(len, heard.body["input"])) > PASSAGE_LIMIT // 2 or "Lamp" in heard.body["input"][0]:
            await reply.whole({"error": {"message": "maximum context length"}}, 400)
        else:
            await embeds(told=told)(heard, reply)

    desk.wire.scripts[:] = [small]
    long = Content("en", "Long", "A very long story. " * 40, "long")
    await desk.put(POWERBANK, long, Content("en", "Lamp", "A lamp.", "lamp"))
    await desk.run()
    assert sorted(one[:6] for one in told) == ["Long\nA", "Powerb"]
    state = await desk.state()
    assert state
    assert (state.done, state.total, state.reason) == (2, 3, "too_long")
    asked = len(desk.wire.heard)
    await desk.run()
    assert len(desk.wire.heard) == asked, "what was refused is asked for again when the knowledge changes"


async def test_too_many_or_too_few_vectors_leave_the_search_to_the_words(desk: Desk) -> None:
    await desk.put(*MANY)
    await desk.run()
    assert (await desk.found("red frame")).retrieval == "fused"
    small = desk.vectors = Vectors(desk.db, most_bytes=4 * DIMENSION * 20)
    assert (await desk.found("red frame")).retrieval == "keyword"
    assert await small.nearest(SHOP, "custom/bge-m3", b"") == {}
    await desk.db.execute(
        "DELETE FROM passage_vectors WHERE sense_hash IN (SELECT sense_hash FROM passages ORDER BY number LIMIT 5)"
    )
    desk.vectors = Vectors(desk.db)
    assert (await desk.found("red frame")).retrieval == "keyword"


async def test_what_is_new_is_near_a_moment_later_without_anybody_waiting(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    await desk.put(TRANSFER)
    await desk.run()
    assert (await desk.found("power bank")).retrieval == "fused"
    await desk.put(POWERBANK)
    await desk.run()
    began = time.monotonic()
    monkeypatch.setattr("kefu.knowledge.vectors.REFRESH_SECONDS", 0.0)
    assert REFRESH_SECONDS > 0
    while "powerbank" not in slugs(await desk.found("power bank")):
        assert time.monotonic() < began + 30
        await asyncio.sleep(0.01)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_fusing_does_not_lower_what_the_golden_questions_find(desk: Desk) -> None:
    desk.shop = (await load_demo(desk.db)).shop
    await desk.run()
    state = await desk.state()
    assert state
    assert state.done == state.total > 100
    questions = [one.golden for one in goldens() if one.golden.kind == "answerable" and not one.golden.history][::2]
    found = [
        await search(desk.db, desk.shop, one.question, one.lang, near=await desk.near(one.question))
        for one in questions
    ]

    def recall(order: Sequence[Sequence[Hit]]) -> float:
        right = [
            bool({*one.expect} & {hit.slug for hit in some[:3]}) for one, some in zip(questions, order, strict=True)
        ]
        return sum(right) / len(right)

    by_words, fused = recall([one.hits for one in found]), recall([one.best for one in found])
    assert all(one.retrieval == "fused" for one in found)
    assert fused >= by_words > 0.9, (fused, by_words)
