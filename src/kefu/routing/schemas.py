"""What crosses HTTP about the queue, offers and what agents do. Times are float Unix seconds."""

from typing import Annotated

from fastapi import Path
from pydantic import BaseModel, Field, StringConstraints

from kefu.accounts.duty import Duty
from kefu.accounts.models import Agent
from kefu.kit.clock import unix_seconds
from kefu.kit.web import Done
from kefu.routing.duty import Figures, shown
from kefu.routing.rules import Routing
from kefu.routing.team import Colleague
from kefu.sessions.models import Session
from kefu.sessions.priority import Level
from kefu.sessions.queue import Place
from kefu.sessions.schemas import AgentRef, Body, ShopId, UserProfile, agent_of, priority_of, profile_of
from kefu.sessions.summaries import cut

AgentIdText = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_\-]{1,40}$")]
AgentInPath = Annotated[str, Path(pattern=r"^[A-Za-z0-9_\-]{1,40}$")]
ShopInPath = Annotated[str, Path(pattern=r"^[a-z0-9][a-z0-9\-]{0,39}$")]
Note = Annotated[str, StringConstraints(max_length=120, pattern=r"^[^\x00]*$", strip_whitespace=True)]
Tag = Annotated[str, StringConstraints(min_length=1, max_length=40, pattern=r"^[^\x00]*$", strip_whitespace=True)]


class QueueQuery(BaseModel):
    """`shop`: only those who wait there."""

    shop: ShopId | None = None


class QueueItem(BaseModel):
    """`position` counts in the shop; `estimate_seconds`: until a person comes, null when nobody can know.

    `assigned_agent`: to whom it is offered, until `assigned_until`.
    """

    session_name: str
    shop: str
    position: int
    priority_level: Level
    is_vip: bool
    wait_time_seconds: float
    is_timeout: bool
    is_repeat: bool
    urgent_keywords: list[str]
    user_profile: UserProfile
    last_message: str
    reason: str
    estimate_seconds: int | None
    assigned_agent: AgentRef | None
    assigned_until: float | None


class Queue(BaseModel):
    """The first 100 of those who wait; the figures are of these, `total_count` of all. Times in seconds."""

    queue: list[QueueItem]
    total_count: int
    vip_count: int
    avg_wait_time: float
    max_wait_time: float


class QueueData(Done):
    data: Queue


class AssignTo(Body):
    agent_id: AgentIdText


class PutRouting(Routing):
    """`seen`: what the writer saw; with it nothing is written over what somebody else saved meanwhile."""

    seen: Routing | None = None


class RoutingData(Done):
    data: Routing


class StatusWish(Body):
    status: Duty
    status_note: Note = ""


class Beat(Body):
    """`active`: the agent has done something at the desk since the last beat."""

    active: bool = False


class BeatOut(Done):
    last_active_at: float | None


class Today(BaseModel):
    """Since midnight in TIMEZONE. Times in seconds; null where there is nothing to take an average of."""

    processed_count: int
    avg_response_time: float | None
    avg_duration: float | None
    satisfaction_score: float | None


class TodayWithLoad(Today):
    current_sessions: int
    max_sessions: int


class TodayData(Done):
    data: TodayWithLoad


class AgentStatus(BaseModel):
    """`is_auto`: busy by itself, for want of activity; the next action ends it."""

    status: Duty
    status_note: str
    is_auto: bool
    status_updated_at: float | None
    last_active_at: float | None
    current_sessions: int
    max_sessions: int
    today_stats: Today


class AgentStatusData(Done):
    data: AgentStatus


class AvailableQuery(BaseModel):
    """`everybody`: also the caller, and who is not on duty, has no room or may not serve."""

    everybody: bool = False


class ColleagueOut(BaseModel):
    """`status`: what they chose, or offline when they are not at the desk; `room`: how many more they may have."""

    id: str
    username: str
    name: str
    role: str
    status: str
    on_duty: bool
    may_serve: bool
    current_sessions: int
    room: int
    max_sessions: int
    skills: list[str]
    languages: list[str]

    @classmethod
    def of(cls, one: Colleague, now: int) -> "ColleagueOut":
        return cls(
            id=one.id,
            username=one.username,
            name=one.name,
            role=one.role,
            status=one.status if one.is_here(now) else "offline",
            on_duty=one.is_on_duty(now),
            may_serve=one.may_serve,
            current_sessions=one.serving,
            room=max(0, one.room),
            max_sessions=one.max_sessions,
            skills=list(one.skills),
            languages=list(one.languages),
        )


class AvailableAgents(BaseModel):
    items: list[ColleagueOut]
    total: int


class AvailableData(Done):
    data: AvailableAgents


class Work(Body):
    """What an agent may be given; what is not named stays. `skills`: tags: urgent words, reasons, shops."""

    max_sessions: Annotated[int, Field(ge=1, le=20)] | None = None
    skills: Annotated[list[Tag], Field(max_length=20)] | None = None
    languages: Annotated[list[Annotated[str, StringConstraints(pattern="^(zh|en)$")]], Field(max_length=2)] | None = (
        None
    )


class WorkOut(BaseModel):
    max_sessions: int
    skills: list[str]
    languages: list[str]


class WorkData(Done):
    data: WorkOut


def queue_item(session: Session, place: Place, now: int) -> QueueItem:
    priority = priority_of(session, now)
    return QueueItem(
        session_name=session.name,
        shop=session.shop,
        position=place.position,
        priority_level=priority.level,
        is_vip=priority.is_vip,
        wait_time_seconds=priority.wait_time_seconds,
        is_timeout=priority.is_timeout,
        is_repeat=priority.is_repeat,
        urgent_keywords=priority.urgent_keywords,
        user_profile=profile_of(session),
        last_message=cut(session.last_text or ""),
        reason=session.escalation_reason or "",
        estimate_seconds=place.estimate,
        assigned_agent=agent_of(session),
        assigned_until=unix_seconds(session.assigned_until),
    )


def queue_of(items: list[QueueItem], total: int) -> Queue:
    waits = [one.wait_time_seconds for one in items]
    return Queue(
        queue=items,
        total_count=total,
        vip_count=sum(one.is_vip for one in items),
        avg_wait_time=sum(waits) / len(waits) if waits else 0.0,
        max_wait_time=max(waits, default=0.0),
    )


def status_of(agent: Agent, load: int, today: Figures, now: int) -> AgentStatus:
    return AgentStatus(
        status=shown(agent, now),
        status_note=agent.status_note,
        is_auto=agent.is_auto,
        status_updated_at=unix_seconds(agent.status_at),
        last_active_at=unix_seconds(agent.active_at),
        current_sessions=load,
        max_sessions=agent.max_sessions,
        today_stats=today_of(today),
    )


def today_of(today: Figures) -> Today:
    return Today(
        processed_count=today.processed_count,
        avg_response_time=today.avg_response_time,
        avg_duration=today.avg_duration,
        satisfaction_score=today.satisfaction_score,
    )
