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


async def test_who_goes_away_is_let_go_and_who_stays_hears_on(anywhere: Stage, app: FastAPI) -> None:
    visitor, agent = await anywhere.visitor(), await anywhere.agent()
    async with line_of(visitor, anywhere), line_of(visitor, anywhere) as staying:
        assert app.state.hub.count() == 2
        await agent.takes_over(visitor)
        await agent.says(visitor, "你好 🚲 " + "x" * 3000)
        assert (await staying.sees("message.posted"))["content"].startswith("你好 🚲 ")
    await nobody_follows(app)


def line_of(visitor: Visitor, stage: Stage) -> Watch:
    return Watch(stage.http, f"/api/sessions/{visitor.name}/events", bearer(visitor.token))
