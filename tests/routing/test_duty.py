"""What agents do: chosen, by itself, and when they are not heard of any more; and what their day was like."""

import asyncio
from datetime import timedelta
from functools import partial
from typing import Any

from fastapi import FastAPI
from sqlalchemy import select, update

from actors import Agent, Stage, Visitor, code_of, data_of
from faults.waiting import until
from kefu.accounts.models import Agent as AgentRow
from kefu.jobs.models import Job
from kefu.jobs.queue import ensure, take
from kefu.kit.clock import now_ms, start_of_day
from kefu.kit.db import Database
from kefu.routing.duty import WatchDuty, watch_duty
from kefu.routing.signs import Signs
from kefu.sessions.fold import fold_all
from kefu.sessions.models import Stint
from routing.scene import ON_ONE, assigns, offered_to, run_recurring, set_agent, types_of
from sessions.records import all_of, columns_of, row_of
from transfers.desk import asks

ZONE = "Asia/Shanghai"
FIVE_MINUTES = timedelta(minutes=5)


async def status_of(agent: Agent) -> dict[str, Any]:
    status: dict[str, Any] = data_of(await agent.get("/api/agent/status"))
    return status


async def watch(db: Database) -> None:
    await run_recurring(db, WatchDuty(), partial(watch_duty, db, FIVE_MINUTES))


async def silent(db: Database, agent: Agent, seconds: int) -> None:
    await set_agent(db, agent, last_seen_at=now_ms() - seconds * 1000)


async def test_an_agent_says_what_they_do(stage: Stage) -> None:
    mei, bob = await stage.agent("mei"), await stage.agent("bob")
    desk = await mei.watches_the_desk()
    status = await status_of(mei)
    assert (status["status"], status["status_note"], status["is_auto"]) == ("online", "", False)
    assert (status["current_sessions"], status["max_sessions"]) == (0, 200)
    chosen = data_of(await mei.put("/api/agent/status", {"status": "lunch", "status_note": "  面条  "}))
    assert (chosen["status"], chosen["status_note"]) == ("lunch", "面条")
    assert await status_of(mei) == chosen
    await desk.sees("agent.status", status="lunch", status_note="面条", is_auto=False)
    assert (await status_of(bob))["status"] == "online"


@ON_ONE
async def test_wrong_states_are_refused(stage: Stage, visitor: Visitor) -> None:
    agent = await stage.agent()
    wrong: tuple[dict[str, object], ...] = (
        {},
        {"status": "asleep"},
        {"status": "busy", "status_note": "x" * 121},
        {"status": "busy", "status_note": 7},
    )
    for body in wrong:
        assert (await agent.put("/api/agent/status", body)).status_code == 422
    assert code_of(await visitor.get("/api/agent/status")) == "FORBIDDEN"
    assert (await stage.http.get("/api/agent/status")).status_code == 401
    assert (await agent.post("/api/agent/status/heartbeat", {"active": "yes"})).status_code == 422


async def test_signing_in_is_coming_on_duty_unless_one_chose_otherwise_today(stage: Stage, db: Database) -> None:
    agent = await stage.agent()

    async def signs_in_again() -> str:
        answer = await stage.http.post("/api/agent/login", json={"username": "mei", "password": "correct-horse-7"})
        status: str = answer.json()["agent"]["status"]
        return status

    for chosen, then in (("training", "training"), ("break", "break"), ("offline", "online")):
        data_of(await agent.put("/api/agent/status", {"status": chosen}))
        assert await signs_in_again() == then
    data_of(await agent.put("/api/agent/status", {"status": "lunch"}))
    await set_agent(db, agent, status_at=start_of_day(now_ms(), ZONE) - 1)
    assert await signs_in_again() == "online"


async def test_who_does_nothing_for_five_minutes_is_busy_until_they_do_something(
    app: FastAPI, stage: Stage, db: Database, visitor: Visitor
) -> None:
    agent = await stage.agent()
    desk = await agent.watches_the_desk()
    await set_agent(db, agent, active_at=now_ms() - 299_000)
    await watch(app.state.db)
    assert (await status_of(agent))["status"] == "online"
    for acts in (_beats, _takes_over):
        await set_agent(db, agent, active_at=now_ms() - 301_000)
        data_of(await agent.post("/api/agent/status/heartbeat"))
        status = await _watched(app, agent)
        assert (status["status"], status["is_auto"]) == ("busy", True), "a sign of life is no action"
        await acts(app, agent, visitor)
        await desk.sees("agent.status", status="busy", is_auto=True)
        await desk.sees("agent.status", status="online", is_auto=False)
        assert (await status_of(agent))["status"] == "online"
    data_of(await agent.put("/api/agent/status", {"status": "busy"}))
    data_of(await agent.post("/api/agent/status/heartbeat", {"active": True}))
    assert (await status_of(agent))["status"] == "busy", "what they chose stays"


