"""What the bot did not know is collected, told together, and answered."""

import asyncio
from functools import partial
from typing import Any

import pytest

from actors import Agent, Stage, Visitor, code_of, data_of
from faults.waiting import until
from kefu.answering.builtin import BuiltinAnswerer
from kefu.answering.ports import Answerer
from kefu.answering.unanswered import FOLLOWER, collect_questions
from kefu.kit.db import Database
from kefu.sessions.work import CollectQuestions
from routing.scene import is_followed, run_recurring

QUESTIONS = "/api/knowledge/questions"


@pytest.fixture
def answerer(db: Database) -> Answerer:
    return BuiltinAnswerer(db)


async def asks(visitor: Visitor, question: str) -> int:
    """The seq of the bot's reply."""
    seq = await visitor.says(question)
    reply: int = (await visitor.sees("message.posted", role="assistant", reply_to=seq))["seq"]
    return reply


async def collected(db: Database, who: Agent, query: str = "") -> list[dict[str, Any]]:
    """Those there are when the log was followed to its end, by several at once."""
    work = partial(collect_questions, db)
    await asyncio.gather(*(run_recurring(db, CollectQuestions(), work) for _ in range(2)))
    await until(lambda: is_followed(db, FOLLOWER), 30)
    found: list[dict[str, Any]] = data_of(await who.get(f"{QUESTIONS}{query}"))["questions"]
    return found


async def test_what_nobody_could_answer_is_counted_and_leads_to_its_sessions(db: Database, stage: Stage) -> None:
    lin, first, second = await stage.agent("lin", "supervisor"), await stage.visitor(), await stage.visitor()
    await asks(first, "Hello")
    one = await asks(first, "Can I fold the bike? Write to mei@example.com")
    other = await asks(second, "the BIKE: mei@example.com, can I fold and write to it?!")
    await asks(second, "可以折叠吗？")
    found = await collected(db, lin)
    assert [(row["times"], row["lang"], row["status"]) for row in found] == [(2, "en", "open"), (1, "zh", "open")]
    fold, folding = found
    assert "fold" in fold["asked"]
    assert "mei@example.com" not in fold["asked"]
    assert folding["asked"] == "可以折叠吗？"
    places = {(row["session"], row["seq"]) for row in fold["examples"]}
    assert places == {(first.name, one), (second.name, other)}
    assert await collected(db, lin) == found

    article = {"lang": "en", "title": "Folding", "body": "It folds in ten seconds."}
    written = data_of(await lin.post("/api/knowledge/articles", article), 201)
    linked = data_of(await lin.put(f"{QUESTIONS}/{fold['id']}", {"status": "linked", "article_id": written["id"]}))
    assert (linked["status"], linked["article_id"]) == ("linked", written["id"])
    data_of(await lin.put(f"{QUESTIONS}/{folding['id']}", {"status": "dismissed"}))
    assert await collected(db, lin, "?status=open") == []
    await asks(await stage.visitor(), "可以折叠吗")
    assert [(row["times"], row["status"]) for row in await collected(db, lin, "?lang=zh")] == [(2, "dismissed")]
    assert data_of(await lin.put(f"{QUESTIONS}/{folding['id']}", {"status": "open"}))["status"] == "open"
    page = data_of(await lin.get(f"{QUESTIONS}?limit=1"))
    rest = data_of(await lin.get(f"{QUESTIONS}?limit=1&cursor={page['next_cursor']}"))
    assert {page["questions"][0]["id"], rest["questions"][0]["id"]} == {fold["id"], folding["id"]}


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_a_question_whose_reply_was_withheld_counts_too(stage: Stage, db: Database) -> None:
    lin, visitor = await stage.agent("lin", "supervisor"), await stage.visitor()
    for question in ("Do you sell tents?", "Do you sell boats?"):
        await asks(visitor, question)
    await visitor.says("Do you sell planes?")
    await visitor.sees("session.escalated")
    assert "Do you sell planes?" in {row["asked"] for row in await collected(db, lin)}


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_what_is_wrong_about_a_question_is_told(stage: Stage, db: Database) -> None:
    lin, mei, visitor = await stage.agent("lin", "supervisor"), await stage.agent("mei"), await stage.visitor()
    await asks(visitor, "Can I fold the bike?")
    (question,) = await collected(db, lin)
    place = f"{QUESTIONS}/{question['id']}"
    for body in ({}, {"status": "lost"}, {"status": "linked"}, {"status": "open", "article_id": "art_0"}):
        assert code_of(await lin.put(place, body)) == "VALIDATION_FAILED"
    assert code_of(await lin.put(place, {"status": "linked", "article_id": "art_0"})) == "ARTICLE_NOT_FOUND"
    assert code_of(await lin.put(f"{QUESTIONS}/uq_0", {"status": "open"})) == "QUESTION_NOT_FOUND"
    assert code_of(await mei.put(place, {"status": "open"})) == "FORBIDDEN"
    assert (await mei.get(QUESTIONS)).status_code == 200
    assert (await visitor.get(QUESTIONS)).status_code == 403
    # What others hold is none of her business; the question is.
    assert [one["session"] for one in data_of(await mei.get(QUESTIONS))["questions"][0]["examples"]] == [visitor.name]
    await lin.takes_over(visitor)
    assert data_of(await mei.get(QUESTIONS))["questions"] == [question | {"examples": []}]
    assert data_of(await lin.get(QUESTIONS))["questions"] == [question]
    for query in ("status=lost", "cursor=x", "limit=0", "lang=fr"):
        assert (await lin.get(f"{QUESTIONS}?{query}")).status_code == 422
