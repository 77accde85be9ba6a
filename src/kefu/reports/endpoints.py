"""Figures over HTTP: the stats of the sessions, and the wallboard."""

from dataclasses import asdict
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query, Request
from pydantic import BaseModel, StringConstraints

from kefu.accounts.identity import AgentIdentity, allowed
from kefu.kit.clock import iso, now_ms
from kefu.reports.live import Live
from kefu.sessions.figures import HOUR, Spread
from kefu.sessions.states import Status

router = APIRouter(tags=["reports"])


class OfShop(BaseModel):
    """`shop`: of that shop alone; of all without it."""

    shop: Annotated[str, StringConstraints(pattern=r"^([a-z0-9][a-z0-9\-]{0,39})?$")] = ""


class Seconds(BaseModel):
    """Of `count` durations; null when there are none."""

    count: int
    average: float | None
    median: float | None
    p90: float | None
    longest: float | None


class Efficiency(BaseModel):
    """`resolution_rate`: of what ended today, the share in which a person replied."""

    avg_takeover_time_sec: float | None
    avg_service_time_sec: float | None
    resolution_rate: float | None
    avg_sessions_per_agent: float | None


class BotQuality(BaseModel):
    """`escalation_rate`: escalations of today for each session of today."""

    escalation_rate: float | None


class TodayOut(BaseModel):
    """Since midnight by the shop's clocks; `pending` and `serving`: now.

    `total_escalations`: times a person was asked for; `handled`: parts that agents began and ended.
    """

    since: str
    sessions: int
    total_escalations: int
    pending: int
    serving: int
    handled: int
    by_reason: dict[str, int]
    rating: float | None
    ratings: int


class SessionStats(BaseModel):
    """Of the sessions in which something happened lately. `oldest_wait_seconds` is null when nobody waits."""

    counts: dict[Status, int]
    total: int
    waiting: int
    oldest_wait_seconds: float | None


class TeamStats(SessionStats):
    """The older names first: seconds, `avg_waiting_time` of who waits now, `avg_service_time` of who is served now."""

    by_status: dict[Status, int]
    total_sessions: int
    active_sessions: int
    avg_waiting_time: float
    max_waiting_time: float
    avg_service_time: float
    active_agents: int
    by_escalation_reason: dict[str, int]
    today: TodayOut
    wait: Seconds
    first_response: Seconds
    service: Seconds
    agent_efficiency: Efficiency
    ai_quality: BotQuality


class SessionStatsData(BaseModel):
    success: Literal[True] = True
    data: TeamStats | SessionStats


class Hour(BaseModel):
    at: str
    sessions: int
    escalations: int


class AgentLoad(BaseModel):
    """`is_here`: has the workbench open; `handled`: today."""

    id: str
    name: str
    status: str
    is_here: bool
    serving: int
    max_sessions: int
    handled: int


class Wallboard(BaseModel):
    """`at`: when it was counted."""

    at: str
    stats: TeamStats
    hours: list[Hour]
    agents: list[AgentLoad]


class WallboardData(BaseModel):
    success: Literal[True] = True
    data: Wallboard


@router.get("/api/sessions/stats")
async def session_stats(
    request: Request,
    agent: Annotated[AgentIdentity, Depends(allowed("sessions.read"))],
    query: Annotated[OfShop, Query()],
) -> SessionStatsData:
    """How many sessions stand in each state and how long the first has waited; with `stats.read` the team's figures."""
    state = request.app.state
    if "stats.read" in agent.permissions:
        return SessionStatsData(data=team_stats(await state.figures.of(query.shop or None)))
    if query.shop:
        now = (await state.figures.of(query.shop)).now
        counts, oldest = now.counts, now.oldest_wait
    else:
        stats = await state.store.get_stats()
        counts, oldest = stats.counts, stats.oldest_wait
    waits = None if oldest is None else max(0.0, (now_ms() - oldest) / 1000)
    return SessionStatsData(
        data=SessionStats(
            counts=counts, total=sum(counts.values()), waiting=counts[Status.PENDING_MANUAL], oldest_wait_seconds=waits
        )
    )


@router.get("/api/wallboard")
async def wallboard(
    request: Request, _: Annotated[AgentIdentity, Depends(allowed("stats.read"))], query: Annotated[OfShop, Query()]
) -> WallboardData:
    """The live page, counted at most every five seconds; ask again that often."""
    live: Live = await request.app.state.figures.of(query.shop or None)
    here = {one["id"] for one in request.app.state.presence.agents()}
    agents = [
        AgentLoad(
            id=one.id,
            name=one.name,
            status=one.status,
            is_here=one.id in here,
            serving=one.load.serving,
            max_sessions=one.max_sessions,
            handled=one.load.handled,
        )
        for one in live.agents
    ]
    hours = [
        Hour(at=iso(live.day + n * HOUR), sessions=sessions, escalations=escalations)
        for n, (sessions, escalations) in enumerate(live.today.hours)
    ]
    return WallboardData(data=Wallboard(at=iso(live.at), stats=team_stats(live), hours=hours, agents=agents))


def team_stats(live: Live) -> TeamStats:
    now, today = live.now, live.today
    oldest = None if now.oldest_wait is None else max(0.0, (live.at - now.oldest_wait) / 1000)
    wait, service = _seconds(today.wait), _seconds(today.service)
    return TeamStats(
        counts=now.counts,
        total=sum(now.counts.values()),
        waiting=now.waiting,
        oldest_wait_seconds=oldest,
        by_status=now.counts,
        total_sessions=sum(now.counts.values()),
        active_sessions=sum(now.counts.values()) - now.counts[Status.CLOSED],
        avg_waiting_time=max(0.0, (now.average_wait or 0) / 1000),
        max_waiting_time=oldest or 0,
        avg_service_time=max(0.0, (now.average_service or 0) / 1000),
        active_agents=now.agents,
        by_escalation_reason=now.reasons,
        today=_today(live),
        wait=wait,
        first_response=_seconds(today.first_response),
        service=service,
        agent_efficiency=Efficiency(
            avg_takeover_time_sec=wait.average,
            avg_service_time_sec=service.average,
            resolution_rate=_share(today.answered, today.ended),
            avg_sessions_per_agent=_share(now.serving, now.agents),
        ),
        ai_quality=BotQuality(escalation_rate=_share(today.escalations, today.sessions)),
    )


def _today(live: Live) -> TodayOut:
    today = live.today
    return TodayOut(
        since=iso(live.day),
        sessions=today.sessions,
        total_escalations=today.escalations,
        pending=live.now.waiting,
        serving=live.now.serving,
        handled=today.handled,
        by_reason=today.reasons,
        rating=today.rating,
        ratings=today.ratings,
    )


def _seconds(of: Spread) -> Seconds:
    facts = asdict(of)
    count = facts.pop("count")
    return Seconds(count=count, **{name: None if value is None else value / 1000 for name, value in facts.items()})


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None
