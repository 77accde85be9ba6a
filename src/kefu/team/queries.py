"""Questions about the team."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from kefu.accounts.duty import LOST_AFTER_MS, Duty
from kefu.accounts.locks import locked_until
from kefu.accounts.models import Agent, key_of
from kefu.routing.team import AgentNotFound
from kefu.sessions.held import loads


@dataclass(frozen=True, slots=True)
class Member:
    """An agent with what they have: `serving` sessions are theirs now, `offered` ones wait for them to come.

    `locked_until`: until when failed sign-ins lock their username, in milliseconds; None when they do not.
    """

    agent: Agent
    serving: int
    offered: int
    locked_until: int | None = None


@dataclass(frozen=True, slots=True)
class Filter:
    """`q`: part of the username or the name. `status`: as colleagues see it; who is not heard of is offline."""

    q: str = ""
    role: str | None = None
    status: Duty | None = None
    is_active: bool | None = None


async def members(tx: AsyncSession, wanted: Filter, now: int, skip: int, limit: int) -> tuple[list[Member], int]:
    """A page of those who fit, the newest first, and how many there are."""
    where = _conditions(wanted, now)
    total = (await tx.execute(select(func.count()).select_from(Agent).where(*where))).scalar_one()
    page = _with_load(*where).order_by(Agent.created_at.desc(), Agent.id).offset(skip).limit(limit)
    rows = (await tx.execute(page)).all()
    locked = await locked_until(tx, [row[0].username for row in rows])
    return [Member(agent, serving, offered, locked.get(agent.username)) for agent, serving, offered in rows], total


async def member(tx: AsyncSession, agent_id: str) -> Member:
    """Raises AgentNotFound."""
    row = (await tx.execute(_with_load(Agent.id == agent_id))).first()
    if row is None:
        raise AgentNotFound(agent_id=agent_id)
    agent, serving, offered = row
    locked = await locked_until(tx, [agent.username])
    return Member(agent, serving, offered, locked.get(agent.username))


def _with_load(*where: ColumnElement[bool]) -> Select[Agent, Any, Any]:
    load = loads()
    query = select(Agent, func.coalesce(load.c.serving, 0), func.coalesce(load.c.offered, 0))
    return query.outerjoin(load, load.c.agent_id == Agent.id).where(*where)


def _conditions(wanted: Filter, now: int) -> list[ColumnElement[bool]]:
    where: list[ColumnElement[bool]] = []
    if wanted.q:
        is_username = Agent.username_key.contains(key_of(wanted.q), autoescape=True)
        where.append(or_(is_username, Agent.name.icontains(wanted.q.strip(), autoescape=True)))
    if wanted.role is not None:
        where.append(Agent.role == wanted.role)
    if wanted.is_active is not None:
        where.append(Agent.is_active == wanted.is_active)
    is_here = func.coalesce(Agent.last_seen_at, 0) > now - LOST_AFTER_MS
    if wanted.status == "offline":
        where.append(or_(Agent.status == "offline", ~is_here))
    elif wanted.status is not None:
        where += [Agent.status == wanted.status, is_here]
    return where
