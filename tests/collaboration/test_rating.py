"""The visitor says once what they think of the people who served them, up to a day after the end."""

import asyncio

import httpx2
import pytest
from sqlalchemy import select, update

from actors import Agent, Stage, Visitor, code_of, data_of
from answering.held import HeldAnswerer
from kefu.kit.db import Database
from kefu.sessions.models import Episode, Stint
from kefu.sessions.states import Move
from sessions.records import bring, log_of

DAY = 24 * 3_600_000


async def rates(visitor: Visitor, score: object = 5, **more: object) -> httpx2.Response:
    return await visitor.post(f"/api/sessions/{visitor.name}/rating", {"score": score, **more})


async def served(visitor: Visitor, agent: Agent) -> None:
    await agent.takes_over(visitor)
    await agent.says(visitor, "Hello")
    await agent.releases(visitor)


async def scores(db: Database, name: str) -> tuple[list[int | None], list[tuple[str, int | None]]]:
    """Of the episodes, and of the stints with whose they are."""
    async with db.read() as tx:
        episodes = await tx.scalars(select(Episode.rating).where(Episode.session == name).order_by(Episode.number))
        stints = select(Stint.agent_id, Stint.rating).where(Stint.session == name).order_by(Stint.seq)
        return list(episodes), [(agent, score) for agent, score in await tx.execute(stints)]


async def test_a_rating_stands_in_the_episode_the_last_stint_and_everywhere_agents_look(
    db: Database, visitor: Visitor, agent: Agent
) -> None:
    desk = await agent.watches_the_desk()
    await agent.takes_over(visitor)
    await bring(db, visitor.name, Move.TRANSFER, Move.RELEASE)
    reasons = {one["id"]: one for one in data_of(await visitor.get(f"/api/sessions/{visitor.name}/rating"))["reasons"]}
    assert reasons["quick"]["is_praise"]
    assert not reasons["slow"]["is_praise"]
    answer = await rates(visitor, 4, comment="  Danke! 谢谢 <b>  ", reasons=["quick", "friendly", "quick"])
    rating = data_of(answer, 201)
    assert (rating["score"], rating["comment"], rating["reasons"]) == (4, "Danke! 谢谢 <b>", ["quick", "friendly"])
    assert await scores(db, visitor.name) == ([4], [(agent.id, None), ("agent_2", 4)])
    assert (await agent.reads(visitor))["rating"] == 4
    listed = data_of(await agent.get("/api/sessions"))["sessions"]
    assert [one["rating"] for one in listed] == [4]
    await desk.until(
        lambda: any(one["type"] == "session.changed" and one["session"]["rating"] == 4 for one in desk.frames)
    )
    for who in (agent, visitor):
        found = data_of(await who.get(f"/api/sessions/{visitor.name}/rating"))
        assert found["ratings"] == [rating]
        assert found["is_open"] is False
    assert (await visitor.sees("session.rated"))["score"] == 4


async def test_one_episode_is_rated_once_also_by_two_clicks_at_once_and_the_next_one_again(
    db: Database, visitor: Visitor, agent: Agent
) -> None:
    await served(visitor, agent)
    answers = await asyncio.gather(*(rates(visitor, score) for score in (1, 2, 3, 4, 5)))
    first, *others = sorted(answers, key=lambda one: one.status_code)
    assert {code_of(one) for one in others} == {"ALREADY_RATED"}
    given = data_of(first, 201)["score"]
    assert {one.json()["error"]["details"]["score"] for one in others} == {given}
    await agent.takes_over(visitor)
    await agent.closes(visitor)
    data_of(await rates(visitor, 2), 201)
    assert (await scores(db, visitor.name))[0] == [given, 2]
    assert [one.facts["episode"] for one in await log_of(db, visitor.name) if one.type == "session.rated"] == [1, 2]


async def test_before_a_person_has_served_and_gone_there_is_nothing_to_rate(visitor: Visitor, agent: Agent) -> None:
    assert code_of(await rates(visitor)) == "NOT_RATABLE"
    await visitor.asks_for_a_person()
    assert code_of(await rates(visitor)) == "NOT_RATABLE"
    await agent.takes_over(visitor)
    refused = await rates(visitor)
    assert (refused.status_code, code_of(refused)) == (409, "NOT_RATABLE")
    await agent.releases(visitor)
    data_of(await rates(visitor), 201)


async def test_a_session_that_ended_without_a_person_is_not_rated(visitor: Visitor, agent: Agent) -> None:
    await visitor.asks_for_a_person()
    await agent.closes(visitor)
    assert code_of(await rates(visitor)) == "NOT_RATABLE"


async def test_whatever_happens_next_the_old_episode_may_be_rated_for_a_day(
    db: Database, visitor: Visitor, agent: Agent
) -> None:
    await agent.takes_over(visitor)
    await agent.closes(visitor)
    await visitor.says("One more thing")
    await visitor.asks_for_a_person()
    await agent.takes_over(visitor)
    ended = update(Episode).where(Episode.number == 1)
    async with db.write() as tx:
        await tx.execute(ended.values(ended_at=Episode.ended_at - DAY - 60_000))
    assert code_of(await rates(visitor)) == "NOT_RATABLE"
    async with db.write() as tx:
        await tx.execute(ended.values(ended_at=Episode.ended_at + 120_000))
    data_of(await rates(visitor, 3), 201)
    assert (await scores(db, visitor.name))[0] == [3, None]


@pytest.mark.parametrize("answerer", [HeldAnswerer()])
async def test_a_rating_does_not_silence_the_bot_in_the_middle_of_an_answer(
    answerer: HeldAnswerer, visitor: Visitor, agent: Agent
) -> None:
    answerer.has_begun, answerer.may_end = asyncio.Event(), asyncio.Event()
    await served(visitor, agent)
    await visitor.says("And the battery?")
    await answerer.begins()
    data_of(await rates(visitor, 5), 201)
    answerer.may_end.set()
    await visitor.sees("message.posted", role="assistant", content="Yes, it is.")


WRONG: list[dict[str, object]] = [
    {"score": 0},
    {"score": 6},
    {"score": "5"},
    {"score": 4.5},
    {"score": None},
    {"score": 5, "comment": "x" * 501},
    {"score": 5, "comment": "\x00"},
    {"score": 5, "reasons": ["because"]},
    {"score": 5, "reasons": ["quick"] * 6},
]


async def test_a_wrong_rating_is_refused_with_the_field(visitor: Visitor) -> None:
    for wrong in WRONG:
        refused = await visitor.post(f"/api/sessions/{visitor.name}/rating", wrong)
        assert (refused.status_code, code_of(refused)) == (422, "VALIDATION_FAILED"), wrong


async def test_nobody_but_the_visitor_rates(stage: Stage, visitor: Visitor, agent: Agent) -> None:
    await served(visitor, agent)
    path = f"/api/sessions/{visitor.name}/rating"
    assert code_of(await agent.post(path, {"score": 5})) == "FORBIDDEN"
    stranger = await stage.visitor()
    assert code_of(await stranger.post(path, {"score": 5})) == "FOREIGN_SESSION"
    assert code_of(await stranger.get(path)) == "FOREIGN_SESSION"
    assert (await stage.http.post(path, json={"score": 5})).status_code == 401
    assert code_of(await agent.get("/api/sessions/nowhere/rating")) == "SESSION_NOT_FOUND"
