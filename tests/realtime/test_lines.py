"""A stream on its bare connection: it notices who goes, under Kefu's own server and under any other."""

import asyncio
from collections.abc import AsyncIterator

import httpx2
import pytest
from fastapi import FastAPI
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from accounts.team import bearer
from actors import Stage, Visitor, Watch
from kefu.kit.db import Database
from kefu.realtime import server
from kefu.realtime.follower import Follower
from kefu.realtime.streams import EventStream
from serving import served


@pytest.fixture(params=[server.LeanHttp, HttpToolsProtocol, H11Protocol], ids=lambda one: one.__name__)
async def anywhere(
    request: pytest.FixtureRequest, app: FastAPI, db: Database, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Stage]:
    """Served by Kefu's own protocol, and by those that tell a stream nothing."""
    monkeypatch.setitem(server.OPTIONS, "http", request.param)
    async with served(app) as address, httpx2.AsyncClient(base_url=address) as http:
        stage = Stage(db, http)
        yield stage
        await stage.close()


async def nobody_follows(app: FastAPI) -> None:
    async with asyncio.timeout(10):
        while app.state.hub.count():  # noqa: ASYNC110 - nobody rings a bell when a follower leaves
            await asyncio.sleep(0.01)


@pytest.fixture
def last_words(monkeypatch: pytest.MonkeyPatch) -> list[str | None]:
    """To whom streams said that they end: why it ended, for each."""
    said: list[str | None] = []
    say_goodbye = EventStream.say_goodbye

    async def say(stream: EventStream, follower: Follower) -> None:
        said.append(follower.ended)
        await say_goodbye(stream, follower)

    monkeypatch.setattr(EventStream, "say_goodbye", say)
    return said


async def test_who_goes_away_is_let_go_unanswered_and_who_stays_hears_on(
    anywhere: Stage, app: FastAPI, last_words: list[str | None]
) -> None:
    visitor, agent = await anywhere.visitor(), await anywhere.agent()
    async with line_of(visitor, anywhere), line_of(visitor, anywhere) as staying:
        assert app.state.hub.count() == 2
        await agent.takes_over(visitor)
        await agent.says(visitor, "你好 🚲 " + "x" * 3000)
        assert (await staying.sees("message.posted"))["content"].startswith("你好 🚲 ")
    await nobody_follows(app)
    assert last_words == []
    async with line_of(visitor, anywhere) as told:
        app.state.hub.drain()
        assert await told.ends(20) == {"type": "stream.ended", "reason": "restart"}
    assert last_words == ["restart"]


async def test_a_stream_opens_with_one_packet(app: FastAPI, db: Database) -> None:
    async with served(app) as address, httpx2.AsyncClient(base_url=address) as http:
        visitor = await Stage(db, http).visitor()
        reader, writer = await asyncio.open_connection("127.0.0.1", int(address.rpartition(":")[2]))
        asked = (
            f"GET /api/sessions/{visitor.name}/events HTTP/1.1\r\nHost: kefu\r\nAuthorization: Bearer {visitor.token}"
        )
        writer.write(f"{asked}\r\n\r\n".encode())
        async with asyncio.timeout(20):
            packet = await reader.read(65_536)
        writer.close()
    head, _, body = packet.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200")
    assert b"session.opened" in body
    assert b"stream.ready" in body


def line_of(visitor: Visitor, stage: Stage) -> Watch:
    return Watch(stage.http, f"/api/sessions/{visitor.name}/events", bearer(visitor.token))
