"""What the wallboard shows: how it stands and what the day has brought, counted at most once in CACHE_SECONDS."""

import asyncio
import time
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from kefu.accounts.models import Agent
from kefu.kit.clock import now_ms, start_of_day
from kefu.kit.db import Database
from kefu.sessions.figures import Load, Now, Today, loads, standing, today
from kefu.shops.hours import Hours
from kefu.shops.models import Shop
from kefu.shops.service import find_shop, hours_of

CACHE_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Served:
    """An agent who may serve, and what they have to do."""

    id: str
    name: str
    status: str
    max_sessions: int
    load: Load


@dataclass(frozen=True, slots=True)
class Live:
    """`at`: when it was counted; `day`: when the shop's day began; ms."""

    at: int
    day: int
    now: Now
    today: Today
    agents: list[Served]


class Figures:
    """Counts for everybody at once: who asks while it is counted, or a moment later, gets the same.

    `hours`: of shops that have set none; a day is one of the shop's time zone, of several shops one of theirs.
    """

    def __init__(self, db: Database, expire_seconds: int, hours: Hours) -> None:
        self._db = db
        self._hours = hours
        self._expire_ms = expire_seconds * 1000
        self._counted: dict[str | None, tuple[float, Live]] = {}
        self._turn = asyncio.Lock()

    async def of(self, shop: str | None) -> Live:
        """Of that shop, or of all. Raises ShopNotFound, Busy."""
        if (known := self._fresh(shop)) is not None:
            return known
        async with self._turn:
            if (known := self._fresh(shop)) is not None:
                return known
            async with self._db.read() as tx:
                one = await find_shop(tx, shop) if shop else None
                shops = [one.id] if one else list(await tx.scalars(select(Shop.id)))
                live = await self._count(tx, shops, (hours_of(one, self._hours) if one else self._hours).timezone)
            self._counted[shop] = time.monotonic(), live
            return live

    def _fresh(self, shop: str | None) -> Live | None:
        at, live = self._counted.get(shop) or (0.0, None)
        return live if live and time.monotonic() - at < CACHE_SECONDS else None

    async def _count(self, tx: AsyncSession, shops: list[str], zone: str) -> Live:
        at = now_ms()
        day = start_of_day(at, zone)
        load = await loads(tx, shops, day)
        team = await tx.scalars(select(Agent).where(Agent.is_active).order_by(Agent.name, Agent.id))
        agents = [
            Served(one.id, one.name, one.status, one.max_sessions, load.get(one.id, Load()))
            for one in team
            if "sessions.takeover" in one.permissions
        ]
        now = await standing(tx, shops, at, self._expire_ms)
        return Live(at, day, now, await today(tx, shops, day, at), agents)
