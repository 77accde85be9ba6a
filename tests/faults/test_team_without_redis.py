"""Redis dies and comes back while customers queue, are offered and handed over: the team notices nothing of it."""

import asyncio
from collections import Counter
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from fastapi import FastAPI

from actors import Agent, Stage, Visitor, Watch, data_of
from faults.away import HEALED_WITHIN, equals_the_database, mend, says_of_redis
from faults.proxy import Proxy
from faults.redis import Redis
from faults.waiting import until
from kefu.kit.clock import now_ms
from kefu.kit.db import Database
from kefu.routing.duty import WatchDuty, watch_duty
from kefu.routing.queue import RemindQueue, remind_queue
from kefu.sessions.fold import fold_all
from routing.scene import assigns, has_waited, queue_of, run_recurring, set_agent, types_of
from sessions.records import all_of, columns_of, row_of
from transfers.desk import answers, asked

pytestmark = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)

ROOM = 2
PATIENCE = 20.0
BUSY_AFTER = timedelta(hours=10)


class Team:
    """Mei, Bob and Eve at two instances that share a database and, while it is there, a Redis."""

    def __init__(self, stages: list[Stage], db: Database) -> None:
        self.stages = stages
        self.db = db
        self.visitors: list[Visitor] = []

    async def arrive(self) -> None:
        self.mei, self.bob = await self.stages[0].agent("mei"), await self.stages[1].agent("bob")
        self.desks = [await self.mei.watches_the_desk(), await self.bob.watches_the_desk()]
        for desk, agent in zip(self.desks, (self.mei, self.bob), strict=True):
            await desk.sees("stream.ready")
            await set_agent(self.db, agent, max_sessions=ROOM)
        # They are offered nothing; Eve takes what she likes, and nobody hears of her but by that.
        self.eve = await self.stages[0].agent("eve", max_sessions=ROOM)
        self.lead = await self.stages[0].agent("lead", "supervisor")
        for one in (self.eve, self.lead):
            await set_agent(self.db, one, status="lunch")
        await assigns(self.db)

    async def customers(self, count: int) -> list[Visitor]:
        """They ask for a person at once, half of them at each instance."""
        came = [await self.stages[n % 2].visitor() for n in range(count)]
        self.visitors += came
        await asyncio.gather(*(one.asks_for_a_person() for one in came))
        return came

    async def loads(self) -> Counter[str]:
        """How many sessions each of the team has or is offered; nobody more than they may."""
        rows = [await row_of(self.db, one.name) for one in self.visitors]
        loads = Counter(row["agent_id"] for row in rows if row["agent_id"])
        assert max(loads.values(), default=0) <= ROOM, loads
        return loads

    async def is_full(self) -> bool:
        loads = await self.loads()
        return loads[self.mei.id] == loads[self.bob.id] == ROOM

    async def offered(self, agent: Agent) -> list[Visitor]:
        return [one for one in self.visitors if (await row_of(self.db, one.name))["agent_id"] == agent.id]

    async def at_the_other(self, agent: Agent) -> Agent:
        """The same agent, by the other instance."""
        (other,) = [stage for stage in self.stages if stage is not agent.stage]
        return Agent(other, agent.token, {"id": agent.id, "name": agent.name})

    async def both_show(self, look: Any) -> Any:
        """What both instances say, once they say the same."""
        said: list[Any] = []

        async def is_same() -> bool:
            said[:] = [await look(one) for one in (self.mei, await self.at_the_other(self.mei))]
            return bool(said[0] == said[1])

        await until(is_same, PATIENCE)
        return said[0]


@pytest.fixture
async def team(stages: list[Stage], db: Database) -> Team:
    team = Team(stages, db)
    await team.arrive()
    return team


async def accept_offers(team: Team, agent: Agent) -> None:
    """Clicks twice at once, at both instances."""
    elsewhere = await team.at_the_other(agent)
    for visitor in await team.offered(agent):
        got = await asyncio.gather(agent.acts("takeover", visitor), elsewhere.acts("takeover", visitor))
        assert [one.status_code for one in got] == [200, 200]
        assert (await types_of(team.db, visitor)).count("session.taken_over") == 1