async def _watched(app: FastAPI, agent: Agent) -> Any:
    """As it is watched: again in a moment when somebody just had the agent's row, such as the app's own watch."""
    async with asyncio.timeout(5):
        while True:
            await watch(app.state.db)
            status = await status_of(agent)
            if status["status"] == "busy":
                return status
            await asyncio.sleep(0.05)


async def _beats(_: FastAPI, agent: Agent, __: Visitor) -> None:
    data_of(await agent.post("/api/agent/status/heartbeat", {"active": True}))


async def _takes_over(app: FastAPI, agent: Agent, visitor: Visitor) -> None:
    signs = Signs(app.state.db, set)
    await agent.takes_over(visitor)
    await signs.beat()


async def test_an_open_workbench_is_a_sign_of_life(app: FastAPI, stage: Stage, db: Database) -> None:
    agent, away = await stage.agent("mei"), await stage.agent("bob")
    await agent.watches_the_desk()
    for one in (agent, away):
        await silent(db, one, 100)
    assert (await status_of(away))["status"] == "offline"
    await Signs(app.state.db, app.state.presence.own_agents).beat()
    assert [(await status_of(one))["status"] for one in (agent, away)] == ["online", "offline"]
    data_of(await away.post("/api/agent/status/heartbeat"))
    assert (await status_of(away))["status"] == "online", "who comes back is as they were"


async def test_the_sessions_of_a_lost_agent_wait_again_once_and_those_of_who_comes_back_stay(
    app: FastAPI, stage: Stage, db: Database
) -> None:
    lost, back = await stage.agent("lost"), await stage.agent("back")
    served, kept, offered = [await stage.visitor() for _ in range(3)]
    await lost.takes_over(served)
    await back.takes_over(kept)
    await offered.asks_for_a_person()
    lead = await stage.agent("lead", "supervisor")
    data_of(await lead.acts("assign", offered, {"agent_id": lost.id}))
    await silent(db, lost, 104)
    await silent(db, back, 200)
    data_of(await back.post("/api/agent/status/heartbeat"))
    await watch(app.state.db)
    assert (await row_of(db, served.name))["agent_id"] == lost.id, "within the grace"
    other = Database(db.url)

    async def is_given_back() -> bool:
        """Where the application's own watch comes late, as on a full machine, it begins the grace anew."""
        await silent(db, lost, 106)
        await asyncio.gather(*(watch(door) for door in (app.state.db, other, db)))
        return (await row_of(db, served.name))["agent_id"] is None

    await until(is_given_back, 60)
    await other.close()
    seen = await served.sees("session.agent_lost", to="pending_manual")
    assert seen["agent"] == {"id": lost.id, "name": "Lost"}
    assert (await types_of(db, served))[1:] == ["session.taken_over", "session.agent_lost"]
    assert (await types_of(db, offered))[2:] == ["session.assigned", "session.unassigned"]
    assert (await row_of(db, kept.name))["agent_id"] == back.id
    for one in (served, offered):
        row, log = await all_of(db, one.name)
        assert columns_of(fold_all(one.name, log)) == row
        assert (row["status"], row["agent_id"], row["assigned_until"]) == ("pending_manual", None, None)
    assert (await lost.writes(served, "still here")).status_code == 409


async def test_who_is_given_a_session_unasked_has_the_grace_to_come_and_else_it_waits_again(
    app: FastAPI, stage: Stage, visitor: Visitor, db: Database
) -> None:
    lead, never, gone = await stage.agent("lead", "supervisor"), await stage.agent("never"), await stage.agent("gone")
    await set_agent(db, never, last_seen_at=None)
    await silent(db, gone, 86_400)
    await lead.takes_over(visitor)
    for agent in (never, gone):
        data_of(await asks(lead, visitor, agent, force=True))
        await watch(app.state.db)
        assert (await row_of(db, visitor.name))["agent_id"] == agent.id, "within the grace"
    await silent(db, gone, 106)

    async def waits_again() -> bool:
        await watch(app.state.db)  # unless the service does it just now
        return bool((await row_of(db, visitor.name))["status"] == "pending_manual")

    await until(waits_again, 15)


