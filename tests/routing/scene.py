"""Shops that assign, agents with skills, and time that has passed."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from sqlalchemy import func, select, update

from actors import Agent, Visitor, data_of
from faults.waiting import until
from kefu.accounts.models import Agent as AgentRow
from kefu.jobs.models import Job
from kefu.jobs.queue import Taken, Work, ensure, take
from kefu.kit.clock import now_ms
from kefu.kit.db import Database
from kefu.log.feed import HORIZON, follow
from kefu.log.models import Event
from kefu.sessions.marks import place_of
from kefu.sessions.models import Session
from kefu.shops.models import Shop
from sessions.records import moves_of, row_of

# For what is decided before any database is asked.
ON_ONE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


async def set_agent(db: Database, agent: Agent, **values: Any) -> None:
    async with db.write() as tx:
        await tx.execute(update(AgentRow).where(AgentRow.id == agent.id).values(values))


async def set_session(db: Database, name: str, **values: Any) -> None:
    async with db.write() as tx:
        await tx.execute(update(Session).where(Session.name == name).values(values))


async def has_waited(db: Database, visitor: Visitor, seconds: int) -> None:
    await set_session(db, visitor.name, escalated_at=now_ms() - seconds * 1000)


async def assigns(db: Database, accept_seconds: int = 60) -> None:
    """The default shop offers those who wait to its agents."""
    async with db.write() as tx:
        await tx.execute(update(Shop).values(routing={"mode": "auto", "accept_seconds": accept_seconds}))


async def offered_to(db: Database, visitor: Visitor, agent: Agent | None, seconds: float = 15) -> None:
    """Wait until the session is offered to that agent, or to nobody."""

    async def is_so() -> bool:
        return bool((await row_of(db, visitor.name))["agent_id"] == (agent.id if agent else None))

    await until(is_so, seconds)


async def types_of(db: Database, visitor: Visitor) -> list[str]:
    return [one.type for one in await moves_of(db, visitor.name)]


async def run_recurring(db: Database, work: Work, handler: Callable[[Taken], Awaitable[None]]) -> None:
    """Do the recurring work once, as a worker does when it is due, and those who follow the log may see all of it."""
    await until(lambda: is_all_in_the_feed(db), 30)
    async with db.write() as tx:
        await ensure(tx, work, f"test-{work.kind}")
        await tx.execute(
            update(Job).where(Job.key == f"test-{work.kind}", Job.run_at > now_ms()).values(run_at=now_ms())
        )
    for job in await take(db, work.lane, "test", 100):
        if job.kind == work.kind:
            await handler(job)


async def is_followed(db: Database, follower: str) -> bool:
    """Whether who follows the log under this name has come to its end, also by an application's own worker."""
    async with db.read() as tx:
        return not await follow(tx, await place_of(tx, follower), 1)


async def is_all_in_the_feed(db: Database) -> bool:
    """The feed ends before the oldest transaction of the whole server, also of the tests beside this one."""
    if db.is_sqlite:
        return True
    async with db.read() as tx:
        newest = func.coalesce(func.max(Event.xid), 0)
        return bool((await tx.execute(select(newest < HORIZON))).scalar_one())


async def queue_of(agent: Agent) -> list[dict[str, Any]]:
    queue: list[dict[str, Any]] = data_of(await agent.get("/api/sessions/queue"))["queue"]
    return queue
