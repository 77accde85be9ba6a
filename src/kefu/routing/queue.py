"""Tells the team, once each, of those who wait too long and of a queue that grows too long (spec H3)."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, ClassVar

from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from kefu.bus.telling import tell
from kefu.jobs.queue import Lane, Taken, Work, again, again_alone
from kefu.kit.clock import now_ms
from kefu.kit.db import Database
from kefu.log.log import SYSTEM, Fact
from kefu.routing.team import colleagues
from kefu.sessions.queue import counts, lock_late
from kefu.sessions.service import record
from kefu.shops.models import Shop

EVERY = timedelta(seconds=10)
REMINDED = "queue.reminded"
# Minutes of waiting: of a VIP, and of anybody.
VIP_WAITS, ANYBODY_WAITS = 2, 5
CROWD = 10
BATCH = 100
# Whether there may be anything to do, by one statement: nearly always there is not.
ANYTHING = """
SELECT 1 WHERE EXISTS (SELECT 1 FROM sessions WHERE status = 'pending_manual')
    OR EXISTS (SELECT 1 FROM shops WHERE crowded_at IS NOT NULL)
"""


@dataclass(frozen=True, slots=True)
class RemindQueue(Work):
    """Tell the team of long waits. Recurring."""

    kind: ClassVar[str] = "remind_queue"
    lane: ClassVar[Lane] = "talk"


async def remind_queue(db: Database, job: Taken) -> None:
    """Handles `RemindQueue`."""
    if not await db.fetch(ANYTHING):
        await again_alone(db, job, EVERY)
        return
    async with db.write() as tx:
        news = [*await _long_waits(tx), *await _crowds(tx)]
        if news:
            await _tell_team(tx, news)
        await again(tx, job, EVERY)


async def _long_waits(tx: AsyncSession) -> list[dict[str, Any]]:
    """Leave in each session's log that the team was told; what to tell them."""
    now = now_ms()
    news = []
    for session in await lock_late(tx, now, (VIP_WAITS, ANYBODY_WAITS), BATCH):
        waited = (now - (session.escalated_at or now)) // 60_000
        minutes = ANYBODY_WAITS if waited >= ANYBODY_WAITS else VIP_WAITS
        await record(tx, session, Fact(REMINDED, SYSTEM, {"minutes": minutes}, audience="internal"))
        name = session.nickname or ""
        news.append({"what": "wait", "shop": session.shop, "session": session.name, "name": name, "minutes": minutes})
    return news


async def _crowds(tx: AsyncSession) -> list[dict[str, Any]]:
    """Shops whose queue has just become too long; the next time counts after it was short again."""
    waiting = await counts(tx)
    crowded = {shop for shop, count in waiting.items() if count > CROWD}
    moved = or_(Shop.crowded_at.is_not(None), Shop.id.in_(crowded))
    news = []
    for shop in (await tx.scalars(select(Shop).where(moved).order_by(Shop.id).with_for_update())).all():
        if shop.id in crowded and shop.crowded_at is None:
            shop.crowded_at = now_ms()
            news.append({"what": "crowd", "shop": shop.id, "waiting": waiting[shop.id]})
        elif shop.id not in crowded:
            shop.crowded_at = None
    return news


async def _tell_team(tx: AsyncSession, news: list[dict[str, Any]]) -> None:
    """Everybody on duty, and leads whatever they do."""
    now = now_ms()
    for one in await colleagues(tx):
        if one.is_on_duty(now) or (one.is_lead and one.is_here(now)):
            for facts in news:
                tell(tx, one.id, REMINDED, **facts)
