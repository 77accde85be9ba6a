"""Who is next: one order for the desk, the visitor and the database; estimates, and reminders that come once."""

import asyncio
import random
from functools import partial
from pathlib import Path
from typing import Any

import orjson
import pytest
from fastapi import FastAPI
from sqlalchemy import select

from actors import Agent, Stage, Visitor, data_of
from house.sources import ROOT
from kefu.answering.scripted import ScriptedAnswerer
from kefu.kit.clock import now_ms
from kefu.kit.config import Settings
from kefu.kit.db import Database
from kefu.main import create_app
from kefu.routing import queue as reminding
from kefu.routing.queue import RemindQueue, remind_queue
from kefu.sessions import service
from kefu.sessions.models import Session
from kefu.sessions.post import post
from kefu.sessions.priority import level_of, rank, words_in, words_of
from kefu.sessions.queue import place_of, places
from routing.scene import ON_ONE, has_waited, queue_of, run_recurring, set_agent, set_session
from serving import served
from sessions.records import log_of, row_of

ORDER: list[dict[str, Any]] = orjson.loads(Path(ROOT, "web/workbench/src/sessions/queue-order.json").read_bytes())
LEAD = service.Member("agent_9", "Lead")


async def stand_in_line(db: Database) -> int:
    """Those of the common example, come in any order; returns the time of looking."""
    mixed = random.Random(7).sample(ORDER, len(ORDER))
    for one in mixed:
        async with db.write() as tx:
            await service.open_session(tx, service.Opening(one["name"], "default", "en"))
        for _ in range(one["asked"] - 1):
            async with db.write() as tx:
                await service.escalate(tx, one["name"], LEAD.actor, "manual")
                await service.take_over(tx, one["name"], LEAD)
                await service.release(tx, one["name"], LEAD, "resolved")
        await post(db, one["name"], one["said"], "m-1")
        async with db.write() as tx:
            await service.escalate(tx, one["name"], LEAD.actor, "manual")
    now = now_ms()
    for one in ORDER:
        await set_session(db, one["name"], is_vip=one["vip"], escalated_at=now - one["waited"] * 1000)
    return now


@pytest.mark.usefixtures("app")
async def test_the_example_stands_in_the_same_order_for_everybody(db: Database, agent: Agent) -> None:
    now = await stand_in_line(db)
    names = [one["name"] for one in ORDER]
    async with db.read() as tx:
        rows = list(await tx.scalars(select(Session)))
        assert [one.session for one in await places(tx, now)] == names
        found = [await place_of(tx, name, "default", now) for name in names]
    assert [(one.position, one.waiting) for one in found if one] == [(n, len(names)) for n in range(1, len(names) + 1)]
    assert [one.name for one in sorted(rows, key=partial(rank, now=now))] == names
    assert {one.name: level_of(one, now) for one in rows} == {one["name"]: one["level"] for one in ORDER}
    queue = await queue_of(agent)
    assert [(one["session_name"], one["priority_level"]) for one in queue] == [
        (one["name"], one["level"]) for one in ORDER
    ]
    assert [one["position"] for one in queue] == [*range(1, len(names) + 1)]


def test_words_are_kept_as_bits() -> None:
    assert words_of(words_in("我要退款，不然投诉！ REFUND me")) == ["投诉", "退款", "refund"]
    assert words_of(words_in("refundable")) == []


async def test_an_urgent_word_while_waiting_raises_the_level_on_both_paths(db: Database, stage: Stage) -> None:
    agent = await stage.agent()
    hot, slow = await stage.visitor(), await stage.visitor()
    for one in (hot, slow):
        await one.asks_for_a_person()
    await hot.says("This is a complaint")
    async with db.write() as tx:
        await service.post_by_visitor(tx, slow.name, "我要投诉", "m-1")
    queue = {one["session_name"]: one for one in await queue_of(agent)}
    assert [(queue[one.name]["priority_level"], queue[one.name]["urgent_keywords"]) for one in (hot, slow)] == [
        ("high", ["complaint"]),
        ("high", ["投诉"]),
    ]
    await agent.takes_over(hot)
    await agent.releases(hot)
    assert (await row_of(db, hot.name))["urgent_words"] == 0


async def test_a_repeated_escalation_keeps_the_clock_and_a_second_one_is_a_repeat(stage: Stage, db: Database) -> None:
    agent, visitor = await stage.agent(), await stage.visitor()
    await visitor.asks_for_a_person()
    await has_waited(db, visitor, 90)
    assert (await visitor.asks_for_a_person())["priority"]["wait_time_seconds"] > 89
    await agent.takes_over(visitor)
    await agent.releases(visitor)
    await visitor.asks_for_a_person()
    (again,) = await queue_of(agent)
    assert (again["priority_level"], again["is_repeat"]) == ("high", True)
    assert again["wait_time_seconds"] < 60


