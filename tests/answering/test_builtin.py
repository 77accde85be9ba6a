"""The retrieval answerer says what the knowledge says, with its source, or that it does not know."""

from collections.abc import Sequence

import pytest
from sqlalchemy import select

from kefu.answering import wording
from kefu.answering.builtin import BuiltinAnswerer, pieces
from kefu.answering.ports import Answer, Delta, Said, Turn
from kefu.kit.db import Database
from kefu.kit.i18n import Locale
from kefu.knowledge.models import Article
from kefu.knowledge.passages import plain
from kefu.knowledge.service import Content, change_article, publish_article, put_published

RETURNS = Content(
    "en",
    "Returning goods",
    "You may return goods within 30 days.\n\nSend them to our warehouse in Lille with the form from the parcel.\n\n"
    + "Large goods are collected by a carrier. " * 30,
    "returns",
    questions=["How do I return something?", "How long can I send goods back?"],
)
HATS = Content("en", "Hats", "Hats come in blue.", "hats", questions=["Which colours do hats have?"])
RETURNS_ZH = Content("zh", "退货", "30 天内可以退货。", "returns", questions=["怎么退货？", "退货期限多久？"])


async def ask(db: Database, question: str, locale: Locale = "en", history: Sequence[Said] = ()) -> Answer:
    """The answer, after a check that the deltas add up to it."""
    turn = Turn(shop="default", locale=locale, question=question, session_name="s", history=history)
    heard = [piece async for piece in BuiltinAnswerer(db).answer(turn)]
    answer = heard[-1]
    assert isinstance(answer, Answer)
    assert "".join(piece.text for piece in heard[:-1] if isinstance(piece, Delta)) == answer.text
    assert answer.evidence.answered == answer.answered
    return answer


@pytest.fixture
async def shop(db: Database) -> Database:
    async with db.write() as tx:
        await put_published(tx, "default", [RETURNS, HATS, RETURNS_ZH])
    return db


async def test_an_answer_is_the_passages_own_words_with_its_source(shop: Database) -> None:
    answer = await ask(shop, "How do I return something?")
    assert answer.answered
    assert "You may return goods within 30 days." in answer.text
    assert len(answer.text) <= 600
    assert all(paragraph in RETURNS.body for paragraph in answer.text.split("\n\n"))
    source = answer.sources[0]
    assert source.title == "Returning goods"
    assert source.url == f"/articles/{source.article_id}?v=1"
    assert plain(RETURNS.body).startswith(source.excerpt.rstrip("…"))
    passage = answer.evidence.passages[0]
    assert (passage.passage_id, passage.version) == (source.passage_id, 1)
    assert passage.text in RETURNS.body


async def test_it_answers_in_the_language_of_the_question(shop: Database) -> None:
    assert (await ask(shop, "退货期限多久", "en")).text == "30 天内可以退货。"
    assert "30 days" in (await ask(shop, "How long can I send goods back?", "zh")).text


@pytest.mark.parametrize(
    ("question", "locale"), [("Who won the cup final?", "en"), ("今天天气怎么样", "zh"), ("???", "en")]
)
async def test_what_the_knowledge_does_not_say_is_refused_honestly(
    shop: Database, question: str, locale: Locale
) -> None:
    answer = await ask(shop, question, locale)
    assert not answer.answered
    assert answer.sources == ()
    assert answer.text == wording.UNKNOWN[locale]
    again = await ask(shop, question, locale, [Said("user", "x"), Said("assistant", answer.text)])
    assert again.text == wording.STILL_UNKNOWN[locale]


async def test_an_empty_shop_knows_nothing(db: Database) -> None:
    answer = await ask(db, "How do I return something?")
    assert not answer.answered
    assert answer.evidence.knowledge_version == 0


@pytest.mark.parametrize("question", ["hi", "Hello!", "thanks a lot :)", "你好", "谢谢啦～", "在吗？", "Bye"])
async def test_small_talk_is_answered_without_sources(shop: Database, question: str) -> None:
    answer = await ask(shop, question)
    assert answer.answered
    assert answer.sources == ()


@pytest.mark.parametrize(
    "question",
    ["转人工", "我要找真人客服", "Can I talk to a human please", "I want an agent", "let me speak with someone"],
)
async def test_who_wants_a_person_is_shown_the_button(shop: Database, question: str) -> None:
    answer = await ask(shop, question)
    assert not answer.answered
    assert answer.text in wording.TO_A_PERSON.values()


@pytest.mark.parametrize("question", ["hi, how do I return something?", "thanks, and how do I return something?"])
async def test_a_greeting_before_a_question_does_not_hide_it(shop: Database, question: str) -> None:
    assert (await ask(shop, question)).sources


async def test_a_question_that_leans_on_the_last_one_is_read_with_it(shop: Database) -> None:
    history = [Said("user", "Which colours do hats have?"), Said("assistant", "Hats come in blue.")]
    assert not (await ask(shop, "and how many?")).answered
    assert (await ask(shop, "and how many?", history=history)).text == "Hats come in blue."


async def test_the_evidence_stays_true_when_the_article_changes(shop: Database) -> None:
    before = (await ask(shop, "Which colours do hats have?")).evidence
    async with shop.write() as tx:
        article = (await tx.execute(select(Article).where(Article.slug == "hats"))).scalar_one()
        await change_article(tx, article.id, 1, {"body": "Hats come in red."}, "lin")
        await publish_article(tx, article.id, 2, "wang")
    after = await ask(shop, "Which colours do hats have?")
    assert after.text == "Hats come in red."
    assert before.passages[0].text == "Hats come in blue."
    assert before.passages[0].text_hash != after.evidence.passages[0].text_hash
    assert after.evidence.knowledge_version == before.knowledge_version + 1
    assert after.sources[0].url.endswith("?v=2")


def test_pieces_are_short_and_join_to_the_text() -> None:
    text = "One, two, three. " * 20 + "\n\n- a list\n- of things\n\n" + "一二三，四五六。" * 20 + "x" * 200
    parts = list(pieces(text))
    assert "".join(parts) == text
    assert len(parts) > 20
