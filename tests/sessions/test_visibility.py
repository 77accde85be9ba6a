"""Who sees which sessions: agents their own and those nobody holds, leads and inspectors all, guests what they may."""

import asyncio
from datetime import timedelta
from functools import partial

import pytest
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts

from actors import Agent, Stage, Visitor, Watch, code_of, data_of
from faults.waiting import until
from kefu.kit.db import Database
from kefu.sessions.guests import let_in
from realtime.socket_watch import SocketWatch


def has_words(desk: Watch) -> bool:
    return "a secret" in str(desk.frames)


async def names(agent: Agent) -> set[str]:
    return {one["session_name"] for one in data_of(await agent.get("/api/sessions"))["sessions"]}


@pytest.fixture
async def mei(stage: Stage) -> Agent:
    return await stage.agent("mei")


@pytest.fixture
async def bo(stage: Stage) -> Agent:
    return await stage.agent("bob")


@pytest.fixture
async def held(visitor: Visitor, mei: Agent) -> Visitor:
    """Of a session that Mei holds."""
    await mei.takes_over(visitor)
    return visitor


async def test_a_list_shows_ones_own_and_what_nobody_holds(stage: Stage, mei: Agent, bo: Agent, held: Visitor) -> None:
    free, his = await stage.visitor(), await stage.visitor()
    await bo.takes_over(his)
    boss, inspector = await stage.agent("boss", "supervisor"), await stage.agent("ina", "inspector")
    assert await names(mei) == {free.name, held.name}
    assert await names(bo) == {free.name, his.name}
    assert await names(boss) == await names(inspector) == {free.name, held.name, his.name}
    counts = data_of(await bo.get("/api/sessions"))["counts"]
    assert (counts["manual_live"], counts["bot_active"]) == (1, 1)
    assert data_of(await bo.get(f"/api/sessions?agent={mei.id}"))["sessions"] == []
    await mei.releases(held)
    assert await names(bo) == {free.name, held.name, his.name}


async def test_what_a_colleague_holds_cannot_be_read_in_any_way(
    stage: Stage, mei: Agent, bo: Agent, held: Visitor
) -> None:
    path = f"/api/sessions/{held.name}"
    refused = [
        await bo.get(path),
        await bo.get(f"{path}/events"),
        await bo.get(f"{path}/events?wait=0"),
        await bo.post(f"{path}/read", {"seq": 1}),
        await bo.post(f"{path}/typing", {"active": True}),
    ]
    for answer in refused:
        assert (answer.status_code, code_of(answer)) == (403, "HIDDEN_SESSION"), answer.request.url
        assert answer.json()["error"]["details"] == {"agent": {"id": mei.id, "name": "Mei"}}
    chinese = await bo.get(path, **{"Accept-Language": "zh"})
    assert chinese.json()["error"]["message"] == "该会话由【Mei】负责，您无权查看。"
    socket = await stage.keep(
        SocketWatch(stage.http, f"/ws/session/{held.name}", {"type": "hello", "token": bo.token, "after": 0})
    )
    await socket.sees("error", code="HIDDEN_SESSION")
    assert await socket.is_closed() == 4403
    for role in ("supervisor", "inspector"):
        assert (await (await stage.agent(role, role)).get(path)).status_code == 200
    assert code_of(await bo.get("/api/sessions/s_nobody")) == "SESSION_NOT_FOUND"


async def test_who_looked_on_is_let_go_when_a_colleague_takes_over(mei: Agent, bo: Agent, visitor: Visitor) -> None:
    stream = await bo.follows(visitor.name)
    await stream.sees("stream.ready")
    await visitor.says("before")
    await stream.sees("message.posted", content="before")
    await mei.takes_over(visitor)
    await visitor.says("a secret")
    assert await stream.ends() == {"type": "stream.ended", "reason": "hidden"}
    assert "a secret" not in stream.said
    again = await bo.get(f"/api/sessions/{visitor.name}/events")
    assert (again.status_code, code_of(again)) == (403, "HIDDEN_SESSION")


async def test_a_poll_that_outlives_a_takeover_tells_nothing(
    app: FastAPI, mei: Agent, bo: Agent, visitor: Visitor
) -> None:
    poll = asyncio.create_task(bo.get(f"/api/sessions/{visitor.name}/events?after=1&wait=10"))
    await until(lambda: app.state.hub.count() == 1, 10)
    await mei.takes_over(visitor)
    answer = await poll
    assert (answer.status_code, code_of(answer)) == (403, "HIDDEN_SESSION")


async def test_the_desk_tells_nobody_what_a_colleague_serves(
    stage: Stage, mei: Agent, bo: Agent, visitor: Visitor
) -> None:
    boss = await stage.agent("boss", "supervisor")
    of_mei, of_bo, of_boss = [await one.watches_the_desk() for one in (mei, bo, boss)]
    for desk in (of_mei, of_bo, of_boss):
        await desk.sees("stream.ready")
    await visitor.asks_for_a_person()
    await of_bo.sees("session.changed")
    await mei.takes_over(visitor)
    await of_bo.sees("session.gone", session_name=visitor.name)
    await visitor.says("a secret")
    for desk in (of_mei, of_boss):
        await desk.until(partial(has_words, desk), what="the words")
        assert "session.gone" not in {frame["type"] for frame in desk.frames}
    await mei.releases(visitor)
    back = await of_bo.sees("session.changed")
    assert back["session"]["status"] in {"bot_active", "manual_live"}
    before = [frame for frame in of_bo.frames if frame["type"] == "session.changed"][:-1]
    assert "a secret" not in str(before)


async def test_a_guest_reads_along_while_they_may(db: Database, bo: Agent, held: Visitor) -> None:
    path, desk = f"/api/sessions/{held.name}", await bo.watches_the_desk()
    await desk.sees("stream.ready")
    await let_in_as(db, held, bo, timedelta(seconds=-1))
    assert code_of(await bo.get(path)) == "HIDDEN_SESSION"
    await let_in_as(db, held, bo, timedelta(minutes=1))
    await let_in_as(db, held, bo, timedelta(seconds=1))  # never shorter
    assert (await bo.get(path)).status_code == 200
    assert await names(bo) == {held.name}
    stream = await bo.follows(held.name)
    await held.says("hello both")
    await stream.sees("message.posted", content="hello both")
    await desk.until(lambda: "hello both" in str(desk.frames), what="the words")
    assert code_of(await bo.writes(held, "hello")) == "NOT_HOLDER"


async def let_in_as(db: Database, visitor: Visitor, agent: Agent, stay: timedelta) -> None:
    async with db.write() as tx:
        await let_in(tx, visitor.name, agent.id, "mention", stay)


async def test_no_route_about_one_session_forgets_to_look(app: FastAPI, bo: Agent, held: Visitor) -> None:
    """Whatever stands beside a session is as hidden as it: every route with its name in the address, by reading."""
    reading = [one.path or "" for one in iter_route_contexts(app.routes) if "GET" in (one.methods or ())]
    paths = {path.replace("{name}", held.name) for path in reading if "{name}" in path and "visitor" not in path}
    assert len(paths) >= 8
    answers = {path: await bo.get(path) for path in sorted(paths)}
    open_ones = {path: answer.status_code for path, answer in answers.items() if answer.status_code != 403}
    assert not open_ones
    assert {code_of(answer) for answer in answers.values()} == {"HIDDEN_SESSION"}
