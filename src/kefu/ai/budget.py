"""What models may cost (spec B5): a call is counted before it is made, as what it costs at most, and set right after.

Calls of a shop are counted one after the other, so that however many begin at once, together they stay in the budget.
"""

import sqlite3
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

from prometheus_client import Counter

from kefu.ai.books import MICROS
from kefu.ai.catalog import Prices, price_of
from kefu.ai.ports import Ask, ChatModel, Finished, Piece, ProviderFailed, Usage
from kefu.ai.tokens import estimate, estimate_prompt
from kefu.kit.clock import now_ms
from kefu.kit.db import Database, rows_in
from kefu.kit.i18n import Text
from kefu.kit.ids import new_id
from kefu.kit.metrics import few
from kefu.kit.sqlite import numbered

# Longer than any call takes. What its process did not set right by then never will be.
HELD_MS = 300_000
KEPT_MS = int(timedelta(days=35).total_seconds() * 1000)
LOCK = "SELECT pg_advisory_xact_lock(7461, hashtext($1))"
GONE = "DELETE FROM model_calls WHERE (shop = $1 AND expires_at < $2) OR at < $3 RETURNING id"
# What ended counts for a shop by the day, what runs by itself.
SPENT = """
SELECT scope, sum(tokens), sum(cost) FROM (
    SELECT 'session' AS scope, tokens, cost FROM model_calls WHERE session = $1
    UNION ALL SELECT 'visitor', tokens, cost FROM model_calls WHERE visitor = $2 AND visitor <> '' AND day = $3
    UNION ALL SELECT 'running', tokens, cost FROM model_calls WHERE shop = $4 AND expires_at IS NOT NULL
    UNION ALL SELECT 'day', tokens_in + tokens_out, cost FROM model_usage WHERE shop = $4 AND day = $3
    UNION ALL SELECT 'month', tokens_in + tokens_out, cost FROM model_usage WHERE shop = $4 AND day LIKE $5
) AS calls GROUP BY scope
"""
HELD = """
INSERT INTO model_calls (id, shop, session, visitor, day, at, expires_at, tokens, cost)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) RETURNING id
"""
USED = """
INSERT INTO model_usage (shop, day, provider, model, purpose, calls, tokens_in, tokens_out, cost, unpriced)
VALUES ($1, $2, $3, $4, $5, 1, $6, $7, $8, $9)
ON CONFLICT (shop, day, provider, model, purpose) DO UPDATE SET calls = model_usage.calls + 1,
    tokens_in = model_usage.tokens_in + excluded.tokens_in, tokens_out = model_usage.tokens_out + excluded.tokens_out,
    cost = model_usage.cost + excluded.cost, unpriced = model_usage.unpriced + excluded.unpriced
"""
TOKENS = Counter("kefu_model_tokens_total", "Tokens that models used", ["provider", "model", "direction"])
COST = Counter("kefu_model_cost_dollars_total", "What models cost, as far as a price is known", ["provider", "model"])
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

    def priced(self, payer: Payer, end: Finished, asked: str) -> Finished:
        """With what it cost. `asked`: the name that the model was asked for."""
        return replace(end, cost=self.cost_of(payer, (end.model, asked), end.usage))

    def today(self) -> str:
        return datetime.fromtimestamp(now_ms() / 1000, self._zone).date().isoformat()

    async def reserve(self, payer: Payer, session: str, model: str, usage: Usage) -> str:
        """Count what a call may cost; its id, for `settle`. Raises OverBudget, Busy.

        On the way of each answer, so it is plain SQL: a third of what the same takes as objects. A model without a
        price is held by budgets of tokens alone.
        """
        now, day = now_ms(), self.today()
        most = usage.tokens_in + usage.tokens_out, _micros(self.cost_of(payer, (model,), usage))
        call = (new_id("call"), payer.shop, session, payer.visitor, day, now, now + HELD_MS, *most)
        gone = GONE, (payer.shop, now, now - KEPT_MS)
        spent = SPENT, (session, payer.visitor, day, payer.shop, f"{day[:8]}%")

        def check(rows: Sequence[Any]) -> None:
            if scope := _exceeded(rows, most, payer):
                raise OverBudget(provider=model, reason="budget", scope=scope)

        def hold(connection: sqlite3.Connection) -> None:
            connection.execute(numbered(gone[0]), gone[1])
            check(connection.execute(numbered(spent[0]), spent[1]).fetchall())
            connection.execute(numbered(HELD), call)

        if self._db.is_sqlite:  # one writes at a time as it is
            await self._db.group.run(hold)
            return call[0]
        async with self._db.write() as tx:
            await rows_in(tx, LOCK, payer.shop)
            await rows_in(tx, gone[0], *gone[1])
            check(await rows_in(tx, spent[0], *spent[1]))
            await rows_in(tx, HELD, *call)
        return call[0]

    async def settle(self, payer: Payer, purpose: str, end: Finished, call: str | None) -> None:
        """Write what the call did cost. `call`: what was counted for it before."""
        usage, micros = end.usage, _micros(end.cost)
        spent = (usage.tokens_in, usage.tokens_out, micros, int(end.cost is None))
        await self._db.execute(USED, payer.shop, self.today(), end.provider, end.model, purpose, *spent)
        labels = end.provider, few("model", end.model)
        TOKENS.labels(*labels, "in").inc(usage.tokens_in)
        TOKENS.labels(*labels, "out").inc(usage.tokens_out)
        COST.labels(*labels).inc(end.cost or 0.0)
        if call is not None:
            await self._db.execute(SET_RIGHT, call, usage.tokens_in + usage.tokens_out, micros)


def _micros(dollars: float | None) -> int:
    return round((dollars or 0.0) * MICROS)


def _exceeded(rows: Sequence[Any], most: tuple[int, int], payer: Payer) -> str | None:
    """Whose budget a call that costs `most` would exceed, if any. `rows`: of SPENT."""
    spent = {scope: (int(tokens), int(micros)) for scope, tokens, micros in rows}
    budget = payer.budget
    scopes: tuple[tuple[str, Limit, tuple[str, ...]], ...] = (
        ("session", budget.session, ("session",)),
        ("visitor", budget.visitor_day if payer.visitor else NO_LIMIT, ("visitor",)),
        ("day", budget.shop_day, ("running", "day")),
        ("month", budget.shop_month, ("running", "month")),
    )
    for scope, limit, parts in scopes:
        counted = [most, *(spent.get(part, (0, 0)) for part in parts)]
        if not limit.allows(sum(one[0] for one in counted), sum(one[1] for one in counted)):
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
                    piece = end = self._books.priced(self._payer, piece, self._model)  # noqa: PLW2901 - it is the same end, with what it cost
                yield piece
        except ProviderFailed:
            asked = asked if said else 0
            raise
        finally:
            await pieces.aclose()
            used = Usage(asked, estimate(said), is_estimated=True)
            end = end or self._books.priced(self._payer, Finished(self._provider, self._model, used), self._model)
            await self._books.settle(self._payer, ask.purpose, end, call)
