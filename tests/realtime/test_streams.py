"""The event stream of a session: what a reader gets, from where on, and how it ends."""

import asyncio
import random

import httpx2
import pytest
from fastapi import FastAPI

from actors import Agent, Caller, Stage, Visitor, Watch, code_of
from answering.held import HeldAnswerer
from kefu.answering.ports import Answerer
from kefu.kit.db import Database
from kefu.realtime import hub
from kefu.sessions import service
from kefu.sessions.post import post

GONE_BY = 6


@pytest.fixture
async def taken(visitor: Visitor, agent: Agent) -> Visitor:
    """A visitor whom the agent serves."""
    await agent.takes_over(visitor)
    return visitor


async def test_a_reader_gets_the_log_from_its_cursor_then_what_holds_now_then_what_comes(taken: Visitor) -> None:
    said = [await taken.says(f"message {n}") for n in range(3)]
    stream = await taken.follows(taken.name, f"?after={said[0]}")
    ready = await stream.sees("stream.ready", seq=said[-1], status="manual_live", epoch=1)
    assert stream.seqs == said[1:]
    assert stream.frames[-1] == ready
    said.append(await taken.says("live"))
    await stream.sees("message.posted", content="live")
    assert stream.seqs == said[1:]


async def test_last_event_id_goes_before_after(taken: Visitor) -> None:
    said = [await taken.says(f"message {n}") for n in range(3)]
    stream = await taken.follows(taken.name, "?after=0", **{"Last-Event-ID": str(said[1])})
    await stream.sees("stream.ready")
    assert stream.seqs == said[2:]


async def test_a_long_log_is_replayed_whole(app: FastAPI, taken: Visitor) -> None:
    for batch in range(12):
        posts = (post(app.state.db, taken.name, "hello", f"{batch}.{n}") for n in range(100))
        await asyncio.gather(*posts)
    stream = await taken.follows(taken.name)
    await stream.sees("stream.ready")
    assert stream.seqs == list(range(1, 1203))


async def test_an_event_looks_the_same_replayed_and_live(visitor: Visitor, agent: Agent) -> None:
    live = await visitor.follows(visitor.name)
    await visitor.says("in the box?", "m:1")
    await live.sees("message.posted", role="assistant")
    await visitor.asks_for_a_person()
    await agent.takes_over(visitor)
    await agent.says(visitor, "您好", "a.1")
    await agent.releases(visitor)
    await agent.closes(visitor)
    await live.sees("session.closed")
    replayed = await visitor.follows(visitor.name)
    await replayed.sees("session.closed")
    assert live.events == replayed.events
    question = next(event for event in live.events if event.get("client_msg_id") == "m:1")
    assert question["actor"] == {"kind": "visitor"}
    assert question["at"].endswith("Z")
    taken = next(event for event in live.events if event["type"] == "session.taken_over")
    assert taken["actor"] == {"kind": "agent", "id": agent.id, "name": "Mei"}
    assert (taken["agent"], taken["epoch"]) == ({"id": agent.id, "name": "Mei"}, 1)


async def test_every_follower_sees_every_event_once_and_in_order_whenever_it_joins(
    taken: Visitor, agent: Agent
) -> None:
    chance = random.Random(11)

    async def write(n: int) -> None:
        for i in range(20):
            await taken.says(f"{n}.{i}")

    async def join(who: Caller) -> Watch:
        await asyncio.sleep(chance.uniform(0, 0.8))
        return await who.follows(taken.name)

    writers = asyncio.gather(*(write(n) for n in range(10)))
    watches = await asyncio.gather(*(join(chance.choice([taken, agent])) for _ in range(30)))
    await writers
    everything = list(range(1, 203))
    for watch in watches:
        await watch.sees("message.posted", seq=everything[-1])
        assert watch.seqs == everything


