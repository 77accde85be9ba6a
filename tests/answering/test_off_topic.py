"""Who asks on and on what the shop does not know is offered a person, and costs no more searches."""

from collections.abc import AsyncGenerator
from dataclasses import replace

import pytest
from sqlalchemy import update

from actors import Agent, Visitor, data_of
from kefu.answering.off_topic import IN_A_ROW, OFFER
from kefu.answering.ports import Answer, Answerer, Delta, Turn
from kefu.answering.scripted import ScriptedAnswerer
from kefu.kit.db import Database
from kefu.log.models import Event
from kefu.sessions.models import stream_of
from kefu.supervision.models import PolicyVersion

SAID = "Who knows?"


class Ignorant:
    """Knows of bikes only. `asked`: every question that came to it."""

    def __init__(self) -> None:
        self._script = ScriptedAnswerer(SAID, pause=0)
        self.asked: list[str] = []

    async def answer(self, turn: Turn) -> AsyncGenerator[Delta | Answer]:
        self.asked.append(turn.question)
        async for piece in self._script.answer(turn):
            yield replace(piece, answered="bike" in turn.question) if isinstance(piece, Answer) else piece


@pytest.fixture
def answerer() -> Answerer:
    return Ignorant()


@pytest.fixture(autouse=True)
async def _unwatched(db: Database) -> None:
    """Without policies: those that a team begins with bring a person after the third."""
    async with db.write() as tx:
        nothing = {"policies": [], "note": "", "published_at": 0, "published_by": "", "publisher_name": ""}
        tx.add(PolicyVersion(number=1, **nothing))


async def asks(visitor: Visitor, question: str) -> tuple[str, bool]:
    """The answer, and whether it is one."""
    answer = data_of(await visitor.post("/api/chat", {"message": question, "user_id": visitor.name}))
    return answer["message"], answer["answered"]


async def let_time_pass(db: Database, visitor: Visitor, minutes: int) -> None:
    async with db.write() as tx:
        log = update(Event).where(Event.stream == stream_of(visitor.name))
        await tx.execute(log.values(at=Event.at - minutes * 60_000))


async def test_after_ten_misses_in_ten_minutes_a_person_is_offered_and_nothing_asked(
    visitor: Visitor, answerer: Ignorant, db: Database
) -> None:
    for n in range(IN_A_ROW):
        assert await asks(visitor, f"who won in {n}?") == (SAID, False)
    for question in ("who won in 11?", "which bike is right for me?"):
        assert await asks(visitor, question) == (OFFER["en"], False)
    assert len(answerer.asked) == IN_A_ROW

    await let_time_pass(db, visitor, 11)

    assert await asks(visitor, "which bike is right for me?") == (SAID, True)
    assert await asks(visitor, "who won in 12?") == (SAID, False)


async def test_an_answer_or_a_person_between_begins_the_count_anew(visitor: Visitor, agent: Agent) -> None:
    for _ in range(2):
        for n in range(IN_A_ROW - 1):
            assert await asks(visitor, f"who won in {n}?") == (SAID, False)
        assert await asks(visitor, "which bike?") == (SAID, True)
    for n in range(IN_A_ROW):
        await asks(visitor, f"who won in {n}?")
    assert await asks(visitor, "which bike?") == (OFFER["en"], False)
    await agent.takes_over(visitor)
    await agent.says(visitor, "I do not know either.")
    await agent.releases(visitor)
    assert await asks(visitor, "which bike?") == (SAID, True)