async def hand_over(team: Team, visitor: Visitor) -> None:
    """Bob has made room and is asked by Mei; he accepts twice at once, at both instances."""
    request_id = await asked(team.mei, visitor, team.bob)
    await team.desks[1].sees("transfer.changed", PATIENCE, request_id=request_id, status="pending")
    elsewhere = await team.at_the_other(team.bob)
    got = await asyncio.gather(*(answers(one, request_id, "accept") for one in (team.bob, elsewhere)))
    assert [one.status_code for one in got] == [200, 200]
    types = await types_of(team.db, visitor)
    assert (types.count("transfer.accepted"), types.count("session.transferred")) == (1, 1)
    await team.desks[0].sees("transfer.changed", PATIENCE, request_id=request_id, status="accepted")


async def remind(team: Team, pair: tuple[FastAPI, FastAPI], late: Visitor) -> None:
    await has_waited(team.db, late, 400)
    jobs = [partial(remind_queue, app.state.db) for app in pair]
    await asyncio.gather(
        *(run_recurring(app.state.db, RemindQueue(), job) for app, job in zip(pair, jobs, strict=True))
    )
    for desk in team.desks:
        await desk.sees("queue.reminded", PATIENCE, session=late.name)
    assert (await types_of(team.db, late)).count("queue.reminded") == 1


async def lose(team: Team, pair: tuple[FastAPI, FastAPI], visitor: Visitor) -> None:
    """Nobody hears of Eve any more; both instances notice, again and again."""

    async def watch(app: FastAPI) -> None:
        await run_recurring(app.state.db, WatchDuty(), partial(watch_duty, app.state.db, BUSY_AFTER))

    async def is_back() -> bool:
        await set_agent(team.db, team.eve, last_seen_at=now_ms() - 110_000)
        await asyncio.gather(*map(watch, pair))
        return "session.agent_lost" in await types_of(team.db, visitor)

    await until(is_back, PATIENCE)
    await asyncio.gather(*map(watch, pair))
    assert (await types_of(team.db, visitor)).count("session.agent_lost") == 1


def reminders(desk: Watch, late: Visitor) -> int:
    return sum(one["type"] == "queue.reminded" and one.get("session") == late.name for one in desk.frames)


async def test_the_team_works_on_while_redis_dies_is_silent_and_comes_back(
    team: Team, pair: tuple[FastAPI, FastAPI], redis: Redis, wire: Proxy, db: Database
) -> None:
    await redis.kill()
    await team.customers(6)
    await until(team.is_full, PATIENCE)
    queue = await team.both_show(waiting)
    assert [place for _, place, _ in queue] == [1, 2, 3, 4, 5, 6]
    for agent in (team.mei, team.bob):
        await accept_offers(team, agent)
    (first, *of_first), (second, *of_second) = await team.both_show(waiting)
    assert (of_first, of_second) == ([1, None], [2, None])
    taken, last = (next(one for one in team.visitors if one.name == name) for name in (first, second))
    await last.sees("queue.position", PATIENCE, position=2, waiting=2)

    await redis.start()
    wire.hush()
    await remind(team, pair, last)
    await team.eve.takes_over(taken)
    await team.bob.closes((await team.offered(team.bob))[0])
    await until(team.is_full, PATIENCE)  # who waits is offered to Bob, who lets it pass
    data_of(await team.bob.post(f"/api/sessions/{last.name}/assignment/decline"))
    await hand_over(team, (await team.offered(team.mei))[0])

    await mend(wire)
    await says_of_redis(team.stages, "healthy", "ok")
    await lose(team, pair, taken)
    await until(partial(board_is_right, team), PATIENCE)
    assert [reminders(desk, last) for desk in team.desks] == [1, 1]
    await team.loads()
    for visitor in team.visitors:
        row, log = await all_of(db, visitor.name)
        folded = columns_of(fold_all(visitor.name, log))
        assert folded == row | {"escalated_at": folded["escalated_at"]}  # the test made one wait longer
    for app in pair:
        await until(partial(equals_the_database, app.state.store, db), HEALED_WITHIN)


async def board_is_right(team: Team) -> bool:
    """Mei has one, Bob two, one is closed, two wait: for who looks at either instance."""
    boards = [await one.get("/api/sessions/stats") for one in (team.lead, await team.at_the_other(team.lead))]
    wanted = {"manual_live": 3, "closed": 1, "pending_manual": 2}
    return all(wanted.items() <= data_of(one)["by_status"].items() for one in boards)


async def waiting(agent: Agent) -> list[tuple[str, int, Any]]:
    """Who waits, at which place, and to whom they are offered."""
    return [(one["session_name"], one["position"], one["assigned_agent"]) for one in await queue_of(agent)]
