"""In shadow mode people answer, and the bot says nothing to visitors: it notes what it would have said."""

import asyncio
import random
from typing import Any

import pytest

from actors import Agent, Stage, Visitor, data_of
from kefu.kit.config import Settings
from kefu.kit.db import Database
from kefu.log.log import Entry, read
from kefu.quality.shadow import agreement
from kefu.sessions.models import stream_of
from kefu.workers import bulk_worker
from quality.shelf import Shelf
from routing.scene import ON_ONE

SHADOW = "/api/shadow"
OUTBOUND = {"answer.delta"}


async def switch(lead: Agent, *, is_on: bool) -> None:
    assert data_of(await lead.put(SHADOW, {"is_on": is_on}))["is_on"] is is_on


async def log_of(db: Database, name: str) -> list[Entry]:
    async with db.read() as tx:
        return await read(tx, stream_of(name), public_only=False, limit=10_000)


def by_bot(log: list[Entry]) -> list[str]:
    return [one.facts["content"] for one in log if one.type == "message.posted" and one.facts["role"] == "assistant"]


@ON_ONE
async def test_a_visitor_waits_for_a_person_at_once_and_the_bot_speaks_again_when_it_is_off(
    shelf: Shelf, visitor: Visitor, db: Database
) -> None:
    await visitor.sees("stream.ready")
    await switch(shelf.lead, is_on=True)
    await visitor.says("May I return my bike?")
    asked = await visitor.sees("session.escalated")
    assert (asked["reason"], asked["to"], asked["actor"]["kind"]) == ("shadow", "pending_manual", "system")
    await shelf.lead.takes_over(visitor)
    await shelf.lead.says(visitor, "Yes, within thirty days.")
    await shelf.lead.releases(visitor)
    await visitor.says("And who pays?")
    await visitor.sees("session.escalated", reason="shadow")
    await shelf.lead.takes_over(visitor)
    await switch(shelf.lead, is_on=False)
    await shelf.lead.releases(visitor)
    assert by_bot(await log_of(db, visitor.name)) == []
    await visitor.says("May I return my bike?")
    await visitor.sees("message.posted", role="assistant")


@pytest.mark.usefixtures("app")
async def test_its_draft_is_kept_inside_and_compared_with_the_reply(
    shelf: Shelf, visitor: Visitor, db: Database, settings: Settings
) -> None:
    await switch(shelf.lead, is_on=True)
    worker = None if db.is_sqlite else bulk_worker(db, settings)
    if worker:
        worker.start()
    await visitor.says("May I return my bike?")
    await visitor.sees("session.escalated")
    await shelf.lead.takes_over(visitor)
    inside = await shelf.lead.follows(visitor.name)
    reply = await shelf.lead.says(visitor, f"Yes, return it within thirty days: /articles/{shelf.ids['returns']}")
    drafted = await inside.sees("bot.drafted", reply_seq=reply)
    assert drafted["content"].startswith("You may return your bike within thirty days.")
    assert (drafted["answered"], drafted["same_article"]) == (True, True)
    assert drafted["passages"][0]["article_id"] == shelf.ids["returns"]
    assert 0.4 < drafted["agreement"] < 1
    await shelf.lead.says(visitor, "Anything else?")  # nothing was asked since: nothing to draft
    await visitor.says("What is the weather like on the moon?")
    second = await shelf.lead.says(visitor, "Cold.")
    assert (await inside.sees("bot.drafted"))["reply_seq"] == second
    report = data_of(await shelf.lead.get(SHADOW))
    counts = {"drafts": 2, "answered": 1, "agreement": drafted["agreement"], "linked": 1, "same": 1}
    assert (report["is_on"], report["intents"]) == (True, [{"intent": ""} | counts])
    if worker:
        await worker.stop()
    for one in (await visitor.reads())["history"]:
        assert one["role"] != "assistant"


async def test_nothing_is_said_while_it_is_on_and_every_question_is_somebodys(stage: Stage, shelf: Shelf) -> None:
    """Turned on and off while visitors write: what the bot said, it said while the mode was off."""
    visitors = [await stage.visitor() for _ in range(4)]
    streams = [await one.follows(one.name) for one in visitors]
    chance = random.Random(9)

    async def write(visitor: Visitor) -> None:
        for n in range(6):
            await asyncio.sleep(chance.uniform(0, 0.05))
            await visitor.says(f"May I return my bike? {n}")

    async def flip() -> None:
        for n in range(8):
            await asyncio.sleep(chance.uniform(0, 0.04))
            await switch(shelf.lead, is_on=n % 2 == 0)
        await switch(shelf.lead, is_on=True)

    await asyncio.gather(flip(), *map(write, visitors))
    heard = [len([frame for frame in one.frames if spoken(frame)]) for one in streams]
    for visitor in visitors:
        await visitor.says("Is anybody there?")
    for visitor, stream in zip(visitors, streams, strict=True):
        await stream.sees("session.escalated")
        assert (await visitor.reads())["status"] == "pending_manual"
    assert [len([frame for frame in one.frames if spoken(frame)]) for one in streams] == heard


def spoken(frame: dict[str, Any]) -> bool:
    return frame["type"] in OUTBOUND or (frame["type"] == "message.posted" and frame["role"] == "assistant")


def test_agreement_counts_the_words_that_say_something() -> None:
    assert agreement("You may return it within thirty days.", "You may return it within thirty days!") == 1
    assert agreement("The battery is charged after four hours.", "Shipping to France costs nineteen euros.") == 0
    assert agreement("三十天内可以退货", "可以的，三十天内能退货") > agreement("三十天内可以退货", "充满电需要四小时")
    assert agreement("", "Yes") == 0


@ON_ONE
async def test_who_may_not_write_may_not_turn_it_on(stage: Stage) -> None:
    agent, inspector = await stage.agent("mei"), await stage.agent("wen", "inspector")
    assert (await agent.get(SHADOW)).status_code == 403
    assert data_of(await inspector.get(f"{SHADOW}?days=7"))["days"] == 7
    assert (await inspector.put(SHADOW, {"is_on": True})).status_code == 403
    assert (await inspector.get(f"{SHADOW}?days=0")).status_code == 422