async def test_what_is_internal_reaches_agents_and_never_the_visitor(visitor: Visitor, agent: Agent) -> None:
    of_visitor, of_agent = await visitor.follows(visitor.name), await agent.follows(visitor.name)
    for n in range(3):
        await visitor.says(f"question {n}")
        await of_visitor.sees("message.posted", role="assistant")
        await of_agent.sees("answer.evidenced")
    late = await visitor.follows(visitor.name)
    await late.sees("stream.ready", seq=10)
    for stream in (of_visitor, late):
        assert "answer.evidenced" not in {frame["type"] for frame in stream.frames}
        assert stream.seqs == [1, 2, 3, 5, 6, 8, 9]
    assert of_agent.seqs == list(range(1, 11))


class TestADraft:
    @pytest.fixture
    def held(self) -> HeldAnswerer:
        return HeldAnswerer("Yes, it is.")

    @pytest.fixture
    def answerer(self, held: HeldAnswerer) -> Answerer:
        return held

    async def test_a_late_joiner_gets_all_of_it_so_far(self, visitor: Visitor, held: HeldAnswerer) -> None:
        asked = await visitor.says("is it waterproof?")
        await held.begins()
        late = await visitor.follows(visitor.name)
        draft = await late.sees("answer.delta", reply_to=asked, offset=0, text="Yes, ")
        held.may_end.set()
        await late.sees("answer.delta", draft_id=draft["draft_id"], offset=5, text="it ")
        answer = await late.sees("message.posted", role="assistant", draft_id=draft["draft_id"])
        assert (answer["content"], answer["reply_to"], answer["answered"]) == ("Yes, it is.", asked, True)
        assert "answer.dropped" not in {frame["type"] for frame in late.frames}
        latest = await visitor.follows(visitor.name)
        await latest.sees("stream.ready")
        assert "answer.delta" not in {frame["type"] for frame in latest.frames}

    async def test_a_takeover_drops_it(self, visitor: Visitor, agent: Agent, held: HeldAnswerer) -> None:
        await visitor.says("is it waterproof?")
        draft = await visitor.sees("answer.delta")
        await agent.takes_over(visitor)
        held.may_end.set()
        await visitor.sees("answer.dropped", draft_id=draft["draft_id"])


async def test_typing_is_seen_by_those_who_look_and_kept_nowhere(taken: Visitor, agent: Agent) -> None:
    of_visitor, of_agent = await taken.follows(taken.name), await agent.follows(taken.name)
    await of_visitor.sees("stream.ready")
    await of_agent.sees("stream.ready")
    await taken.types()
    await of_agent.sees("typing", actor={"kind": "visitor"}, active=True)
    await agent.post(f"/api/sessions/{taken.name}/typing", {"active": False})
    await of_visitor.sees("typing", actor={"kind": "agent", "id": agent.id, "name": "Mei"}, active=False)
    late = await taken.follows(taken.name)
    await late.sees("stream.ready", seq=2)
    assert "typing" not in {frame["type"] for frame in late.frames}


async def test_a_cursor_beyond_the_log_begins_again(taken: Visitor) -> None:
    for cursor in (3, 10**9, 2**53, 10**16 - 1):
        stream = await taken.follows(taken.name, f"?after={cursor}")
        await stream.sees("stream.ready", seq=2)
        assert stream.seqs == [1, 2]


async def test_a_cursor_that_is_no_number_is_422(visitor: Visitor) -> None:
    for cursor in ("x", "-1", "1.5", "%2B1", "%EF%BC%91", "1" * 17, "0x1", "1%0A", "1%00"):
        answer = await visitor.get(f"/api/sessions/{visitor.name}/events?after={cursor}")
        assert (answer.status_code, code_of(answer)) == (422, "VALIDATION_FAILED"), cursor
        assert answer.json()["error"]["details"]["fields"][0]["field"] == "after"


