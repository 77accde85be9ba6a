"""Who waits is offered to the best agent, who accepts, declines or lets it pass; nobody has more than they may."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator

import httpx2
import pytest
from fastapi import FastAPI

from actors import Agent, Stage, Visitor, code_of, data_of
from faults.waiting import until
from kefu.answering.scripted import ScriptedAnswerer
from kefu.kit.clock import now_ms
from kefu.kit.config import Settings
from kefu.kit.db import Database
from kefu.main import create_app
from kefu.routing.assignment import ExpireOffer, expire_offer
from kefu.routing.rules import Wait, best
from kefu.routing.team import Colleague
from kefu.sessions.fold import fold_all
from routing.scene import ON_ONE, assigns, offered_to, run_recurring, set_agent, types_of
from sessions.records import all_of, columns_of, log_of, moves_of, row_of


def colleague(name: str, **over: object) -> Colleague:
    facts: dict[str, object] = {
        "id": name, "username": name, "name": name, "role": "agent", "status": "online", "max_sessions": 5,
        "skills": (), "languages": (), "seen_at": 0, "may_serve": True, "serving": 0, "offered": 0, "is_lead": False,
    }  # fmt: skip
    return Colleague(**(facts | over))  # type: ignore[arg-type]  # each fact has a type of its own


def wait(*tags: str, last: str | None = None, passed: tuple[str, ...] = (), locale: str = "en") -> Wait:
    return Wait("s", locale, frozenset(tags), last, frozenset(passed))


@pytest.mark.parametrize(
    ("session", "team", "chosen"),
    [
        (wait("退款"), [colleague("any"), colleague("knows", skills=("退款",), serving=4)], "knows"),
        (wait("shop"), [colleague("any"), colleague("knows", skills=("Shop",), serving=5)], "any"),
        (wait(locale="zh"), [colleague("en", languages=("en",)), colleague("zh", serving=3, languages=("zh",))], "zh"),
        (wait(locale="zh"), [colleague("english", languages=("en",))], "english"),
        (wait(last="busy"), [colleague("busy", status="busy"), colleague("online", serving=4)], "online"),
        (wait(last="b"), [colleague("a"), colleague("b", serving=2)], "b"),
        (wait(), [colleague("a", serving=1), colleague("b", offered=2), colleague("c", serving=1, offered=1)], "a"),
        (wait(), [colleague("a"), colleague("b")], "b"),
        (wait(passed=("a", "b")), [colleague("a"), colleague("b")], None),
        (wait(), [colleague("a", serving=5), colleague("b", serving=3, offered=2)], None),
    ],
)  # fmt: skip
def test_the_best_is_chosen(session: Wait, team: list[Colleague], chosen: str | None) -> None:
    found = best(session, team, {"a": 200, "b": 100})
    assert (found.id if found else None) == chosen


async def test_who_waits_is_offered_at_once_and_accepted_by_taking_over(stage: Stage, db: Database) -> None:
    mei, bob, lead = await stage.agent("mei"), await stage.agent("bob"), await stage.agent("lead", "supervisor")
    for away in (bob, lead):
        data_of(await away.put("/api/agent/status", {"status": "break"}))
    await assigns(db)
    desk = await lead.watches_the_desk()
    visitor = await stage.visitor()
    await visitor.asks_for_a_person()
    await offered_to(db, visitor, mei)
    seen = await desk.sees("session.changed")
    while seen["session"]["assigned_until"] is None:
        seen = await desk.sees("session.changed")
    assert seen["session"]["assigned_agent"] == {"id": mei.id, "name": "Mei"}
    assert 50 < seen["session"]["assigned_until"] - now_ms() / 1000 <= 60
    refused = await bob.acts("takeover", visitor)
    assert (refused.status_code, code_of(refused)) == (409, "ASSIGNED_TO_OTHER")
    assert refused.json()["error"]["details"]["agent"] == {"id": mei.id, "name": "Mei"}
    taken = await mei.takes_over(visitor)
    assert (taken["status"], taken["assigned_until"]) == ("manual_live", None)
    row, log = await all_of(db, visitor.name)
    assert columns_of(fold_all(visitor.name, log)) == row
    assert [(one.type, one.audience) for one in (await moves_of(db, visitor.name))[1:]] == [
        ("session.escalated", "public"),
        ("session.assigned", "internal"),
        ("session.taken_over", "public"),
    ]


async def test_a_lead_may_take_what_is_offered_to_another(stage: Stage) -> None:
    mei, lead = await stage.agent("mei"), await stage.agent("lead", "supervisor")
    visitor = await stage.visitor()
    await visitor.asks_for_a_person()
    data_of(await lead.acts("assign", visitor, {"agent_id": mei.id}))
    assert (await lead.takes_over(visitor))["assigned_agent"]["id"] == lead.id


async def expire(db: Database, visitor: Visitor) -> None:
    until_ = (await row_of(db, visitor.name))["assigned_until"]
    await run_recurring(db, ExpireOffer(visitor.name, until_), lambda job: expire_offer(db, job))


async def test_what_is_declined_or_let_pass_goes_to_the_next_and_then_back_to_the_queue_with_its_clock(
    app: FastAPI, stage: Stage, db: Database
) -> None:
    mei, bob = await stage.agent("mei"), await stage.agent("bob")
    await assigns(db)
    visitor = await stage.visitor()
    asked = await visitor.asks_for_a_person()
    await until(lambda: is_offered(db, visitor), 15)
    first = mei if (await row_of(db, visitor.name))["agent_id"] == mei.id else bob
    second = bob if first is mei else mei
    assert code_of(await second.post(f"/api/sessions/{visitor.name}/assignment/decline")) == "NOT_ASSIGNED"
    data_of(await first.post(f"/api/sessions/{visitor.name}/assignment/decline"))
    await offered_to(db, visitor, second)
    await expire(app.state.db, visitor)
    await offered_to(db, visitor, None)
    third = await stage.agent("third")
    data_of(await third.put("/api/agent/status", {"status": "online"}))
    await offered_to(db, visitor, third)
    data_of(await third.put("/api/agent/status", {"status": "lunch", "status_note": "noodles"}))
    await offered_to(db, visitor, None)
    assert (await mei.reads(visitor))["escalation"]["trigger_at"] == asked["escalation"]["trigger_at"]
    reasons = [one.facts["reason"] for one in await log_of(db, visitor.name) if one.type == "session.unassigned"]
    assert reasons == ["declined", "timeout", "away"]
    assert (await visitor.sees("session.escalated"))["type"] == "session.escalated"
    assert not any(one["type"].endswith("signed") for one in (await visitor.follows(visitor.name)).frames)


async def is_offered(db: Database, visitor: Visitor) -> bool:
    return (await row_of(db, visitor.name))["agent_id"] is not None


async def test_an_offer_by_hand_is_refused_where_it_cannot_be_taken(stage: Stage, db: Database) -> None:
    mei, bob, lead = await stage.agent("mei"), await stage.agent("bob"), await stage.agent("lead", "supervisor")
    visitor = await stage.visitor()

    async def assign(agent_id: object, by: Agent = lead) -> tuple[int, str]:
        answer = await by.acts("assign", visitor, {"agent_id": agent_id})
        return answer.status_code, "" if answer.status_code == 200 else code_of(answer)

    assert await assign(mei.id) == (409, "INVALID_STATUS")
    await visitor.asks_for_a_person()
    assert await assign(mei.id, by=mei) == (403, "FORBIDDEN")
    assert await assign("agent_nobody") == (404, "AGENT_NOT_FOUND")
    assert (await assign("x y"))[0] == 422
    assert (await assign(7))[0] == 422
    await set_agent(db, mei, last_seen_at=now_ms() - 50_000)
    assert await assign(mei.id) == (409, "AGENT_OFFLINE")
    await mei.post("/api/agent/status/heartbeat")
    await set_agent(db, mei, max_sessions=0)
    assert await assign(mei.id) == (409, "AGENT_FULL")
    await set_agent(db, mei, max_sessions=1)
    assert await assign(mei.id) == await assign(mei.id) == (200, "")
    assert await assign(bob.id) == (200, "")
    types = await types_of(db, visitor)
    assert types[2:] == ["session.assigned", "session.unassigned", "session.assigned"]
    answers = await asyncio.gather(*(lead.acts("assign", visitor, {"agent_id": one.id}) for one in (mei, bob) * 3))
    assert {one.status_code for one in answers} <= {200, 409}
    row, log = await all_of(db, visitor.name)
    assert columns_of(fold_all(visitor.name, log)) == row


async def test_several_are_offered_together_as_far_as_there_is_room(stage: Stage, db: Database) -> None:
    mei, lead = await stage.agent("mei"), await stage.agent("lead", "supervisor")
    await set_agent(db, mei, max_sessions=3)
    path, visitors = f"/api/agents/{mei.id}/offers", [await stage.visitor() for _ in range(5)]
    for one in visitors[:4]:
        await one.asks_for_a_person()
    names = [one.name for one in visitors]
    data_of(await lead.acts("assign", visitors[0], {"agent_id": mei.id}))
    body = {"session_names": [*names, "nowhere"]}
    assert code_of(await mei.post(path, body)) == "FORBIDDEN"
    assert code_of(await lead.post("/api/agents/agent_nobody/offers", body)) == "AGENT_NOT_FOUND"
    done = data_of(await lead.post(path, body))
    assert (sorted(done["changed"]), done["unchanged"]) == (sorted(names[1:4])[:2], names[:1])
    assert done["refused"] == {
        sorted(names[1:4])[2]: "AGENT_FULL",
        names[4]: "INVALID_STATUS",
        "nowhere": "SESSION_NOT_FOUND",
    }
    again = data_of(await lead.post(path, body))
    assert (again["changed"], sorted(again["unchanged"])) == ([], sorted([names[0], *done["changed"]]))
    for name in names:
        row, log = await all_of(db, name)
        assert columns_of(fold_all(name, log)) == row


async def test_nobody_takes_over_more_than_they_may_but_a_lead(stage: Stage, db: Database) -> None:
    mei, lead = await stage.agent("mei"), await stage.agent("lead", "supervisor")
    for one in (mei, lead):
        await set_agent(db, one, max_sessions=2)
    visitors = [await stage.visitor() for _ in range(6)]
    answers = await asyncio.gather(*(mei.acts("takeover", one) for one in visitors))
    assert Counter(one.status_code for one in answers) == {200: 2, 409: 4}
    assert {code_of(one) for one in answers if one.status_code == 409} == {"AGENT_FULL"}
    held = next(one for one, answer in zip(visitors, answers, strict=True) if answer.status_code == 200)
    assert (await mei.acts("takeover", held)).status_code == 200, "a repeat takes nothing more"
    free = [one for one, answer in zip(visitors, answers, strict=True) if answer.status_code == 409]
    assert [(await lead.acts("takeover", one)).status_code for one in free] == [200] * 4


@pytest.fixture
async def both(app: FastAPI, settings: Settings) -> AsyncIterator[tuple[FastAPI, FastAPI]]:
    """Two processes on one database that share nothing else."""
    other = create_app(settings, ScriptedAnswerer(pause=0))
    other.state.tokens = app.state.tokens
    async with other.router.lifespan_context(other):
        yield app, other


async def test_fifty_who_ask_at_once_fill_the_team_and_nobody_beyond_what_they_may(
    both: tuple[FastAPI, FastAPI], stage: Stage, db: Database
) -> None:
    agents = [await stage.agent(f"agent-{n}") for n in range(4)]
    sizes = {one.id: n + 1 for n, one in enumerate(agents)}
    for one in agents:
        await set_agent(db, one, max_sessions=sizes[one.id])
    await assigns(db)
    visitors = [await stage.visitor() for _ in range(50)]
    doors = [httpx2.AsyncClient(transport=httpx2.ASGITransport(app=one), base_url="http://kefu") for one in both]

    async def ask(n: int, visitor: Visitor) -> int:
        body, headers = {"session_name": visitor.name}, {"Authorization": f"Bearer {visitor.token}"}
        return (await doors[n % 2].post("/api/manual/escalate", json=body, headers=headers)).status_code

    asked = [ask(n, one) for n, one in enumerate(visitors)]
    taking = [agents[n % 4].acts("takeover", one) for n, one in enumerate(visitors[:12])]
    answers = await asyncio.gather(*asked, *taking)
    # Whom an agent took a moment before is with a person already.
    assert (set(answers[:12]) | {409}, set(answers[12:50])) == ({200, 409}, {200})
    most: Counter[str] = Counter()

    async def is_full() -> bool:
        rows = [await row_of(db, one.name) for one in visitors]
        load = Counter(row["agent_id"] for row in rows if row["agent_id"])
        for agent_id, count in load.items():
            most[agent_id] = max(most[agent_id], count)
        return load == sizes

    await until(is_full, 30)
    assert most == sizes
    for visitor in visitors:
        row, log = await all_of(db, visitor.name)
        assert columns_of(fold_all(visitor.name, log)) == row
        stood: Counter[str] = Counter(one.type for one in log)
        assert stood["session.assigned"] <= 1 + stood["session.unassigned"]
    for door in doors:
        await door.aclose()


async def test_room_that_appears_is_filled_with_who_waits_longest(stage: Stage, db: Database) -> None:
    mei = await stage.agent("mei")
    await set_agent(db, mei, max_sessions=1)
    first, second = await stage.visitor(), await stage.visitor()
    await mei.takes_over(first)
    await assigns(db)
    await second.asks_for_a_person()
    await mei.releases(first)
    await offered_to(db, second, mei)
    third = await stage.visitor()
    await third.asks_for_a_person()
    admin = await stage.agent("admin", "super_admin")
    data_of(await admin.put("/api/agent/status", {"status": "training"}))
    more = await admin.put(f"/api/agents/{mei.id}/work", {"max_sessions": 2, "skills": ["退款"]})
    assert data_of(more) == {"max_sessions": 2, "skills": ["退款"], "languages": []}
    await offered_to(db, third, mei)


@ON_ONE
async def test_a_shop_says_how_it_assigns(stage: Stage) -> None:
    agent, lead = await stage.agent(), await stage.agent("lead", "supervisor")
    path = "/api/shops/default/routing"
    assert data_of(await agent.get(path)) == {"mode": "manual", "accept_seconds": 60}
    assert (await agent.put(path, {"mode": "auto"})).status_code == 403
    for wrong in ({"mode": "magic"}, {"accept_seconds": 5}, {"accept_seconds": 601}, {"accept_seconds": "x"}):
        assert (await lead.put(path, wrong)).status_code == 422
    assert data_of(await lead.put(path, {"mode": "auto", "accept_seconds": 90}))["accept_seconds"] == 90
    seen = {"mode": "auto", "accept_seconds": 90}
    assert data_of(await agent.get(path)) == seen
    mine, theirs = ({"mode": mode, "accept_seconds": 30} for mode in ("auto", "manual"))
    answers = await asyncio.gather(*(lead.put(path, one | {"seen": seen}) for one in (mine, theirs)))
    assert sorted(one.status_code for one in answers) == [200, 409]
    (refused,) = (one for one in answers if one.status_code == 409)
    now = data_of(await agent.get(path))
    assert (code_of(refused), refused.json()["error"]["details"]["routing"]) == ("ROUTING_CHANGED", now)
    assert data_of(await lead.put(path, now | {"seen": seen})) == now, "what stands there already is no change"
    assert (await lead.put(path, now | {"seen": {"mode": "magic"}})).status_code == 422
    assert code_of(await lead.put("/api/shops/nowhere/routing", now)) == "SHOP_NOT_FOUND"
    assert code_of(await lead.get("/api/shops/nowhere/routing")) == "SHOP_NOT_FOUND"
