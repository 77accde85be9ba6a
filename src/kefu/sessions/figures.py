"""Figures of what happens now and today, counted where they stand: sessions, episodes and stints, each by an index.

Durations are ms. Who asks for all shops names them all: the indexes begin with the shop.
"""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Integer, cast, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from kefu.sessions.models import Episode, Session, Stint
from kefu.sessions.queries import visible
from kefu.sessions.states import Status
from kefu.sessions.visibility import KEFU

HOUR = 3_600_000
UNASKED = "unasked"


@dataclass(frozen=True, slots=True)
class Spread:
    """Of so many durations; all None when there are none. `median` and `p90` are by nearest rank."""

    count: int
    average: float | None = None
    median: int | None = None
    p90: int | None = None
    longest: int | None = None


@dataclass(frozen=True, slots=True)
class Now:
    """`oldest_wait`: when the longest wait began; `serving` sessions are in the hands of `agents` agents."""

    counts: dict[Status, int]
    waiting: int
    oldest_wait: int | None
    average_wait: float | None
    serving: int
    agents: int
    average_service: float | None
    reasons: dict[str, int]


@dataclass(frozen=True, slots=True)
class Today:
    """`sessions` began today; of the `escalations` that began today `ended` are over, `answered` by a person.

    `hours`: sessions and escalations by full hours since the day began.
    """

    sessions: int
    escalations: int
    ended: int
    answered: int
    handled: int
    rating: float | None
    ratings: int
    reasons: dict[str, int]
    hours: list[tuple[int, int]]
    wait: Spread
    first_response: Spread
    service: Spread


@dataclass(frozen=True, slots=True)
class Load:
    serving: int = 0
    handled: int = 0


async def open_by_state(tx: AsyncSession) -> dict[Status, tuple[int, int | None]]:
    """In each state but closed, how many sessions there are in all shops, and when the first was escalated."""
    states = [one for one in Status if one is not Status.CLOSED]
    query = select(Session.status, func.count(), func.min(Session.escalated_at)).where(Session.status.in_(states))
    rows = (await tx.execute(query.group_by(Session.status))).all()
    return dict.fromkeys(states, (0, None)) | {Status(state): (count, first) for state, count, first in rows}


async def standing(tx: AsyncSession, shops: list[str], now: int, expire_ms: int) -> Now:
    """How it stands: the states of sessions in which something happened within `expire_ms`, who waits, who serves."""
    here = visible(KEFU).where(Session.shop.in_(shops))
    by_status = here.where(Session.updated_at > now - expire_ms).with_only_columns(Session.status, func.count())
    counts = dict.fromkeys(Status, 0)
    counts |= {Status(status): count for status, count in await tx.execute(by_status.group_by(Session.status))}
    waits = here.where(Session.status == Status.PENDING_MANUAL.value).with_only_columns(
        func.count(), func.min(Session.escalated_at), func.avg(now - Session.escalated_at)
    )
    live = here.where(Session.status == Status.MANUAL_LIVE.value).with_only_columns(
        func.count(), func.count(Session.agent_id.distinct()), func.avg(now - Session.manual_started_at)
    )
    waiting, oldest, average_wait = (await tx.execute(waits)).one()
    serving, agents, average_service = (await tx.execute(live)).one()
    asked = here.where(Session.status.in_([Status.PENDING_MANUAL.value, Status.MANUAL_LIVE.value]))
    asked = asked.where(Session.escalation_reason.is_not(None))
    reasons = await tx.execute(
        asked.with_only_columns(Session.escalation_reason, func.count()).group_by(Session.escalation_reason)
    )
    return Now(
        counts,
        waiting,
        oldest,
        _number(average_wait),
        serving,
        agents,
        _number(average_service),
        {reason or "": count for reason, count in reasons},
    )


async def today(tx: AsyncSession, shops: list[str], start: int, now: int) -> Today:
    """What began since `start`."""
    began = (Episode.shop.in_(shops), Episode.started_at >= start)
    taken = (Episode.shop.in_(shops), Episode.taken_at >= start, Episode.reason != UNASKED)
    stints = (Stint.shop.in_(shops), Stint.started_at >= start)
    asked = (*began, Episode.reason != UNASKED)
    answered = func.count().filter(Episode.ended_at.is_not(None), Episode.replied_at.is_not(None))
    query = select(func.count(Episode.ended_at), answered, func.avg(Episode.rating), func.count(Episode.rating))
    ended, replied, rating, ratings = (await tx.execute(query.where(*began))).one()
    reasons = await tx.execute(select(Episode.reason, func.count()).where(*asked).group_by(Episode.reason))
    opened = await _by_hour(tx, Session.created_at, start, Session.shop.in_(shops), Session.created_at >= start)
    escalated = await _by_hour(tx, Episode.started_at, start, *asked)
    hours = [(opened.get(hour, 0), escalated.get(hour, 0)) for hour in range((now - start) // HOUR + 1)]
    service = await spread(tx, Stint.started_at, Stint.ended_at, *stints)
    return Today(
        sessions=sum(opened.values()),
        escalations=sum(escalated.values()),
        ended=ended,
        answered=replied,
        handled=service.count,
        rating=_number(rating),
        ratings=ratings,
        reasons=dict(reasons.all()),
        hours=hours,
        wait=await spread(tx, Episode.started_at, Episode.taken_at, *taken),
        first_response=await spread(tx, Episode.started_at, Episode.replied_at, *taken),
        service=service,
    )


async def spread(tx: AsyncSession, start: Any, end: Any, *where: ColumnElement[bool]) -> Spread:
    """Of the durations from `start` to `end` in the rows that have both."""
    took = end - start
    ranked = select(
        took.label("took"),
        func.row_number().over(order_by=took).label("place"),
        func.count().over().label("many"),
    )
    each = ranked.where(end.is_not(None), *where).subquery()
    # The smallest that at least so large a part does not exceed; in whole numbers, which both engines divide alike.
    median, p90 = (func.min(each.c.took).filter(each.c.place * 100 >= each.c.many * part) for part in (50, 90))
    count, average, *others = (
        await tx.execute(select(func.count(), func.avg(each.c.took), median, p90, func.max(each.c.took)))
    ).one()
    return Spread(count, _number(average), *others)


async def loads(tx: AsyncSession, shops: list[str], start: int) -> dict[str, Load]:
    """What each agent has now, and the parts that they began and ended since `start`."""
    live = visible(KEFU).where(Session.status == Status.MANUAL_LIVE.value, Session.shop.in_(shops))
    serving = await tx.execute(live.with_only_columns(Session.agent_id, func.count()).group_by(Session.agent_id))
    done = select(Stint.agent_id, func.count()).where(
        Stint.shop.in_(shops), Stint.started_at >= start, Stint.ended_at.is_not(None)
    )
    handled: dict[str, int] = dict((await tx.execute(done.group_by(Stint.agent_id))).all())
    now = {agent or "": count for agent, count in serving}
    return {agent: Load(now.get(agent, 0), handled.get(agent, 0)) for agent in now.keys() | handled.keys()}


async def _by_hour(tx: AsyncSession, at: Any, start: int, *where: ColumnElement[bool]) -> dict[int, int]:
    hour = cast((at - start - (at - start) % HOUR) / HOUR, Integer).label("hour")
    each = select(hour).where(*where).subquery()
    return dict((await tx.execute(select(each.c.hour, func.count()).group_by(each.c.hour))).all())


def _number(value: Any) -> float | None:
    return None if value is None else float(value)
