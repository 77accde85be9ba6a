"""What the whole installation looks like now, for the metrics: read from the database, so every process says the same.

Prometheus takes the largest of what the processes say (`max without (instance)`), never the sum.
"""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import case, func, select

from kefu.accounts.duty import on_duty
from kefu.accounts.models import Agent
from kefu.ai.books import MICROS, ModelUsage
from kefu.ai.budget import Books, Limit
from kefu.answering.models import BotSettings
from kefu.answering.models_of import budget_of
from kefu.backups.work import last_backups
from kefu.jobs.queue import standing
from kefu.kit.clock import now_ms
from kefu.kit.db import Database
from kefu.kit.errors import Unavailable
from kefu.sessions.figures import open_by_state
from kefu.sessions.states import Status
from kefu.shops.hours import Hours, is_open
from kefu.shops.models import Shop
from kefu.shops.service import hours_of

SECONDS = 2.0  # for all of it: Prometheus waits ten
FRESH_MS = 3_000  # so often at most, however many read


@dataclass(frozen=True, slots=True)
class Installation:
    """`sessions`: open ones by state; `oldest_wait`: seconds that who waits longest for a person has waited.

    `agents`: who customers may be given to; `open_shops`: within service hours. By lane, `due`: jobs that nobody has
    taken, and `oldest_due`: seconds since the first of them should have begun; `dead`: given up. `budgets`: the largest
    share that any shop has used of its `day` and its `month`, 1: all of it. By part, `backed_up`: until when all is in
    a backup, Unix seconds, and `backup_sizes`: bytes.
    """

    at: int = 0
    sessions: dict[str, int] = field(default_factory=dict)
    oldest_wait: float = 0.0
    agents: int = 0
    open_shops: int = 0
    due: dict[str, int] = field(default_factory=dict)
    oldest_due: dict[str, float] = field(default_factory=dict)
    dead: dict[str, int] = field(default_factory=dict)
    budgets: dict[str, float] = field(default_factory=dict)
    backed_up: dict[str, float] = field(default_factory=dict)
    backup_sizes: dict[str, int] = field(default_factory=dict)


class InstallationReader:
    """`hours` hold for shops that have none of their own; `zone`: in which the days of budgets begin."""

    def __init__(self, db: Database, hours: Hours, zone: str) -> None:
        self._db, self._hours, self._books = db, hours, Books(db, zone, {})
        self._known: Installation | None = None
        self._reading = asyncio.Lock()

    async def read(self) -> Installation | None:
        """None when the database does not say it in time."""
        try:
            async with self._reading, asyncio.timeout(SECONDS):
                now = now_ms()
                if self._known is None or now - self._known.at > FRESH_MS:
                    self._known = await self._read(now)
                return self._known
        except (Unavailable, TimeoutError):
            self._known = None
            return None

    def forget(self) -> None:
        """Read anew next time."""
        self._known = None

    async def _read(self, now: int) -> Installation:
        async with self._db.read() as tx:
            states = await open_by_state(tx)
            agents = await tx.scalar(select(func.count()).select_from(Agent).where(on_duty(now)))
            shops = (await tx.scalars(select(Shop))).all()
            jobs = await standing(tx)
            bots = (await tx.scalars(select(BotSettings))).all()
            backups = await last_backups(tx)
            used = (await tx.execute(_used(self._books.today()))).all()
        _, since = states[Status.PENDING_MANUAL]
        return Installation(
            at=now,
            sessions={state.value: count for state, (count, _) in states.items()},
            oldest_wait=max(now - since, 0) / 1000 if since else 0.0,
            agents=agents or 0,
            open_shops=sum(is_open(hours_of(one, self._hours), now) for one in shops),
            due={lane: count for lane, (count, _) in jobs.waiting.items()},
            oldest_due={lane: max(now - first, 0) / 1000 for lane, (_, first) in jobs.waiting.items()},
            dead=jobs.dead,
            budgets=_shares(bots, used),
            backed_up={part: one.at / 1000 for part, one in backups.items()},
            backup_sizes={part: one.bytes for part, one in backups.items()},
        )


def _used(today: str) -> Any:
    """By shop the tokens and the money of today and of this month."""
    tokens, is_today = ModelUsage.tokens_in + ModelUsage.tokens_out, ModelUsage.day == today
    sums = (
        func.sum(case((is_today, tokens), else_=0)),
        func.sum(case((is_today, ModelUsage.cost), else_=0)),
        func.sum(tokens),
        func.sum(ModelUsage.cost),
    )
    return select(ModelUsage.shop, *sums).where(ModelUsage.day.startswith(today[:8])).group_by(ModelUsage.shop)


def _shares(bots: Iterable[BotSettings], used: Iterable[Any]) -> dict[str, float]:
    spent = {shop: [int(one) for one in sums] for shop, *sums in used}
    shares = {"day": 0.0, "month": 0.0}
    for bot in bots:
        budget, sums = budget_of(bot), spent.get(bot.shop, [0] * 4)
        shares["day"] = max(shares["day"], _share(budget.shop_day, *sums[:2]))
        shares["month"] = max(shares["month"], _share(budget.shop_month, *sums[2:]))
    return shares


def _share(limit: Limit, tokens: int, micros: int) -> float:
    """Of a limit of nothing all is used."""
    return max(
        (used / most if most else 1.0) if most is not None else 0.0
        for used, most in ((tokens, limit.tokens), (micros / MICROS, limit.money))
    )
