"""Calls of models stay in their budget, however many begin at once, and what they cost stands in the books."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace

import pytest
from sqlalchemy import func, select

from kefu.ai import budget as budgets
from kefu.ai.books import ModelCall, ModelUsage
from kefu.ai.budget import Booked, Books, Budget, Limit, OverBudget, Payer
from kefu.ai.catalog import Price
from kefu.ai.ports import Ask, Finished, Message, Piece, ProviderFailed, Usage
from kefu.ai.tokens import estimate_prompt
from kefu.kit.db import Database

ASK = Ask([Message("user", "How far does it go? " * 5)], "s-1", "answer", max_tokens=100)
MOST = estimate_prompt(ASK.messages) + ASK.max_tokens
USED = Usage(30, 20, is_estimated=False)


class Counted:
    """Says two words and what they cost."""

    async def stream(self, ask: Ask) -> AsyncGenerator[Piece | Finished]:  # noqa: ARG002 - asked for by the port
        yield Piece("80 ")
        await asyncio.sleep(0.01)
        yield Piece("km")
        yield Finished("openai", "mini-2026", USED)


class Refusing:
    async def stream(self, ask: Ask) -> AsyncGenerator[Piece | Finished]:
        if ask.messages:
            raise ProviderFailed(provider="openai", reason="refused")
        yield Piece("never")


@pytest.fixture
def books(db: Database) -> Books:
    return Books(db, "Asia/Shanghai", {"mini": Price(1.0, 10.0), "grand": Price(100.0, 1000.0)})


def payer(budget: Budget, visitor: str = "v-1", shop: str = "default") -> Payer:
    return Payer(shop, visitor, budget)


async def call(books: Books, by: Payer, model: str = "mini", session: str = "s-1") -> bool:
    """Whether the budget allowed it."""
    try:
        async for _ in Booked(Counted(), books, by, "openai", model).stream(replace(ASK, conversation=session)):
            pass
    except OverBudget:
        return False
    return True


async def usage(db: Database) -> list[tuple[object, ...]]:
    columns = (ModelUsage.shop, ModelUsage.provider, ModelUsage.model, ModelUsage.purpose, ModelUsage.calls)
    numbers = (ModelUsage.tokens_in, ModelUsage.tokens_out, ModelUsage.cost)
    async with db.read() as tx:
        return [tuple(row) for row in await tx.execute(select(*columns, *numbers).order_by(*columns))]


async def test_what_a_call_cost_stands_in_the_books(db: Database, books: Books) -> None:
    for _ in range(3):
        assert await call(books, payer(Budget()))
    cost = USED.tokens_in + 10 * USED.tokens_out
    assert await usage(db) == [("default", "openai", "mini-2026", "answer", 3, 90, 60, 3 * cost)]


@pytest.mark.parametrize("scope", ["visitor_day", "session", "shop_day", "shop_month"])
async def test_a_budget_holds_when_all_begin_at_once(db: Database, books: Books, scope: str) -> None:
    """Each call may cost MOST and does cost 50 tokens; with room for three at a time, more fit one after the other."""
    limited = payer(Budget(**{scope: Limit(tokens=3 * MOST)}))
    allowed = sum(await asyncio.gather(*(call(books, limited) for _ in range(12))))
    assert 3 <= allowed < 12
    while await call(books, limited):
        allowed += 1
    async with db.read() as tx:
        spent, held = (await tx.execute(select(func.sum(ModelCall.tokens), func.count(ModelCall.expires_at)))).one()
    assert (spent, held) == (allowed * 50, 0)
    assert 3 * MOST - MOST < spent <= 3 * MOST


@pytest.mark.parametrize(
    ("scope", "other"),
    [
        ("visitor_day", {"visitor": "v-2"}),
        ("session", {}),
        ("shop_day", {"shop": "other"}),
        ("shop_month", {"shop": "other"}),
    ],
)
async def test_a_budget_is_of_its_own_scope_alone(books: Books, scope: str, other: dict[str, str]) -> None:
    budget = Budget(**{scope: Limit(tokens=MOST)})
    assert await call(books, payer(budget))
    assert not await call(books, payer(budget))
    assert await call(books, payer(budget, **other), session="s-2" if scope == "session" else "s-1")


async def test_money_is_counted_by_the_price_of_what_is_asked(books: Books) -> None:
    """A dear model is over a budget that a cheap one is not."""
    limited = payer(Budget(shop_day=Limit(money=0.01)))
    assert not await call(books, limited, "grand")
    assert await call(books, limited, "mini")


async def test_what_a_dead_process_held_is_given_back(
    db: Database, books: Books, monkeypatch: pytest.MonkeyPatch
) -> None:
    limited = payer(Budget(session=Limit(tokens=MOST)))
    monkeypatch.setattr(budgets, "HELD_MS", -1)
    await books.reserve(limited, "s-1", "mini", Usage(MOST, 0, is_estimated=True))
    assert await call(books, limited)
    async with db.read() as tx:
        assert (await tx.execute(select(func.count()).select_from(ModelCall))).scalar_one() == 1


async def test_a_call_that_nobody_waits_for_any_more_counts_as_far_as_it_came(db: Database, books: Books) -> None:
    limited = payer(Budget(session=Limit(tokens=10 * MOST)))
    async with aclosing(Booked(Counted(), books, limited, "openai", "mini").stream(ASK)) as pieces:
        await anext(pieces)
    asked = estimate_prompt(ASK.messages)
    assert await usage(db) == [("default", "openai", "mini", "answer", 1, asked, 1, asked + 10)]
    async with db.read() as tx:
        assert (await tx.execute(select(ModelCall.tokens, ModelCall.expires_at))).one() == (asked + 1, None)


async def test_a_call_that_reached_nobody_costs_nothing(db: Database, books: Books) -> None:
    with pytest.raises(ProviderFailed):
        [_ async for _ in Booked(Refusing(), books, payer(Budget()), "openai", "mini").stream(ASK)]
    assert await usage(db) == [("default", "openai", "mini", "answer", 1, 0, 0, 0)]
