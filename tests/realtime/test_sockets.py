"""WebSockets: the streams' objects over another wire, a way up, and what is refused."""

import asyncio
from typing import Any

import httpx2
import orjson
import pytest
from fastapi import FastAPI
from websockets.exceptions import InvalidStatus
from websockets.typing import Subprotocol

from actors import Agent, Stage, Visitor
from kefu.kit.db import Database
from kefu.realtime import hub, sockets
from kefu.realtime.server import FRAME_BYTES
from kefu.sessions.post import post
from kefu.shops.origins import Origins
from realtime.socket_watch import SocketWatch, connects, dial


@pytest.fixture
async def taken(visitor: Visitor, agent: Agent) -> Visitor:
    """A visitor whom the agent serves."""
    await agent.takes_over(visitor)
    return visitor


async def refused(http: httpx2.AsyncClient, path: str, **options: object) -> tuple[int, str]:
    """The HTTP answer to a handshake that is not accepted: status and code."""
    with pytest.raises(InvalidStatus) as refusal:
        async with dial(http, path, **options):
            pass
    answer = refusal.value.response
    return answer.status_code, orjson.loads(answer.body)["error"]["code"]


async def test_a_socket_and_a_stream_say_the_same(visitor: Visitor, agent: Agent) -> None:
    socket, stream = await connects(visitor, visitor.name), await visitor.follows(visitor.name)
    inside, beside = await connects(agent, visitor.name), await agent.follows(visitor.name)
    await visitor.says("in the box?", "m:1")
    await socket.sees("message.posted", role="assistant")
    await visitor.asks_for_a_person()
    await agent.takes_over(visitor)
    await agent.says(visitor, "您好", "a.1")
    await agent.closes(visitor)
    for one in (socket, stream, inside, beside):
        await one.sees("session.closed")
    assert socket.events == stream.events
    assert inside.events == beside.events
    assert "answer.evidenced" in {event["type"] for event in inside.events} - {event["type"] for event in socket.events}
    replayed = await connects(agent, visitor.name)
    await replayed.sees("stream.ready", status="closed")
    assert replayed.events == inside.events


async def test_a_cut_socket_resumes_by_its_cursor(taken: Visitor) -> None:
    seen: list[int] = []
    for n in range(4):
        socket = await connects(taken, taken.name, after=seen[-1] if seen else 0)
        await socket.sees("stream.ready")
        last = await taken.says(f"live {n}")
        await socket.sees("message.posted", seq=last)
        seen += socket.seqs
        assert socket.socket
        socket.socket.transport.abort()
        await taken.says(f"while it is cut {n}")
    resumed = await connects(taken, taken.name, after=seen[-1])
    await resumed.sees("stream.ready")
    assert seen + resumed.seqs == list(range(1, 11))
    beyond = await connects(taken, taken.name, after=10**9)
    await beyond.sees("stream.ready", seq=10)
    assert beyond.seqs == seen + resumed.seqs


async def test_the_desk_hears_of_sessions(visitor: Visitor, agent: Agent) -> None:
    desk = await connects(agent, "/ws/agent")
    await desk.sees("stream.ready")
    await visitor.asks_for_a_person()
    changed = await desk.sees("session.changed")
    assert changed["session"]["session_name"] == visitor.name
    await desk.says(type="ping")
    await desk.sees("pong")
    await desk.says(type="typing", active=True)
    await desk.sees("error", code="FRAME_UNKNOWN")
    foreign = await connects(visitor, "/ws/agent")
    assert (await foreign.sees("error"))["code"] == "FORBIDDEN"
    assert await foreign.is_closed() == 4403


async def test_typing_goes_up_and_is_seen_on_every_wire(taken: Visitor, agent: Agent) -> None:
    of_visitor, of_agent = await connects(taken, taken.name), await connects(agent, taken.name)
    stream = await taken.follows(taken.name)
    for one in (of_visitor, of_agent, stream):
        await one.sees("stream.ready")
    await of_visitor.says(type="typing", active=True)
    await of_agent.sees("typing", actor={"kind": "visitor"}, active=True)
    await of_agent.says(type="typing", active=False)
    for one in (of_visitor, stream):
        await one.sees("typing", actor={"kind": "agent", "id": agent.id, "name": "Mei"}, active=False)


