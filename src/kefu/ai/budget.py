"""What models may cost (spec B5): a call is counted before it is made, as what it costs at most, and set right after.

Calls of a shop are counted one after the other, so that however many begin at once, together they stay in the budget.
"""

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import ClassVar
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, delete, func, or_, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from kefu.ai.books import MICROS, ModelCall, ModelUsage
from kefu.ai.catalog import Prices, price_of
from kefu.ai.ports import Ask, ChatModel, Finished, Piece, ProviderFailed, Usage
from kefu.ai.tokens import estimate, estimate_prompt
from kefu.kit.clock import now_ms
from kefu.kit.db import Database, is_sqlite
from kefu.kit.i18n import Text
from kefu.kit.ids import new_id

# Longer than any call takes. What its process did not set right by then never will be.
HELD_MS = 300_000
KEPT_MS = int(timedelta(days=35).total_seconds() * 1000)
LOCK = text("SELECT pg_advisory_xact_lock(7461, hashtext(:shop))")
USED = """
INSERT INTO model_usage (shop, day, provider, model, purpose, calls, tokens_in, tokens_out, cost, unpriced)
VALUES ($1, $2, $3, $4, $5, 1, $6, $7, $8, $9)
ON CONFLICT (shop, day, provider, model, purpose) DO UPDATE SET calls = model_usage.calls + 1,
    tokens_in = model_usage.tokens_in + excluded.tokens_in, tokens_out = model_usage.tokens_out + excluded.tokens_out,
    cost = model_usage.cost + excluded.cost, unpriced = model_usage.unpriced + excluded.unpriced
"""
SET_RIGHT = "UPDATE model_calls SET tokens = $2, cost = $3, expires_at = NULL WHERE id = $1"


class OverBudget(ProviderFailed):
    """`scope`: whose budget is spent; `provider`: what was not asked therefore."""

    code = "OVER_BUDGET"
    text: ClassVar[Text] = {
        "en": "The budget for models is spent ({scope}).",
        "zh": "模型用量已达预算上限（{scope}）。",
    }


@dataclass(frozen=True, slots=True)
class Limit:
    """At most so many tokens and US dollars; None: without limit."""

    tokens: int | None = None
    money: float | None = None

    def allows(self, tokens: int, micros: int) -> bool:
        return (self.tokens is None or tokens <= self.tokens) and (self.money is None or micros <= self.money * MICROS)


NO_LIMIT = Limit()


@dataclass(frozen=True, slots=True)
class Budget:
    """What a shop allows: to a visitor in a day, to a session, to all in a day and in a month."""

    visitor_day: Limit = NO_LIMIT
    session: Limit = NO_LIMIT
    shop_day: Limit = NO_LIMIT
    shop_month: Limit = NO_LIMIT

    @property
    def is_limited(self) -> bool:
        return self != Budget()


@dataclass(frozen=True, slots=True)
class Payer:
    """Whose budget a call is counted against, beside that of its session. `visitor`: empty when it is for the team.

    `prices`: the shop's own.
    """

    shop: str
    visitor: str = ""
    budget: Budget = field(default_factory=Budget)
    prices: Prices = field(default_factory=dict)


