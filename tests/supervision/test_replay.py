"""A back-test decides as the bot's turn does, and touches nothing (spec P3)."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from fastapi import FastAPI
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

from actors import Agent, Stage, Visitor, code_of, data_of
from kefu.kit.db import Database
from kefu.log.log import Entry
from kefu.shops.hours import Hours
from kefu.supervision import backtest
from kefu.supervision.replay import REPLAYED, replay
from kefu.supervision.rules import Book
from kefu.supervision.versions import restored
from supervision.watched import PATIENCE, decisions, keyword, log_of, policy, publishes, settled

MIXED = [
    keyword("person", "人工", "human", priority=1, severity="high"),
    keyword("tag", "battery", priority=2, does="tag", tag="tag_vip", cooldown_minutes=60),
    keyword("dry", "hello", priority=2, dry_run=True),
    policy("vip", {"kind": "vip"}, priority=3, cooldown_minutes=60, dry_run=True),
    policy("mood", {"kind": "sentiment", "in_a_row": 2}, priority=4),
    policy("loop", {"kind": "fail_loop", "in_a_row": 2}, priority=5),
    policy("weak", {"kind": "low_confidence", "below": 0.5}, priority=6, dry_run=True),
    policy("long", {"kind": "time", "measure": "messages", "at_least": 5}, priority=7, does="tell"),
    policy("dear", {"kind": "spend", "at_least": 2}, priority=8),
]
SAID = ("hello", "battery", "fail", "weak", "dear", "this is useless", "human please", "hello, 人工智能")
# What happens next: messages sent in one go, and then nothing, or an agent who comes and goes.
TALKS = st.lists(
    st.tuples(st.lists(st.sampled_from(SAID), min_size=1, max_size=3), st.sampled_from(["", "", "", "serve"])),
    min_size=1,
    max_size=5,
)


def some_talks(count: int) -> list[list[tuple[list[str], str]]]:
    """As many conversations as are wanted, always the same."""
    found: list[list[tuple[list[str], str]]] = []

    @seed(20261127)
    @settings(max_examples=count, database=None, suppress_health_check=[*HealthCheck])
    @given(TALKS)
    def keep(talk: list[tuple[list[str], str]]) -> None:
        found.append(talk)

    keep()
    return found


async def happens(db: Database, visitor: Visitor, agent: Agent, talk: list[tuple[list[str], str]]) -> None:
    for burst, then in talk:
        for text in burst:
            await visitor.says(text)
        await settled(db, visitor.name)
        if then:
            await agent.takes_over(visitor)
            await agent.says(visitor, "Let me see.")
            await agent.releases(visitor)


def replayed(book: Book, name: str, log: Sequence[Entry], hours: Hours) -> list[tuple[str, int, str, str]]:
    rulings = replay(book, name, [one for one in log if one.type in REPLAYED], lambda _: hours)
    facts = [one.facts for one in rulings]
    return [(one["policy"].removeprefix("pol_"), one["about"], one["point"], one["effect"]) for one in facts]


async def ended(who: Agent, id_: str) -> Any:
    """The back-test, once it is at its end."""
    deadline = time.monotonic() + PATIENCE
    while (found := data_of(await who.get(f"/api/policies/backtests/{id_}")))["state"] == "running":
        assert time.monotonic() < deadline, found
        await asyncio.sleep(0.05)
    return found


async def run(who: Agent, **wish: Any) -> Any:
    started = data_of(await who.post("/api/policies/backtests", {"since": 0, "until": 2**52} | wish), 201)
    return await ended(who, started["id"])


@pytest.mark.usefixtures("bulk")
async def test_what_hit_live_hits_in_a_back_test_of_the_same_version(app: FastAPI, stage: Stage, db: Database) -> None:
    lead = await stage.agent("lead", "supervisor", max_sessions=500)
    version = await publishes(lead, MIXED)
    book = Book(version, restored(MIXED))
    talks = some_talks(10)
    visitors = [await stage.visitor() for _ in talks]
    for start in range(0, len(talks), 6):
        both = list(zip(visitors, talks, strict=True))[start : start + 6]
        await asyncio.gather(*(happens(db, visitor, lead, talk) for visitor, talk in both))
    logs = {one.name: await log_of(db, one.name) for one in visitors}
    kinds = set()
    for name, log in logs.items():
        assert replayed(book, name, log, app.state.hours) == decisions(log), [one.shown for one in log]
        kinds |= {one[0] for one in decisions(log)}
    assert len(kinds) >= 6, kinds
    found = await run(lead, version=version, baseline=0)
    live = [hit for log in logs.values() for hit in decisions(log)]
    assert sum(one["fired"] for one in found["candidate"]["policies"].values()) == len(live)
    assert found["candidate"]["unreadable"] == 0
    assert found["looked_at"] == found["total"] == len(visitors)
    assert {name: await log_of(db, name) for name in logs} == logs
    assert await db.fetch("SELECT id FROM jobs WHERE kind = 'run_backtest'") == []


@pytest.mark.usefixtures("bulk")
async def test_a_back_test_holds_hits_against_what_people_did(stage: Stage, db: Database) -> None:
    lead = await stage.agent("lead", "supervisor")
    await publishes(lead, [])
    right, wrong, missed = [await stage.visitor() for _ in range(3)]
    for visitor, text in ((right, "the battery is broken"), (wrong, "which battery?"), (missed, "my bike is gone")):
        await visitor.says(text)
        await settled(db, visitor.name)
    for visitor in (right, missed):
        await visitor.asks_for_a_person()
    draft = {"policies": [keyword("battery", "battery")], "revision": 2}
    data_of(await lead.put("/api/policies", draft))
    found = await run(lead)
    counts = found["candidate"]
    assert [counts[name] for name in ("fired", "caught", "missed", "false_alarms")] == [2, 1, 1, 1]
    examples: Mapping[str, Any] = counts["examples"]
    assert {outcome: [one["session"] for one in examples[outcome]] for outcome in examples} == {
        "caught": [right.name],
        "missed": [missed.name],
        "false_alarms": [wrong.name],
    }
    assert (found["version"], found["baseline"], found["compared"]["fired"]) == (None, 1, 0)
    assert (found["only_candidate"]["count"], found["only_baseline"]["count"]) == (2, 0)
    assert found["compared"]["missed"] == 2
    day = counts["days"]
    assert [one["fired"] for one in day.values()] == [2]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_a_back_test_that_is_stopped_or_killed_counts_no_page_twice(
    stage: Stage, db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backtest, "PAGE", 2)
    lead = await stage.agent("lead", "supervisor")
    for _ in range(5):
        visitor = await stage.visitor()
        await visitor.says("转人工")
        await settled(db, visitor.name)
    judge, calls = backtest.judge_page, list[int]()

    def dies_once(page: Any) -> Any:
        calls.append(len(page.sessions))
        if len(calls) == 2:
            raise RuntimeError("killed")
        return judge(page)

    monkeypatch.setattr(backtest, "judge_page", dies_once)
    found = await run(lead)
    assert calls == [2, 2, 2, 1]
    assert (found["looked_at"], found["candidate"]["fired"]) == (5, 5)
    assert found["state"] == "done"
    stopped = data_of(await lead.post(f"/api/policies/backtests/{found['id']}/cancel"))
    assert stopped["state"] == "done"

    def slowly(page: Any) -> Any:
        time.sleep(0.3)
        return judge(page)

    monkeypatch.setattr(backtest, "judge_page", slowly)
    started = data_of(await lead.post("/api/policies/backtests", {"since": 0, "until": 2**52}), 201)
    stopped = data_of(await lead.post(f"/api/policies/backtests/{started['id']}/cancel"))
    assert stopped["state"] == "cancelled"
    assert (await ended(lead, started["id"]))["looked_at"] <= 2
    none = await lead.post("/api/policies/backtests/bt_00000000000000000000/cancel")
    assert (none.status_code, code_of(none)) == (404, "BACKTEST_NOT_FOUND")
