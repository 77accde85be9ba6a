"""A model answers from the shop's passages alone, and what fails is followed by what works."""

import asyncio
import hashlib
from collections.abc import AsyncGenerator

import pytest

from actors import Agent, Visitor
from kefu.ai.budget import Booked, Books, Budget, Limit, Payer
from kefu.ai.catalog import Price
from kefu.ai.ports import Ask, ChatModel, Finished, Piece, ProviderFailed, Usage
from kefu.ai.scripted import ScriptedModel
from kefu.answering import wording
from kefu.answering.builtin import BuiltinAnswerer
from kefu.answering.model import ModelAnswerer, Setup
from kefu.answering.ports import Answer, Answerer, Delta, Said, Speech, TakenBack, Turn
from kefu.answering.prompt import NO_ANSWER, Voice
from kefu.kit.db import Database
from kefu.kit.errors import Busy
from kefu.kit.i18n import Locale
from kefu.knowledge.service import Content, put_published

RETURNS = Content(
    "en",
    "Returning goods",
    "You may return goods within 30 days of delivery.\n\nSend them to our warehouse in Lille, see "
    "https://shop.example/returns for the form.",
    "returns",
    questions=["How do I return something?", "How long can I send goods back?"],
)
BATTERY = Content("en", "Battery", "The battery lasts 80 km.", "battery", questions=["How far does the battery go?"])
RETURNS_ZH = Content("zh", "退货", "签收后 30 天内可以退货，运费由我们承担。", "returns", questions=["怎么退货？"])
DEAR_FIRST = ("dear", "cheap")
PRICE = Price(tokens_in=1.0, tokens_out=10.0)
HELD_SECONDS = 60


class Breaking:
    """Says `text`, then fails."""

    def __init__(self, text: str = "") -> None:
        self._text = text

    async def stream(self, ask: Ask) -> AsyncGenerator[Piece | Finished]:  # noqa: ARG002 - asked for by the port
        if self._text:
            yield Piece(self._text)
        raise ProviderFailed(provider="openai", reason="cut")


class Hanging:
    """Says `text` and then nothing; `is_closed` when nobody waits for it any more."""

    def __init__(self, text: str = "") -> None:
        self._text = text
        self.asked: list[Ask] = []
        self.has_begun, self.is_closed = asyncio.Event(), asyncio.Event()

    async def stream(self, ask: Ask) -> AsyncGenerator[Piece | Finished]:
        self.asked.append(ask)
        try:
            if self._text:
                yield Piece(self._text)
            self.has_begun.set()
            await asyncio.sleep(HELD_SECONDS)
        finally:
            self.is_closed.set()


def answerer_of(db: Database, *models: ChatModel, masks: bool = True) -> ModelAnswerer:
    async def setup_of(_: Turn) -> Setup:
        return Setup(models, Voice("Fifi, the shop's assistant", "Mention our club."), masks)

    return ModelAnswerer(BuiltinAnswerer(db), setup_of)


async def heard(answerer: Answerer, turn: Turn) -> tuple[Answer, list[str]]:
    """The answer and, after a check that what is shown in the end is its text, each stretch that was shown."""
    shown, answer = [""], None
    async for piece in answerer.answer(turn):
        assert answer is None
        if isinstance(piece, Delta):
            shown[-1] += piece.text
        elif isinstance(piece, TakenBack):
            shown.append("")
        else:
            answer = piece
    assert answer is not None
    assert shown[-1] == answer.text
    assert answer.evidence.answered == answer.answered
    return answer, shown


def turn(question: str, locale: Locale = "en", *history: Said) -> Turn:
    return Turn("default", locale, question, "s", history)


def saying(text: str) -> ScriptedModel:
    return ScriptedModel(lambda _: text)


@pytest.fixture
async def shop(db: Database) -> Database:
    async with db.write() as tx:
        await put_published(tx, "default", [RETURNS, BATTERY, RETURNS_ZH])
    return db


async def test_an_answer_names_its_passages_and_the_visitor_reads_it_without_marks(shop: Database) -> None:
    model = saying("You may return goods within 30 days of delivery [1]. Send them to Lille.[1] Anything else?")
    booked = Booked(model, Books(shop, "UTC", {"script": PRICE}), Payer("default"), "scripted", "script")
    answer, shown = await heard(answerer_of(shop, booked), turn("How do I return something?"))
    assert answer.text == "You may return goods within 30 days of delivery. Send them to Lille. Anything else?"
    assert (answer.answered, len(shown)) == (True, 1)
    assert [source.title for source in answer.sources] == ["Returning goods"]
    evidence = answer.evidence
    assert [(claim.cited, claim.doubt) for claim in evidence.claims] == [((1,), ""), ((1,), ""), ((), "uncited")]
    assert (evidence.provider, evidence.model, evidence.fell_back_from) == ("scripted", "script", ())
    assert evidence.passages[0].text_hash == hashlib.sha256(evidence.passages[0].text.encode()).hexdigest()
    assert evidence.cost == pytest.approx(PRICE.of(usage_of(model.asked[0], 16)))
    assert len(evidence.prompt_hash) == 64
    assert "Fifi" in model.asked[0].messages[0].content
    assert model.asked[0].messages[0].content.endswith("Mention our club.")


