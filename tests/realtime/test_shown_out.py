"""Who may follow no more is shown out of streams, sockets and polls: at once by the bus, or found in the database."""

import asyncio
from contextlib import AsyncExitStack
from typing import Any

import httpx2
import pytest
from fastapi import FastAPI
from pydantic import SecretStr
from sqlalchemy import update

from accounts.team import PASSWORD, bearer
from actors import Agent, Stage, Visitor, Watch, code_of
from faults.waiting import until
from kefu.accounts.models import Agent as AgentRow
from kefu.accounts.sign_ins import access_changed
from kefu.kit.config import Settings
from kefu.kit.db import Database
from kefu.main import create_app
from kefu.realtime import doorkeeper
from kefu.shops.service import first_shop
from realtime.socket_watch import SocketWatch, connects
from serving import served

NEW = {"old_password": PASSWORD, "new_password": "another-horse-8"}
REVOKED = {"type": "stream.ended", "reason": "revoked"}


async def opens_everything(agent: Agent, visitor: Visitor) -> list[Watch]:
    opened = [
        await agent.watches_the_desk(),
        await agent.follows(visitor.name),
        await connects(agent, "/ws/agent"),
        await connects(agent, visitor.name),
    ]
    for one in opened:
        await one.sees("stream.ready")
    return opened


@pytest.mark.parametrize("act", ["logout", "change-password"])
async def test_who_signs_out_is_out_at_once_and_colleagues_stay(
    app: FastAPI, stage: Stage, agent: Agent, monkeypatch: pytest.MonkeyPatch, act: str
) -> None:
    monkeypatch.setattr(doorkeeper, "CHECK_SECONDS", 3600)
    visitor, lin = await stage.visitor(), await stage.agent("lin")
    opened, others = await opens_everything(agent, visitor), await opens_everything(lin, visitor)
    before = app.state.hub.count()
    poll = asyncio.create_task(agent.get(f"/api/sessions/{visitor.name}/events?after=1&wait=25"))
    await until(lambda: app.state.hub.count() > before, 10)

    answer = await agent.post(f"/api/agent/{act}", NEW if act == "change-password" else {})
    assert answer.status_code == 200, answer.text

    assert [await one.ends() for one in opened] == [REVOKED] * 4
    assert [one.code for one in opened if isinstance(one, SocketWatch)] == [4401, 4401]
    async with asyncio.timeout(10):
        answer = await poll
        if answer.status_code == 200:  # that somebody left came first
            answer = await agent.get(f"/api/sessions/{visitor.name}/events?after=1&wait=25")
        assert code_of(answer) == "TOKEN_INVALID"
    assert not any(one.is_over for one in others)
    await visitor.says("still there?")
    for one in others[1::2]:
        await one.sees("message.posted", content="still there?")


@pytest.mark.parametrize("change", [{"is_active": False}, {"role": "nonsense"}])
async def test_a_change_that_nobody_told_of_is_found(
    db: Database, visitor: Visitor, agent: Agent, change: dict[str, Any]
) -> None:
    """By another process, whose word was lost: `db` has no bus."""
    opened = await opens_everything(agent, visitor)
    async with db.write() as tx:
        await tx.execute(update(AgentRow).where(AgentRow.id == agent.id).values(**change))
    assert [await one.ends() for one in opened] == [REVOKED] * 4


async def test_a_new_role_counts_for_what_is_open(stage: Stage, visitor: Visitor, db: Database) -> None:
    """Who leads no more does not see what others hold, and stays at the desk."""
    lead, lin = await stage.agent("lead", "supervisor"), await stage.agent("lin")
    await lin.takes_over(visitor)
    desk, theirs = await lead.watches_the_desk(), await lead.follows(visitor.name)
    for one in (desk, theirs):
        await one.sees("stream.ready")
    async with db.write() as tx:
        await tx.execute(update(AgentRow).where(AgentRow.id == lead.id).values(role="agent"))
        access_changed(tx, lead.id)
    assert await theirs.ends() == {"type": "stream.ended", "reason": "hidden"}
    assert not desk.is_over


async def test_over_redis_another_process_shows_out_at_once(
    db: Database, settings: Settings, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doorkeeper, "CHECK_SECONDS", 3600)
    with_redis = settings.model_copy(update={"redis_url": redis_url, "jwt_secret_key": SecretStr("shared")})
    async with db.write() as tx:
        await first_shop(tx)
    async with AsyncExitStack() as running:
        stages = []
        for app in (create_app(with_redis), create_app(with_redis)):
            await running.enter_async_context(app.router.lifespan_context(app))
            address = await running.enter_async_context(served(app))
            http = await running.enter_async_context(httpx2.AsyncClient(base_url=address, timeout=30))
            stages.append(Stage(db, http))
            running.push_async_callback(stages[-1].close)
        here, there = stages
        agent = await here.agent()
        desk = await there.watch("/api/agent/events", bearer(agent.token))
        await desk.sees("stream.ready")
        await agent.post("/api/agent/logout", {})
        assert await desk.ends() == REVOKED