async def test_a_read_mark_goes_up_and_is_seen_on_every_wire(taken: Visitor, agent: Agent) -> None:
    said = await taken.says("hello?")
    of_visitor, of_agent = await connects(taken, taken.name), await connects(agent, taken.name)
    by_sse = await agent.follows(taken.name)
    for one in (of_visitor, of_agent, by_sse):
        await one.sees("stream.ready")
    await of_agent.says(type="read", seq=said)
    for one in (of_visitor, of_agent, by_sse):
        await one.sees("read", actor={"kind": "agent"}, seq=said)
    await of_visitor.says(type="read", seq=2**53)
    await of_agent.sees("read", actor={"kind": "visitor"}, seq=said)
    assert (await agent.reads(taken))["read_marks"] == {"visitor": said, "agents": said}
    await of_agent.says(type="read", seq=0)
    error = await of_agent.sees("error")
    assert error["details"]["fields"][0]["field"] == "seq"


async def test_a_heartbeat_shows_that_the_line_lives(visitor: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub, "HEARTBEAT_SECONDS", 1)
    socket = await connects(visitor, visitor.name)
    await socket.until(lambda: socket.comments >= 2, 10, "two heartbeats")


WRONG_HELLOS: list[tuple[dict[str, Any], str, int]] = [
    ({"type": "ping"}, "TOKEN_REQUIRED", 4401),
    ({"type": "hello"}, "FRAME_INVALID", 4422),
    ({"type": "hello", "token": "x" * 2049}, "FRAME_INVALID", 4422),
    ({"type": "hello", "token": "x", "after": -1}, "FRAME_INVALID", 4422),
    ({"type": "hello", "token": "x", "after": "1"}, "FRAME_INVALID", 4422),
    ({"type": "hello", "token": ""}, "TOKEN_REQUIRED", 4401),
    ({"type": "hello", "token": "x.y.z"}, "TOKEN_INVALID", 4401),
]


