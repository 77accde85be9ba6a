"""Who is on duty, and who has room."""

from dataclasses import dataclass
from typing import ClassVar

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from kefu.accounts.duty import LOST_AFTER_MS, SERVING
from kefu.accounts.models import Agent
from kefu.kit.errors import Conflict, NotFound
from kefu.kit.i18n import Text
from kefu.sessions.held import loads


class AgentNotFound(NotFound):
    code = "AGENT_NOT_FOUND"
    text: ClassVar[Text] = {"en": "There is no such agent.", "zh": "找不到该坐席。"}


class AgentOffline(Conflict):
    code = "AGENT_OFFLINE"
    text: ClassVar[Text] = {"en": "{agent[name]} is not on duty.", "zh": "【{agent[name]}】当前不在岗。"}


class AgentFull(Conflict):
    """`max_sessions`: how many the agent may have at once."""

    code = "AGENT_FULL"
    text: ClassVar[Text] = {
        "en": "{agent[name]} has as many conversations as they may ({max_sessions}).",
        "zh": "【{agent[name]}】的会话数已达上限（{max_sessions}）。",
    }


@dataclass(frozen=True, slots=True)
class Colleague:
    """An agent as those see them who give sessions away.

    `serving` sessions are theirs now, `offered` ones wait for them to come; `seen_at`: their last sign of life, ms.
    """

    id: str
    username: str
    name: str
    role: str
    status: str
    max_sessions: int
    skills: tuple[str, ...]
    languages: tuple[str, ...]
    seen_at: int
    may_serve: bool
    serving: int
    offered: int
    is_lead: bool

    def is_here(self, now: int) -> bool:
        """At the desk, whatever they do there."""
        return self.status != "offline" and now - self.seen_at < LOST_AFTER_MS

    def is_on_duty(self, now: int) -> bool:
        return self.may_serve and self.status in SERVING and self.is_here(now)

    @property
    def room(self) -> int:
        """How many more sessions they may have; below 0 when a lead gave them more."""
        return self.max_sessions - self.serving - self.offered


async def colleagues(tx: AsyncSession, *ids: str) -> list[Colleague]:
    """Those agents, or all that may sign in, by name. Who gives one of them a session locks their row first."""
    load = loads()
    query = select(Agent, func.coalesce(load.c.serving, 0), func.coalesce(load.c.offered, 0))
    query = query.outerjoin(load, load.c.agent_id == Agent.id).where(Agent.is_active).order_by(Agent.name, Agent.id)
    if ids:
        query = query.where(Agent.id.in_(ids))
    return [
        Colleague(
            id=agent.id,
            username=agent.username,
            name=agent.name,
            role=agent.role,
            status=agent.status,
            max_sessions=agent.max_sessions,
            skills=tuple(agent.skills),
            languages=tuple(agent.languages),
            seen_at=agent.last_seen_at or 0,
            may_serve="sessions.takeover" in agent.permissions,
            is_lead="sessions.assign" in agent.permissions,
            serving=serving,
            offered=offered,
        )
        for agent, serving, offered in await tx.execute(query)
    ]
