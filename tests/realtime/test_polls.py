"""Long polling: one answer with what there is, or with the next thing that happens."""

import asyncio
import time
from typing import Any

import pytest
from fastapi import FastAPI

from actors import Agent, Caller, Visitor, code_of, data_of
from answering.held import HeldAnswerer
from kefu.answering.ports import Answerer
from kefu.realtime.follower import QUEUE_LIMIT
from kefu.realtime.hub import ephemeral
from kefu.sessions.models import stream_of
from kefu.sessions.post import post

LONG = 20


@pytest.fixture
async def taken(visitor: Visitor, agent: Agent) -> Visitor:
    """A visitor whom the agent serves: two events."""
    await agent.takes_over(visitor)
    return visitor


async def polls(who: Caller, name: str, after: int = 0, wait: int = LONG) -> Any:
    return data_of(await who.get(f"/api/sessions/{name}/events?after={after}&wait={wait}"))


async def waits(app: FastAPI, who: Caller, name: str, after: int) -> asyncio.Task[Any]:
    """A poll that hangs at the server."""
    before = app.state.hub.count()
    asking = asyncio.create_task(polls(who, name, after))
    async with asyncio.timeout(10):
        while app.state.hub.count() == before:  # noqa: ASYNC110 - nobody rings a bell when a follower joins
            await asyncio.sleep(0.01)
    return asking


def seqs(answer: Any) -> list[int]:
    return [event["seq"] for event in answer["events"]]


async def test_what_is_there_is_told_at_once(taken: Visitor, agent: Agent) -> None:
    await taken.says("hello")
    began = time.monotonic()
    answer = await polls(taken, taken.name, 1)
    assert time.monotonic() - began < LONG / 2
    assert seqs(answer) == [2, 3]
    assert (answer["seq"], answer["status"], answer["epoch"], answer["passing"]) == (3, "manual_live", 1, [])
    stream = await agent.follows(taken.name)
    await stream.sees("stream.ready")
    assert (await polls(agent, taken.name))["events"] == stream.events


async def test_it_waits_for_the_next_event(app: FastAPI, taken: Visitor, agent: Agent) -> None:
    asking = await waits(app, taken, taken.name, 2)
    await agent.closes(taken)
    answer = await asyncio.wait_for(asking, 10)
    assert seqs(answer) == [3]
    assert (answer["seq"], answer["status"], answer["epoch"]) == (3, "closed", 2)
    assert app.state.hub.count() == 0


async def test_without_news_it_answers_with_nothing_when_the_time_is_up(taken: Visitor) -> None:
    for wait in (0, 1):
        began = time.monotonic()
        answer = await polls(taken, taken.name, 2, wait)
        assert time.monotonic() - began >= wait
        assert (answer["events"], answer["seq"], answer["passing"]) == ([], 2, [])


async def test_a_visitor_does_not_hear_what_is_internal(visitor: Visitor, agent: Agent) -> None:
    stream = await agent.follows(visitor.name)
    await visitor.says("in the box?")
    await stream.sees("answer.evidenced")
    of_visitor, of_agent = await polls(visitor, visitor.name), await polls(agent, visitor.name)
    assert (seqs(of_visitor), of_visitor["seq"]) == ([1, 2, 3], 4)
    assert (seqs(of_agent), of_agent["seq"]) == ([1, 2, 3, 4], 4)


async def test_typing_passes_while_it_waits(app: FastAPI, taken: Visitor, agent: Agent) -> None:
    asking = await waits(app, taken, taken.name, 2)
    await agent.post(f"/api/sessions/{taken.name}/typing", {"active": True})
    answer = await asyncio.wait_for(asking, 10)
    mei = {"kind": "agent", "id": agent.id, "name": "Mei"}
    assert answer["passing"] == [{"type": "typing", "actor": mei, "active": True}]
    assert (answer["events"], answer["seq"]) == ([], 2)


async def test_more_at_once_than_it_holds_is_read_from_the_log(app: FastAPI, taken: Visitor) -> None:
    asking = await waits(app, taken, taken.name, 2)
    for _ in range(2 * QUEUE_LIMIT):
        app.state.bus.publish(ephemeral(stream_of(taken.name), "typing", active=True))
    answer = await asyncio.wait_for(asking, 10)
    assert (answer["events"], answer["seq"], answer["status"]) == ([], 2, "manual_live")


async def test_the_place_in_the_queue_is_told(visitor: Visitor) -> None:
    await visitor.asks_for_a_person()
    answer = await polls(visitor, visitor.name)
    assert answer["passing"] == [{"type": "queue.position", "position": 1, "waiting": 1, "estimate_seconds": None}]


class TestADraft:
    @pytest.fixture
    def held(self) -> HeldAnswerer:
        return HeldAnswerer("Yes, it is.")

    @pytest.fixture
    def answerer(self, held: HeldAnswerer) -> Answerer:
        return held

    async def test_is_told_whole(self, visitor: Visitor, held: HeldAnswerer) -> None:
        asked = await visitor.says("is it waterproof?")
        await held.begins()
        answer = await polls(visitor, visitor.name, asked, 0)
        (draft,) = answer["passing"]
        assert (draft["type"], draft["reply_to"], draft["offset"], draft["text"]) == ("answer.delta", asked, 0, "Yes, ")
        held.may_end.set()


async def test_a_long_log_comes_in_pages(app: FastAPI, taken: Visitor) -> None:
    for batch in range(6):
        await asyncio.gather(*(post(app.state.db, taken.name, "hello", f"{batch}.{n}") for n in range(100)))
    first = await polls(taken, taken.name)
    assert (seqs(first), first["seq"]) == (list(range(1, 501)), 500)
    second = await polls(taken, taken.name, first["seq"])
    assert (seqs(second), second["seq"]) == (list(range(501, 603)), 602)
    beyond = await polls(taken, taken.name, 10**9)
    assert seqs(beyond) == seqs(first)


async def test_when_the_server_stops_it_answers_at_once(app: FastAPI, taken: Visitor) -> None:
    asking = await waits(app, taken, taken.name, 2)
    app.state.hub.drain()
    answer = await asyncio.wait_for(asking, 5)
    assert (answer["events"], answer["seq"]) == ([], 2)
    again = await taken.get(f"/api/sessions/{taken.name}/events?wait=20")
    assert (again.status_code, code_of(again)) == (503, "RESTARTING")


async def test_a_wait_that_is_no_number_of_seconds_is_422(visitor: Visitor) -> None:
    for wait in ("", "x", "-1", "1.5", "31", "9" * 20):
        answer = await visitor.get(f"/api/sessions/{visitor.name}/events?wait={wait}")
        assert (answer.status_code, code_of(answer)) == (422, "VALIDATION_FAILED"), wait
        assert answer.json()["error"]["details"]["fields"][0]["field"] == "wait"


async def test_only_who_may_read_may_wait(visitor: Visitor, agent: Agent) -> None:
    other = await visitor.stage.visitor()
    foreign = await other.get(f"/api/sessions/{visitor.name}/events?wait=1")
    assert (foreign.status_code, code_of(foreign)) == (403, "FOREIGN_SESSION")
    unknown = await agent.get("/api/sessions/s_nobody/events?wait=1")
    assert (unknown.status_code, code_of(unknown)) == (404, "SESSION_NOT_FOUND")