class TestTheHello:
    async def test_may_come_as_a_sub_protocol(self, stage: Stage, taken: Visitor) -> None:
        offered = [Subprotocol("kefu.v1"), Subprotocol(f"bearer.{taken.token}")]
        socket = SocketWatch(stage.http, f"/ws/session/{taken.name}?after=1", {}, subprotocols=offered)
        await stage.keep(socket)
        await socket.sees("stream.ready", seq=2)
        assert socket.seqs == [2]
        assert socket.socket
        assert socket.socket.subprotocol == "kefu.v1"

    async def test_that_does_not_come_ends_it(
        self, server: httpx2.AsyncClient, visitor: Visitor, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(sockets, "HELLO_SECONDS", 0.1)
        async with dial(server, f"/ws/session/{visitor.name}") as silent:
            assert orjson.loads(await silent.recv())["code"] == "HELLO_LATE"
            await silent.wait_closed()
            assert silent.close_code == 4408

    async def test_must_be_right(self, stage: Stage, visitor: Visitor) -> None:
        for first, code, closed in WRONG_HELLOS:
            socket = await stage.keep(SocketWatch(stage.http, f"/ws/session/{visitor.name}", first))
            await socket.sees("error", code=code)
            assert await socket.is_closed() == closed
            assert len(socket.frames) == 1

    async def test_must_be_from_who_may_read(self, stage: Stage, visitor: Visitor, agent: Agent) -> None:
        other = await stage.visitor()
        foreign = await connects(other, visitor.name, additional_headers={"Accept-Language": "zh"})
        await foreign.sees("error", code="FOREIGN_SESSION", message="该凭证不属于此会话。")
        assert await foreign.is_closed() == 4403
        unknown = await connects(agent, "s_nobody")
        await unknown.sees("error", code="SESSION_NOT_FOUND")
        assert await unknown.is_closed() == 4404

    async def test_has_no_place_in_the_address(self, server: httpx2.AsyncClient, visitor: Visitor) -> None:
        path = f"/ws/session/{visitor.name}?token={visitor.token}"
        assert await refused(server, path) == (422, "TOKEN_IN_ADDRESS")
        assert await refused(server, "/ws/session/a%00b") == (404, "SESSION_NOT_FOUND")


async def test_pages_of_other_sites_are_refused(server: httpx2.AsyncClient, visitor: Visitor) -> None:
    path = f"/ws/session/{visitor.name}"
    assert await refused(server, path, origin="https://elsewhere.example") == (403, "FOREIGN_ORIGIN")
    assert await refused(server, path, origin="null") == (403, "FOREIGN_ORIGIN")
    own = await connects(visitor, visitor.name, origin=str(server.base_url).rstrip("/"))
    await own.sees("stream.ready")


async def test_the_sites_of_the_shop_are_welcome(app: FastAPI) -> None:
    origins = Origins(app.state.db, ["https://shop.example"])
    assert sockets.is_welcome("https://shop.example", "kefu.example", origins)
    assert sockets.is_welcome("https://KEFU.example:8443", "kefu.example:8443", origins)
    assert sockets.is_welcome(None, "kefu.example", origins)
    assert not sockets.is_welcome("https://kefu.example.evil.example", "kefu.example", origins)


async def test_a_bad_frame_is_told_and_many_end_it(taken: Visitor) -> None:
    socket = await connects(taken, taken.name)
    await socket.sees("stream.ready")
    for what, code in (
        ("no json", "FRAME_INVALID"),
        ('["ping"]', "FRAME_INVALID"),
        (b"\x00\x01", "FRAME_INVALID"),
        ('{"type":"shout"}', "FRAME_UNKNOWN"),
    ):
        await socket.sends(what)
        await socket.sees("error", code=code)
    await taken.says("still here")
    await socket.sees("message.posted", content="still here")
    await socket.says(type="typing", active="yes")
    wrong = await socket.sees("error", code="FRAME_INVALID")
    assert wrong["details"]["fields"] == [{"field": "active", "reason": "must be true or false"}]
    await socket.sees("error", code="TOO_MANY_BAD_FRAMES")
    assert await socket.is_closed() == 4429


async def test_too_many_frames_at_once_end_it(visitor: Visitor) -> None:
    socket = await connects(visitor, visitor.name)
    await socket.sees("stream.ready")
    for _ in range(200):
        await socket.says(type="ping")
    await socket.sees("error", code="RATE_LIMITED")
    assert await socket.is_closed() == 4429
    assert 20 <= sum(frame["type"] == "pong" for frame in socket.frames) < 100


async def test_a_frame_that_is_too_large_ends_it(visitor: Visitor) -> None:
    socket = await connects(visitor, visitor.name)
    await socket.sees("stream.ready")
    await socket.says(type="ping", more="x" * FRAME_BYTES)
    assert await socket.is_closed() == 1009


async def test_when_the_server_stops_every_socket_hears_it(app: FastAPI, visitor: Visitor, agent: Agent) -> None:
    readers = [await connects(visitor, visitor.name), await connects(agent, "/ws/agent")]
    for reader in readers:
        await reader.sees("stream.ready")
    app.state.hub.drain()
    assert [await reader.ends() for reader in readers] == [{"type": "stream.ended", "reason": "restart"}] * 2
    assert [reader.code for reader in readers] == [1012, 1012]
    assert await refused(visitor.stage.http, f"/ws/session/{visitor.name}") == (503, "RESTARTING")


async def test_what_another_process_writes_is_seen(db: Database, taken: Visitor) -> None:
    socket = await connects(taken, taken.name)
    await socket.sees("stream.ready")
    await post(db, taken.name, "from elsewhere", "other-1")
    await socket.sees("message.posted", content="from elsewhere")


async def test_a_fault_of_ours_tells_nothing(app: FastAPI, visitor: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
    socket = await connects(visitor, visitor.name)
    await socket.sees("stream.ready")
    monkeypatch.setattr(app.state.bus, "publish", None)
    await socket.says(type="typing", active=True)
    told = await socket.sees("error")
    assert told == {"type": "error", "code": "INTERNAL", "message": "Something went wrong on our side."}
    assert await socket.is_closed() == 1011


async def test_everybody_sees_everything_under_a_hundred_posts_at_once(
    app: FastAPI, taken: Visitor, agent: Agent
) -> None:
    async def polls() -> list[int]:
        seqs: list[int] = []
        while not seqs or seqs[-1] < 102:
            path = f"/api/sessions/{taken.name}/events?after={seqs[-1] if seqs else 0}&wait=20"
            page = (await taken.get(path)).json()["data"]
            seqs += [event["seq"] for event in page["events"]]
            assert page["seq"] == seqs[-1]
        return seqs

    tabs = [await taken.follows(taken.name), await agent.follows(taken.name)]
    tabs += [await connects(agent, taken.name), await connects(agent, taken.name)]
    polling = asyncio.create_task(polls())
    await asyncio.gather(*(post(app.state.db, taken.name, f"message {n}", f"m-{n}") for n in range(100)))
    everything = list(range(1, 103))
    for tab in tabs:
        await tab.sees("message.posted", seq=102)
        assert tab.seqs == everything
    assert await asyncio.wait_for(polling, 30) == everything
