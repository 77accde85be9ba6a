"""Other settings of a shop's bot hold once its golden questions were asked with them, and none broke."""

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from actors import Agent, Stage, code_of, data_of
from ai.openai_wire import openai
from ai.provider import OWN, Heard, Provider, Reply, Script, answers, provider
from audit.audited import entries
from kefu.answering.ports import Answerer
from kefu.kit.config import Settings
from kefu.kit.db import Database
from kefu.knowledge.vectors import Vectors
from kefu.workers import bulk_worker, helped_by, line_of, models_of
from quality.shelf import TEXTS, Shelf
from routing.scene import ON_ONE

BOT = "/api/shops/default/bot"
GATE = f"{BOT}/rehearsal"
RETURN, CHARGE, MOON = "May I return my bike?", "How long does charging take?", "What is the weather like on the moon?"
ASKED = {RETURN: TEXTS["returns"][1], CHARGE: TEXTS["battery"][1]}
PASSAGE = re.compile(r"passage (\d+)»\n(.*?)\n«/", re.DOTALL)
KEY = "sk-canary-of-a-candidate-0123456789"


async def knows(heard: Heard, reply: Reply) -> None:
    """A model that answers what it is asked and names the passage, unless it is the one called `wrong`."""
    rules, asked = (one["content"] for one in heard.body["messages"])
    said = next((body for question, body in ASKED.items() if question in asked), "")
    places = [number for number, text in PASSAGE.findall(asked) if said and said in text]
    right = f"{said} [{places[0]}]" if places else "NO_ANSWER"
    is_wrong = heard.body["model"] == "wrong" or "Never name a passage" in rules
    await reply.stream(openai(["Of course, whatever you like."] if is_wrong else [right]))


@pytest.fixture
async def wire() -> AsyncIterator[Provider]:
    async with provider(knows) as one:
        yield one


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> Settings:
    return Settings(data_dir=tmp_path, database_url=database_url, outbound_allow=OWN, gate_questions=4)


@pytest.fixture
def answerer() -> Answerer | None:
    """That of the settings."""
    return None


@pytest.fixture
async def guarded(shelf: Shelf, db: Database, settings: Settings) -> AsyncIterator[list[str]]:
    """The ids of three golden questions; whoever asks them is at work."""
    ids = [await shelf.guards(RETURN, "returns"), await shelf.guards(CHARGE, "battery")]
    ids.append(await shelf.guards(MOON, kind="unanswerable"))
    line = line_of(settings)
    helped = helped_by(settings, db, models_of(db, settings, line), Vectors(db))
    worker = None if db.is_sqlite else bulk_worker(db, settings, helped)
    if worker:
        worker.start()
    yield ids
    if worker:
        await worker.stop()
        await line.streams.stop()


async def wished(lead: Agent, **wish: Any) -> tuple[int, dict[str, Any]]:
    """The status and what holds."""
    now = data_of(await lead.get(BOT))
    answer = await lead.put(BOT, now | wish)
    return answer.status_code, data_of(answer, answer.status_code)


async def decided(lead: Agent) -> dict[str, Any]:
    found: dict[str, Any] | None = None
    for _ in range(600):
        found = data_of(await lead.get(GATE))
        if found and found["verdict"]:
            return found
        await asyncio.sleep(0.05)
    raise AssertionError(found)


async def test_settings_that_break_questions_are_refused_by_name_until_somebody_says_why(
    guarded: list[str], lead: Agent, wire: Provider, db: Database
) -> None:
    wish = {"provider": "custom", "url": wire.url, "model": "wrong", "key": KEY}
    status, held = await wished(lead, **wish)
    assert (status, held["provider"], held["version"]) == (202, None, 0)
    found = await decided(lead)
    assert (found["verdict"], found["unjudged"], found["mended"]) == ("refused", 0, 0)
    assert {one["id"]: one["question"] for one in found["broken"]} == {guarded[0]: RETURN, guarded[1]: CHARGE}
    assert data_of(await lead.get(BOT)) == held
    used = data_of(await lead.get("/api/reports/costs"))["used"]
    assert [(one["purpose"], one["calls"]) for one in used] == [("rehearse", 2)]
    (run,) = data_of(await lead.get("/api/golden/runs"))["runs"]
    assert (run["verdict"], run["provider"], run["right"]) == ("refused", "custom", 1)
    assert code_of(await lead.put(BOT, held | wish | {"force": " "})) == "VALIDATION_FAILED"
    status, now = await wished(lead, **wish, force="the old one is gone next week")
    assert (status, now["model"], now["has_key"]) == (200, "wrong", True)
    (entry,) = (one for one in await entries(db) if one.action == "gate.forced")
    assert entry.after
    after = orjson.loads(entry.after)
    assert (after["reason"], after["broken_count"]) == ("the old one is gone next week", 2)
    kept = [*await db.fetch("SELECT * FROM golden_runs"), *await db.fetch("SELECT * FROM audit_entries")]
    assert KEY not in "".join(map(str, kept))