async def test_nobody_is_lost_because_the_service_stood_still(app: FastAPI, stage: Stage, db: Database) -> None:
    agent, visitor = await stage.agent(), await stage.visitor()
    await agent.takes_over(visitor)
    await silent(db, agent, 3600)
    async with db.write() as tx:
        await ensure(tx, WatchDuty(), "test-late")
        await tx.execute(update(Job).where(Job.key == "test-late").values(run_at=now_ms() - 3_600_000))
    for job in await take(db, "talk", "test", 100):
        if job.key == "test-late":
            await watch_duty(app.state.db, FIVE_MINUTES, job)
    await watch(app.state.db)
    assert (await row_of(db, visitor.name))["agent_id"] == agent.id


async def test_who_comes_on_duty_is_offered_who_waits(stage: Stage, db: Database) -> None:
    await assigns(db)
    visitor = await stage.visitor()
    await visitor.asks_for_a_person()
    agent = await stage.agent()
    data_of(await agent.put("/api/agent/status", {"status": "online"}))
    await offered_to(db, visitor, agent)


async def test_today_is_counted_from_midnight_where_the_team_is(stage: Stage, db: Database) -> None:
    agent = await stage.agent()
    assert data_of(await agent.get("/api/agent/stats/today")) == {
        "processed_count": 0, "avg_response_time": None, "avg_duration": None, "satisfaction_score": None,
        "current_sessions": 0, "max_sessions": 200,
    }  # fmt: skip
    visitors = [await stage.visitor() for _ in range(4)]
    midnight, now = start_of_day(now_ms(), ZONE), now_ms()
    for one in visitors:
        await agent.takes_over(one)
        await agent.says(one, "hello")
    for one in visitors[:3]:
        await agent.releases(one)
    days = ((now, 10, 100, 5), (now, 30, 300, 4), (midnight - 1, 500, 5000, 1))
    for one, (ended, replied, lasted, rating) in zip(visitors, days, strict=False):
        begun = ended - lasted * 1000
        values = {"started_at": begun, "replied_at": begun + replied * 1000, "ended_at": ended, "rating": rating}
        async with db.write() as tx:
            await tx.execute(update(Stint).where(Stint.session == one.name).values(values))
    async with db.write() as tx:
        await tx.execute(update(Stint).where(Stint.session == visitors[3].name).values(replied_at=None))
    today = data_of(await agent.get("/api/agent/stats/today"))
    if now - midnight > 300_000:  # in the first minutes of a day those replies were given yesterday
        assert today["avg_response_time"] == 20.0
    assert (today["processed_count"], today["avg_duration"], today["satisfaction_score"]) == (2, 200.0, 4.5)
    assert today["current_sessions"] == 1
    status = await status_of(agent)
    assert status["today_stats"] == {name: today[name] for name in status["today_stats"]}


async def test_available_are_colleagues_on_duty_with_room(stage: Stage, db: Database) -> None:
    me, free, full, out, gone, inspector = [
        await stage.agent(name, "inspector" if name == "inspector" else "agent")
        for name in ("myself", "free", "full", "out", "gone", "inspector")
    ]
    await set_agent(db, full, max_sessions=1)
    await full.takes_over(await stage.visitor())
    data_of(await out.put("/api/agent/status", {"status": "break"}))
    await silent(db, gone, 46)
    found = data_of(await me.get("/api/agents/available"))
    assert found == {
        "items": [
            {"id": free.id, "username": "free", "name": "Free", "status": "online", "role": "agent", "on_duty": True,
             "may_serve": True, "max_sessions": 200, "current_sessions": 0, "room": 200, "skills": [], "languages": []}
        ],
        "total": 1,
    }  # fmt: skip
    assert inspector.id


async def test_a_locked_row_delays_nobody_and_is_written_the_next_time(
    app: FastAPI, stage: Stage, db: Database
) -> None:
    agent = await stage.agent()
    signs = Signs(app.state.db, lambda: {agent.id})
    await silent(db, agent, 100)
    if not db.is_sqlite:  # where one writes at a time
        async with db.write() as tx:
            await tx.get(AgentRow, agent.id, with_for_update=True)
            await asyncio.wait_for(signs.beat(), 5)
            assert (await status_of(agent))["status"] == "offline"

    async def is_online() -> bool:
        await signs.beat()
        async with db.read() as tx:
            seen = await tx.scalar(select(AgentRow.last_seen_at).where(AgentRow.id == agent.id))
        return seen is not None and now_ms() - seen < 5_000

    await until(is_online, 10)