async def waits_were(db: Database, agent: Agent, stage: Stage, *seconds: int) -> None:
    for wait in seconds:
        visitor = await stage.visitor()
        await visitor.asks_for_a_person()
        await agent.takes_over(visitor)
        await agent.closes(visitor)
        await _stretch(db, visitor, wait)


async def _stretch(db: Database, visitor: Visitor, seconds: int) -> None:
    await db.execute("UPDATE episodes SET started_at = taken_at - $2 WHERE session = $1", visitor.name, seconds * 1000)


async def test_the_visitor_is_told_place_and_estimate_by_every_process(
    app: FastAPI, stage: Stage, settings: Settings, db: Database
) -> None:
    """The second process shares nothing with the first but the database."""
    agent, other = await stage.agent("mei"), await stage.agent("bob")
    first = await stage.visitor()
    await first.asks_for_a_person()
    await first.sees("queue.position", position=1, waiting=1, estimate_seconds=None)
    await waits_were(db, agent, stage, 60, 240, 120)
    second = await stage.visitor()
    await second.asks_for_a_person()
    await second.sees("queue.position", position=2, waiting=2, estimate_seconds=120)
    elsewhere = create_app(settings, ScriptedAnswerer(pause=0))
    elsewhere.state.tokens = app.state.tokens
    async with elsewhere.router.lifespan_context(elsewhere), served(elsewhere) as address:
        watch = await stage.watch(
            f"{address}/api/sessions/{second.name}/events", {"Authorization": f"Bearer {second.token}"}
        )
        await watch.sees("queue.position", position=2, waiting=2, estimate_seconds=120)
        await set_agent(db, other, status="lunch")
        await agent.takes_over(first)
        await watch.sees("queue.position", position=1, waiting=1)
        listed = (await queue_of(agent))[0]
        assert (listed["session_name"], listed["position"]) == (second.name, 1)
        await watch.__aexit__(None, None, None)


async def test_long_waits_and_a_long_queue_are_told_once_each_by_several_workers(
    app: FastAPI, stage: Stage, db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reminding, "CROWD", 2)
    agent = await stage.agent()
    desk = await agent.watches_the_desk()
    vip, late, short = [await stage.visitor() for _ in range(3)]
    for one in (vip, late, short):
        await one.asks_for_a_person()
    await set_session(db, vip.name, is_vip=True)
    await has_waited(db, vip, 130)
    await has_waited(db, late, 310)
    await has_waited(db, short, 200)
    assert await reminders(db, vip, late, short) == ([], [], [])

    other = Database(db.url)
    doors = (app.state.db, other)
    await asyncio.gather(*(run_recurring(door, RemindQueue(), partial(remind_queue, door)) for door in doors))
    await run_recurring(app.state.db, RemindQueue(), partial(remind_queue, app.state.db))
    await other.close()

    async def are(*expected: list[int]) -> None:
        """A session that the app's own job has locked at this moment is told of in its next round."""
        async with asyncio.timeout(20):
            while await reminders(db, vip, late, short) != expected:
                await run_recurring(app.state.db, RemindQueue(), partial(remind_queue, app.state.db))

    await are([2], [5], [])
    await has_waited(db, vip, 400)
    await are([2, 5], [5], [])
    await desk.sees("queue.reminded", what="crowd", waiting=3)
    await desk.until(lambda: any(one.get("minutes") == 2 and one["session"] == vip.name for one in desk.frames))
    told = [one["what"] for one in desk.frames if one["type"] == "queue.reminded"]
    assert told.count("crowd") == 1
    assert told.count("wait") <= 3


async def reminders(db: Database, *visitors: Visitor) -> tuple[list[int], ...]:
    logs = [await log_of(db, one.name) for one in visitors]
    return tuple([one.facts["minutes"] for one in log if one.type == "queue.reminded"] for log in logs)


@ON_ONE
async def test_the_queue_is_for_the_team(stage: Stage, visitor: Visitor) -> None:
    assert (await visitor.get("/api/sessions/queue")).status_code == 403
    assert (await stage.http.get("/api/sessions/queue")).status_code == 401
    agent = await stage.agent()
    assert (await agent.get("/api/sessions/queue?shop=NOT%20A%20SHOP")).status_code == 422
    empty = data_of(await agent.get("/api/sessions/queue?shop=elsewhere"))
    assert empty == {"queue": [], "total_count": 0, "vip_count": 0, "avg_wait_time": 0.0, "max_wait_time": 0.0}