def usage_of(ask: Ask, words: int) -> Usage:
    """As the scripted model counts."""
    return Usage(sum(len(one.content.split()) for one in ask.messages), words, is_estimated=True)


async def test_it_answers_in_the_language_of_the_visitor(shop: Database) -> None:
    model = saying("签收后 30 天内可以退货【1】。")
    answer, _ = await heard(answerer_of(shop, model), turn("怎么退货？", "en"))
    assert (answer.text, answer.answered, answer.sources[0].title) == ("签收后 30 天内可以退货。", True, "退货")
    assert "Reply in Simplified Chinese" in model.asked[0].messages[0].content


@pytest.mark.parametrize(
    "said",
    [
        "You may return goods within 90 days [1].",
        "You may return goods within 30 days of delivery.",
        "You may return goods within 30 days of delivery [9].",
        "Ask the president of the moon about his opinion [1].",
        "",
    ],
    ids=["a wrong number", "no passage named", "no such passage", "other words", "nothing"],
)
async def test_what_no_passage_says_is_taken_back(shop: Database, said: str) -> None:
    answer, shown = await heard(answerer_of(shop, saying(said)), turn("How do I return something?"))
    assert (answer.text, answer.answered, answer.sources) == (wording.UNKNOWN["en"], False, ())
    assert answer.evidence.refused == said
    assert len(shown) == 1 + bool(said)
    assert all(claim.doubt for claim in answer.evidence.claims)


async def test_a_model_that_does_not_know_says_so_in_our_words_and_its_own_are_not_shown(shop: Database) -> None:
    model = saying(f"{NO_ANSWER}\nbecause I cannot find it")
    answer, shown = await heard(answerer_of(shop, model), turn("How do I return something?"))
    assert (answer.text, answer.answered, shown) == (wording.UNKNOWN["en"], False, [wording.UNKNOWN["en"]])
    said = Said("assistant", answer.text)
    again, _ = await heard(answerer_of(shop, model), turn("How do I return something?", "en", said))
    assert again.text == wording.STILL_UNKNOWN["en"]


async def test_no_model_is_asked_where_there_is_nothing_to_answer_from(shop: Database) -> None:
    model = saying("Hi [1].")
    for question in ("hello", "I want to talk to a human", "zzxqy"):
        await heard(answerer_of(shop, model), turn(question))
    assert model.asked == []


async def test_an_address_that_no_passage_has_is_not_shown(shop: Database) -> None:
    text = "Return goods within 30 days of delivery [1], see https://shop.example/returns or http://evil.example/x now."
    answer, _ = await heard(answerer_of(shop, saying(text)), turn("How do I return something?"))
    assert "https://shop.example/returns" in answer.text
    assert "evil.example" not in answer.text


async def test_a_model_that_fails_is_followed_by_the_next_and_the_last_by_the_knowledge(shop: Database) -> None:
    question = turn("How do I return something?")
    good = saying("Within 30 days of delivery [1].")
    answer, shown = await heard(answerer_of(shop, Breaking("You may ret"), good), question)
    assert (answer.text, shown[0]) == ("Within 30 days of delivery.", "You may ret")
    assert answer.evidence.fell_back_from == ("openai: cut",)
    answer, shown = await heard(answerer_of(shop, Breaking(), Breaking("You may")), question)
    assert (answer.evidence.provider, answer.answered) == ("builtin", True)
    assert answer.evidence.fell_back_from == ("openai: cut", "openai: cut")
    assert "30 days" in answer.text
    assert len(shown) == 2


@pytest.mark.parametrize(
    ("money", "provider"), [(1.0, "dear"), (0.1, "cheap"), (0.0, "builtin")], ids=["rich", "short", "broke"]
)
async def test_over_budget_a_cheaper_model_answers_and_then_the_knowledge(
    shop: Database, money: float, provider: str
) -> None:
    books = Books(shop, "UTC", {"dear": Price(1.0, 1000.0), "cheap": Price(1.0, 1.0), "script": Price(1.0, 1.0)})
    payer = Payer("default", "v", Budget(shop_day=Limit(money=money)))
    models = [Booked(saying(f"Within 30 days of delivery {name} [1]."), books, payer, "p", name) for name in DEAR_FIRST]
    answer, shown = await heard(answerer_of(shop, *models), turn("How do I return something?"))
    assert (answer.answered, len(shown)) == (True, 1)
    assert len(answer.evidence.fell_back_from) == [*DEAR_FIRST, "builtin"].index(provider)
    assert answer.evidence.provider == "builtin" if provider == "builtin" else provider in answer.text