class Books:
    """Counts calls. `prices`: the installation's own."""

    def __init__(self, db: Database, zone: str, prices: Prices) -> None:
        self._db, self._zone, self._prices = db, ZoneInfo(zone), prices

    def cost_of(self, payer: Payer, names: Sequence[str], usage: Usage) -> float | None:
        """US dollars; None when nobody has named a price (`ai.catalog.price_of`). What used nothing costs nothing."""
        if not usage.tokens_in + usage.tokens_out:
            return 0.0
        price = price_of(names, payer.prices, self._prices)
        return price.of(usage) if price else None

    def today(self) -> str:
        return datetime.fromtimestamp(now_ms() / 1000, self._zone).date().isoformat()

    async def reserve(self, payer: Payer, session: str, model: str, usage: Usage) -> str:
        """Count what a call may cost; its id, for `settle`. Raises OverBudget.

        A model without a price is held by budgets of tokens alone.
        """
        now = now_ms()
        call = ModelCall(
            id=new_id("call"),
            shop=payer.shop,
            session=session,
            visitor=payer.visitor,
            day=self.today(),
            at=now,
            expires_at=now + HELD_MS,
            tokens=usage.tokens_in + usage.tokens_out,
            cost=_micros(self.cost_of(payer, (model,), usage)),
        )
        async with self._db.write() as tx:
            if not is_sqlite(tx):  # SQLite has one writer at a time as it is
                await tx.execute(LOCK, {"shop": payer.shop})
            await tx.execute(delete(ModelCall).where(or_(ModelCall.expires_at < now, ModelCall.at < now - KEPT_MS)))
            if scope := await _exceeded(tx, call, payer.budget):
                raise OverBudget(provider=model, reason="budget", scope=scope)
            tx.add(call)
        return call.id

    async def settle(self, payer: Payer, purpose: str, end: Finished, call: str | None) -> None:
        """Write what the call did cost. `call`: what was counted for it before."""
        usage, micros = end.usage, _micros(end.cost)
        spent = (usage.tokens_in, usage.tokens_out, micros, int(end.cost is None))
        await self._db.execute(USED, payer.shop, self.today(), end.provider, end.model, purpose, *spent)
        if call is not None:
            await self._db.execute(SET_RIGHT, call, usage.tokens_in + usage.tokens_out, micros)


def _micros(dollars: float | None) -> int:
    return round((dollars or 0.0) * MICROS)


async def _exceeded(tx: AsyncSession, call: ModelCall, budget: Budget) -> str | None:
    """Whose budget the call would exceed, if any. What ended counts for a shop by the day, what runs by itself."""
    runs = (ModelCall.shop == call.shop) & ModelCall.expires_at.is_not(None)
    of_shop = ModelUsage.shop == call.shop
    scopes: tuple[tuple[str, Limit, ColumnElement[bool], ColumnElement[bool] | None], ...] = (
        ("session", budget.session, ModelCall.session == call.session, None),
        ("visitor", budget.visitor_day, (ModelCall.visitor == call.visitor) & (ModelCall.day == call.day), None),
        ("day", budget.shop_day, runs, of_shop & (ModelUsage.day == call.day)),
        ("month", budget.shop_month, runs, of_shop & ModelUsage.day.startswith(call.day[:8])),
    )
    for scope, limit, calls, used in scopes:
        if limit == NO_LIMIT or (scope == "visitor" and not call.visitor):
            continue
        rows = [(await tx.execute(select(func.sum(ModelCall.tokens), func.sum(ModelCall.cost)).where(calls))).one()]
        if used is not None:
            tokens = func.sum(ModelUsage.tokens_in + ModelUsage.tokens_out)
            rows.append((await tx.execute(select(tokens, func.sum(ModelUsage.cost)).where(used))).one())
        tokens_spent, micros_spent = (sum(int(row[n] or 0) for row in rows) for n in (0, 1))
        if not limit.allows(tokens_spent + call.tokens, micros_spent + call.cost):
            return scope
    return None


class Booked:
    """A model whose calls are counted against `payer`. `provider` and `model`: what it is called before it answers."""

    def __init__(self, inner: ChatModel, books: Books, payer: Payer, provider: str, model: str) -> None:
        self._inner, self._books, self._payer = inner, books, payer
        self._provider, self._model = provider, model

    async def stream(self, ask: Ask) -> AsyncGenerator[Piece | Finished]:
        """Raises OverBudget before anything is asked. However the call ends, what it used is written."""
        asked, call = estimate_prompt(ask.messages), None
        if self._payer.budget.is_limited:
            most = Usage(asked, ask.max_tokens, is_estimated=True)
            call = await self._books.reserve(self._payer, ask.conversation, self._model, most)
        said, end, pieces = "", None, self._inner.stream(ask)
        try:
            async for piece in pieces:
                if isinstance(piece, Piece):
                    said += piece.text
                else:
                    piece = end = self._priced(piece)  # noqa: PLW2901 - it is the same end, with what it cost
                yield piece
        except ProviderFailed:
            asked = asked if said else 0
            raise
        finally:
            await pieces.aclose()
            used = Usage(asked, estimate(said), is_estimated=True)
            end = end or self._priced(Finished(self._provider, self._model, used))
            await self._books.settle(self._payer, ask.purpose, end, call)

    def _priced(self, end: Finished) -> Finished:
        return replace(end, cost=self._books.cost_of(self._payer, (end.model, self._model), end.usage))