async def test_settings_that_answer_as_well_hold_and_are_what_the_next_ones_are_compared_with(
    guarded: list[str], lead: Agent, wire: Provider
) -> None:
    status, _ = await wished(lead, provider="custom", url=wire.url, model="good")
    assert (status, (await decided(lead))["verdict"]) == (202, "passed")
    now = data_of(await lead.get(BOT))
    assert (now["model"], now["version"], now["updated_by"]) == ("good", 1, lead.id)
    asked = len(wire.heard)
    status, _ = await wished(lead, prompt="Never name a passage.")
    assert (status, (await decided(lead))["verdict"]) == (202, "refused")
    assert len(wire.heard) == 2 * asked, "what holds was asked already"
    assert len((await decided(lead))["broken"]) == 2
    assert guarded
    for free in ({"budgets": {"shop_day": {"tokens": 10}}}, {"cheaper_model": "small"}, {"key": KEY}):
        assert (await wished(lead, **free))[0] == 200, free


@pytest.mark.usefixtures("guarded")
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("script", "why"),
    [
        (answers({"error": {"message": "No such key", "code": "invalid_api_key"}}, 401), "custom: denied"),
        (None, "budget"),
    ],
)
async def test_who_does_not_answer_is_not_judged_and_nothing_changes(
    lead: Agent, wire: Provider, script: Script | None, why: str
) -> None:
    if script:
        wire.scripts[:] = [script]
    else:
        await wished(lead, budgets={"shop_day": {"tokens": 5}})
    _, held = await wished(lead, provider="custom", url=wire.url, model="good")
    found = await decided(lead)
    assert (found["verdict"], found["unjudged"]) == ("unjudged", 2)
    assert why in found["why"]
    assert data_of(await lead.get(BOT)) == held
    assert len(wire.heard) == (2 if script else 0)


@pytest.mark.usefixtures("guarded")
@ON_ONE
async def test_while_some_wait_others_may_not_and_who_thinks_better_of_it_withdraws_them(
    lead: Agent, wire: Provider, stage: Stage
) -> None:
    may_answer = asyncio.Event()

    async def hold(heard: Heard, reply: Reply) -> None:
        await may_answer.wait()
        await knows(heard, reply)

    wire.scripts[:] = [hold]
    assert code_of(await lead.delete(GATE)) == "NO_REHEARSAL"
    wish = {"provider": "custom", "url": wire.url, "model": "good"}
    assert [(await wished(lead, **wish))[0] for _ in range(2)] == [202, 202], "safe to repeat"
    now = data_of(await lead.get(BOT))
    assert code_of(await lead.put(BOT, now | wish | {"model": "other"})) == "GOLDEN_RUN_IN_PROGRESS"
    waiting = data_of(await lead.get(GATE))
    assert (waiting["verdict"], waiting["finished_at"]) == ("", None)
    inspector = await stage.agent("wen", "inspector")
    assert [(await inspector.get(GATE)).status_code, (await inspector.delete(GATE)).status_code] == [403, 403]
    data_of(await lead.delete(GATE))
    may_answer.set()
    assert (await decided(lead))["verdict"] == "withdrawn"
    assert (await wished(lead, **wish))[0] == 202
    assert (await decided(lead))["verdict"] == "passed"
    assert data_of(await lead.get(BOT))["model"] == "good"


@pytest.mark.usefixtures("guarded")
@ON_ONE
async def test_what_was_changed_meanwhile_is_not_overwritten(lead: Agent, wire: Provider, shelf: Shelf) -> None:
    may_answer, is_asked = asyncio.Event(), asyncio.Event()

    async def hold(heard: Heard, reply: Reply) -> None:
        is_asked.set()
        await may_answer.wait()
        await knows(heard, reply)

    wire.scripts[:] = [hold]
    for change in ("settings", "questions"):
        version = data_of(await lead.get(BOT))["version"]
        assert (await wished(lead, provider="custom", url=wire.url, model=f"good-{change}"))[0] == 202
        await is_asked.wait()
        if change == "settings":
            assert (await wished(lead, budgets={"session": {"usd": 1}}))[0] == 200
        else:
            await shelf.guards("Which helmet size fits my head?", "helmet")
        may_answer.set()
        found = await decided(lead)
        assert (found["verdict"], found["version"]) == ("overtaken", version)
        assert data_of(await lead.get(BOT))["provider"] is None
        may_answer.clear()
        is_asked.clear()