async def test_when_nothing_works_the_visitor_is_told_so_and_shown_the_way_to_a_person(
    shop: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    answerer = answerer_of(shop, Breaking())

    async def busy(_: object, turn: Turn) -> Speech:
        if turn.question:
            raise Busy
        yield Delta("never")

    monkeypatch.setattr(BuiltinAnswerer, "answer", busy)
    answer, _ = await heard(answerer, turn("How do I return something?"))
    assert (answer.text, answer.answered) == (wording.SORRY["en"], False)
    assert answer.evidence.fell_back_from == ("openai: cut", "builtin: DATABASE_BUSY")


@pytest.mark.parametrize(("stopped", "text"), [("length", "Within 30 days of delivery…"), ("filter", None)])
async def test_an_answer_that_was_cut_short_is_marked(shop: Database, stopped: str, text: str | None) -> None:
    class Short:
        async def stream(self, ask: Ask) -> AsyncGenerator[Piece | Finished]:  # noqa: ARG002 - asked for by the port
            yield Piece("Within 30 days of delivery [1]")
            yield Finished("p", "m", Usage(1, 1, is_estimated=False), stopped)  # type: ignore[arg-type]  # a case

    answer, _ = await heard(answerer_of(shop, Short()), turn("How do I return something?"))
    assert (answer.text if text else answer.evidence.provider) == (text or "builtin")


class TestLive:
    """In the whole application, with a model that hangs, breaks or speaks."""

    @pytest.fixture
    def models(self) -> list[ChatModel]:
        return []

    @pytest.fixture
    def answerer(self, shop: Database, models: list[ChatModel]) -> Answerer:
        async def setup_of(_: Turn) -> Setup:
            return Setup(models)

        return ModelAnswerer(BuiltinAnswerer(shop), setup_of)

    async def test_a_newer_message_ends_the_wait_and_both_are_answered_once(
        self, visitor: Visitor, models: list[ChatModel]
    ) -> None:
        hanging = Hanging("You may return")
        models.append(hanging)
        await visitor.sees("stream.ready")
        await visitor.says("How do I return something?")
        await visitor.sees("answer.delta")
        models[:] = [model := saying("Within 30 days of delivery [1].")]
        await visitor.says("and how long")
        last = await visitor.says("can I send goods back?")
        async with asyncio.timeout(20):
            await hanging.is_closed.wait()
        await visitor.sees("answer.dropped")
        answer = await visitor.sees("message.posted", role="assistant")
        assert (answer["reply_to"], answer["content"]) == (last, "Within 30 days of delivery.")
        question = model.asked[-1].messages[-1].content
        assert "How do I return something?\nand how long\ncan I send goods back?" in question
        history = (await visitor.reads())["history"]
        assert [one["role"] for one in history] == ["user", "user", "user", "assistant"]

    async def test_a_stream_that_breaks_leaves_nothing_of_it(
        self, visitor: Visitor, agent: Agent, models: list[ChatModel]
    ) -> None:
        models.append(Breaking("You may return it after the full mo"))
        stream = await visitor.follows(visitor.name)
        await stream.sees("stream.ready")
        await visitor.says("How do I return something?")
        begun = await stream.sees("answer.delta")
        await stream.sees("answer.dropped", draft_id=begun["draft_id"])
        answer = await stream.sees("message.posted", role="assistant")
        assert answer["draft_id"] != begun["draft_id"]
        assert "full mo" not in answer["content"]
        assert "30 days" in answer["content"]
        watch = await agent.follows(visitor.name)
        evidence = await watch.sees("answer.evidenced")
        assert (evidence["provider"], evidence["fell_back_from"]) == ("builtin", ["openai: cut"])

    async def test_who_waits_for_the_whole_answer_is_told_that_it_begins_anew(
        self, visitor: Visitor, models: list[ChatModel]
    ) -> None:
        models.append(Breaking("You may return it after the full mo"))
        body = {"message": "How do I return something?", "user_id": visitor.name}
        text = (await visitor.post("/api/chat/stream", body)).text
        assert text.index("full mo") < text.index('"reset"') < text.index("30 days") < text.index('"done"')

    async def test_the_answer_waits_for_who_left(self, visitor: Visitor, models: list[ChatModel]) -> None:
        models.append(ScriptedModel(lambda _: "Within 30 days of delivery [1]. " * 4, pause=0.02))
        stream = await visitor.follows(visitor.name)
        await visitor.says("How do I return something?")
        await stream.sees("answer.delta")
        await stream.__aexit__(None, None, None)
        back = await visitor.follows(visitor.name)
        assert (await back.sees("message.posted", role="assistant"))["content"].count("30 days") == 4
