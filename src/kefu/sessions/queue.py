"""Who waits for a person, in which order, and for how long yet."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from statistics import median
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from kefu.accounts.duty import on_duty
from kefu.accounts.models import Agent
from kefu.sessions.episodes import UNASKED
from kefu.sessions.models import Episode, Session
from kefu.sessions.priority import order
from kefu.sessions.states import Status
from kefu.shops.models import Shop
from kefu.shops.service import is_auto

IS_WAITING = Session.status == Status.PENDING_MANUAL.value
PUBLISHED = 1000
# What the estimate is made from: the last waits of the shop, as long as they tell something of now.
WAITS = 20
RECENT_MS = int(timedelta(hours=6).total_seconds() * 1000)


@dataclass(frozen=True, slots=True)
class Place:
    """`position` from 1 among the `waiting` of the shop; `pace`: seconds a place takes, None when nobody can know."""

    session: str
    shop: str
    position: int
    waiting: int
    pace: float | None = None

    @property
    def estimate(self) -> int | None:
        """Seconds until a person comes."""
        return None if self.pace is None else round(self.pace * self.position)

    @property
    def facts(self) -> dict[str, int | None]:
        """What the visitor is told."""
        return {"position": self.position, "waiting": self.waiting, "estimate_seconds": self.estimate}


def _places(now: int) -> Select[Any]:
    """Name, shop, position and how many wait, of everybody who waits; the order is that of the whole queue."""
    position = func.row_number().over(partition_by=Session.shop, order_by=order(now))
    waiting = func.count().over(partition_by=Session.shop)
    columns = (Session.name, Session.shop, position.label("position"), waiting.label("waiting"))
    return select(*columns).where(IS_WAITING)


async def places(tx: AsyncSession, now: int) -> list[Place]:
    """The places of all who wait."""
    found = [Place(*row) for row in await tx.execute(_places(now).order_by(*order(now)).limit(PUBLISHED))]
    pace = await _paces(tx, {one.shop for one in found}, now)
    return [Place(one.session, one.shop, one.position, one.waiting, pace.get(one.shop)) for one in found]


async def place_of(tx: AsyncSession, name: str, shop: str, now: int) -> Place | None:
    """The place of one session; None when nobody is awaited there any more."""
    queue = _places(now).where(Session.shop == shop).subquery()
    row = (await tx.execute(select(queue).where(queue.c.name == name))).first()
    if row is None:
        return None
    name, shop, position, count = row
    return Place(name, shop, position, count, (await _paces(tx, [shop], now)).get(shop))


async def waiting(tx: AsyncSession, now: int, limit: int, shop: str | None = None) -> list[tuple[Session, Place]]:
    """The first of the queue, of all shops or of one, each with its place in its shop."""
    query = _places(now).order_by(*order(now)).limit(limit).add_columns(Session)
    if shop is not None:
        query = query.where(Session.shop == shop)
    rows = (await tx.execute(query)).all()
    pace = await _paces(tx, {row[1] for row in rows}, now)
    return [
        (session, Place(name, shop, position, count, pace.get(shop))) for name, shop, position, count, session in rows
    ]


async def count(tx: AsyncSession, shop: str | None = None) -> int:
    """How many wait."""
    query = select(func.count()).select_from(Session).where(IS_WAITING)
    found: int = (await tx.execute(query if shop is None else query.where(Session.shop == shop))).scalar_one()
    return found


async def counts(tx: AsyncSession) -> dict[str, int]:
    """How many wait in each shop where anybody does."""
    counted = select(Session.shop, func.count()).where(IS_WAITING).group_by(Session.shop)
    return dict((await tx.execute(counted)).all())


async def unoffered(tx: AsyncSession, now: int, limit: int) -> list[Session]:
    """The first who wait in shops that assign by themselves, and are offered to nobody."""
    waits = select(Session).join(Shop, Shop.id == Session.shop).where(is_auto(), IS_WAITING, Session.agent_id.is_(None))
    return list(await tx.scalars(waits.order_by(*order(now)).limit(limit)))


async def lock_late(tx: AsyncSession, now: int, minutes: tuple[int, int], limit: int) -> list[Session]:
    """VIPs, and others, who have waited for so many minutes without the team being told; whose row is held, later."""
    of_vip, of_anybody = minutes

    def late(least: int) -> ColumnElement[bool]:
        return and_(Session.escalated_at <= now - least * 60_000, Session.reminded < least)

    due = select(Session).where(IS_WAITING, or_(and_(Session.is_vip, late(of_vip)), late(of_anybody)))
    return list(await tx.scalars(due.order_by(Session.escalated_at).limit(limit).with_for_update(skip_locked=True)))


async def _paces(tx: AsyncSession, shops: Iterable[str], now: int) -> dict[str, float]:
    """Seconds a place takes: the median of the shop's last waits, shared by the agents on duty."""
    agents: int = (await tx.execute(select(func.count()).select_from(Agent).where(on_duty(now)))).scalar_one()
    if not agents:
        return {}
    found = {shop: await _last_waits(tx, shop, now) for shop in shops}
    return {shop: median(waits) / 1000 / agents for shop, waits in found.items() if waits}


async def _last_waits(tx: AsyncSession, shop: str, now: int) -> list[int]:
    wait = Episode.taken_at - Episode.started_at
    waited = select(wait).where(Episode.shop == shop, Episode.taken_at > now - RECENT_MS)
    waited = waited.where(Episode.reason != UNASKED).order_by(Episode.taken_at.desc()).limit(WAITS)
    return [ms for ms in (await tx.execute(waited)).scalars() if ms is not None]