async def test_only_the_visitor_of_the_session_and_agents_may_read(stage: Stage, visitor: Visitor) -> None:
    path, other, agent = f"/api/sessions/{visitor.name}/events", await stage.visitor(), await stage.agent()
    none = await stage.http.get(path)
    assert (none.status_code, code_of(none), none.headers["WWW-Authenticate"]) == (401, "TOKEN_REQUIRED", "Bearer")
    forged = await stage.http.get(path, headers={"Authorization": f"Bearer {visitor.token}x"})
    assert (forged.status_code, code_of(forged)) == (401, "TOKEN_INVALID")
    foreign = await other.get(path, **{"Accept-Language": "zh"})
    assert (foreign.status_code, code_of(foreign)) == (403, "FOREIGN_SESSION")
    assert foreign.json()["error"]["message"] == "该凭证不属于此会话。"
    for name in ("nobody", "a%00b", "x" * 81, "%E5%AE%A2"):
        unknown = await agent.get(f"/api/sessions/{name}/events")
        assert (unknown.status_code, code_of(unknown)) == (404, "SESSION_NOT_FOUND")
    desk = await visitor.get("/api/agent/events")
    assert (desk.status_code, code_of(desk)) == (403, "FORBIDDEN")


async def test_a_heartbeat_keeps_a_quiet_stream_open(visitor: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub, "HEARTBEAT_SECONDS", 1)
    stream = await visitor.follows(visitor.name)
    await stream.until(lambda: stream.comments >= 2, 4, "two heartbeats")
    assert len(stream.frames) == 2


async def test_when_the_server_stops_every_reader_hears_it(app: FastAPI, visitor: Visitor, agent: Agent) -> None:
    readers = [await visitor.follows(visitor.name), await agent.follows(visitor.name), await agent.watches_the_desk()]
    for reader in readers:
        await reader.sees("stream.ready")
    app.state.hub.drain()
    assert [await reader.ends(1) for reader in readers] == [{"type": "stream.ended", "reason": "restart"}] * 3
    again = await visitor.get(f"/api/sessions/{visitor.name}/events")
    assert (again.status_code, code_of(again), again.headers["Retry-After"]) == (503, "RESTARTING", "2")
    assert (await visitor.get("/api/health/ready")).status_code == 503


async def test_what_the_bus_loses_is_found_in_the_log(
    app: FastAPI, taken: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    stream = await taken.follows(taken.name)
    await stream.sees("stream.ready")
    with monkeypatch.context() as deaf:
        deaf.setattr(app.state.bus, "publish", lambda _: None)
        for n in range(3):
            await taken.says(f"lost {n}")
    await stream.sees("message.posted", GONE_BY, content="lost 2")
    assert stream.seqs == [1, 2, 3, 4, 5]


async def test_a_gap_on_the_bus_is_filled_at_once_and_in_order(
    app: FastAPI, taken: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    stream = await taken.follows(taken.name)
    await stream.sees("stream.ready")
    with monkeypatch.context() as deaf:
        deaf.setattr(app.state.bus, "publish", lambda _: None)
        await taken.says("lost")
    await taken.says("heard")
    await stream.sees("message.posted", 0.8, content="heard")
    assert stream.seqs == [1, 2, 3, 4]


async def test_what_another_process_writes_is_seen(db: Database, taken: Visitor) -> None:
    stream = await taken.follows(taken.name)
    await stream.sees("stream.ready")
    await post(db, taken.name, "from elsewhere", "other-1")
    await stream.sees("message.posted", GONE_BY, content="from elsewhere")
    async with db.write() as tx:
        await service.close(tx, taken.name, service.Member("x", "X", is_lead=True), "done")
    await stream.sees("session.closed", GONE_BY)
    assert stream.seqs == [1, 2, 3, 4]


async def test_a_stream_is_for_get_alone(client: httpx2.AsyncClient) -> None:
    for path in ("/api/sessions/s_nobody/events", "/api/agent/events"):
        assert (await client.head(path)).status_code == 405
        assert (await client.post(path)).status_code == 405
