"""What agents are told reaches them at whichever process they are, also where no bus joins the processes."""

from collections import Counter
from collections.abc import AsyncIterator
from datetime import timedelta
from functools import partial

import pytest
from fastapi import FastAPI
from sqlalchemy import func, select, update

from accounts.team import bearer
from actors import Agent, Stage, Visitor, Watch, data_of
from faults.waiting import until
from kefu.answering.scripted import ScriptedAnswerer
from kefu.bus.models import Telling
from kefu.bus.telling import KEPT_MS
from kefu.kit.config import Settings
from kefu.kit.db import Database
from kefu.main import create_app
from kefu.realtime.tellings import GRACE_MS, LOOK_SECONDS
from kefu.routing.duty import WatchDuty, watch_duty
from kefu.routing.queue import RemindQueue, remind_queue
from routing.scene import has_waited, run_recurring
from serving import served

TOLD = ("assist.changed", "mentions.changed", "transfer.changed", "queue.reminded")
# Promised are two seconds; a busy machine gets more.
PATIENCE = 20.0


@pytest.fixture
async def elsewhere(app: FastAPI, settings: Settings) -> AsyncIterator[str]:
    """The address of a second process, which shares nothing with the first but the database and the key."""
    other = create_app(settings, ScriptedAnswerer(pause=0))
    other.state.tokens = app.state.tokens
    async with other.router.lifespan_context(other), served(other) as address:
        yield address


def told(desk: Watch) -> Counter[str]:
    return Counter(frame["type"] for frame in desk.frames if frame["type"] in TOLD)


async def has_been_told(desk: Watch) -> bool:
    return set(told(desk)) == set(TOLD)


async def ask_everything(mei: Agent, bob: Agent, visitor: Visitor) -> None:
    await mei.takes_over(visitor)
    question = {"session_name": visitor.name, "assistant": "bob", "question": "Is it waterproof?"}
    data_of(await mei.post("/api/assist-requests", question))
    data_of(await mei.post(f"/api/sessions/{visitor.name}/notes", {"content": "@bob look"}))
    wish = {"to_agent_id": bob.id, "reason": "skill"}
    data_of(await mei.post(f"/api/sessions/{visitor.name}/transfer", wish))


async def test_what_an_agent_is_told_by_any_process_they_hear_at_each_once(
    stage: Stage, db: Database, visitor: Visitor, elsewhere: str
) -> None:
    """The reminder comes of a third one, which ends before it can say anything."""
    mei, bob, late = await stage.agent("mei"), await stage.agent("bob"), await stage.visitor()
    here = await bob.watches_the_desk()
    there = await stage.watch(f"{elsewhere}/api/agent/events", bearer(bob.token))
    for desk in (here, there):
        await desk.sees("stream.ready")
    await ask_everything(mei, bob, visitor)
    await late.asks_for_a_person()
    await has_waited(db, late, 400)
    await run_recurring(db, RemindQueue(), partial(remind_queue, db))
    for desk in (here, there):
        await until(partial(has_been_told, desk), PATIENCE)
    after = await stage.watch(f"{elsewhere}/api/agent/events", bearer(bob.token))
    await after.sees("stream.ready")
    await mei.closes(visitor)  # which ends the request: once more there is something to tell, after all the rest
    for desk in (here, there, after):
        await desk.sees("transfer.changed", PATIENCE, status="expired")
    assert [told(desk) for desk in (here, there)] == [Counter(TOLD) + Counter({"transfer.changed": 1})] * 2
    assert told(after) == Counter({"transfer.changed": 1})
    assert LOOK_SECONDS * 1000 + GRACE_MS <= 2000


async def test_what_was_told_is_forgotten_after_a_minute(stage: Stage, db: Database, visitor: Visitor) -> None:
    mei, bob = await stage.agent("mei"), await stage.agent("bob")
    await ask_everything(mei, bob, visitor)
    async with db.write() as tx:
        await tx.execute(update(Telling).where(Telling.type == "transfer.changed").values(at=Telling.at - KEPT_MS - 1))

    async def only_what_is_old_has_gone() -> bool:
        await run_recurring(db, WatchDuty(), partial(watch_duty, db, timedelta(minutes=5)))
        async with db.read() as tx:
            left = (await tx.execute(select(Telling.type, func.count()).group_by(Telling.type))).all()
        return dict(left) == {"assist.changed": 2, "mentions.changed": 1}

    await until(only_what_is_old_has_gone, PATIENCE)
