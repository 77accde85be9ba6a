"""A shop with a little knowledge, and a model that says what the test has it say, or nothing at all."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from datetime import timedelta

import pytest
from fastapi import FastAPI

from kefu.ai.ports import Ask, ChatModel, Finished, Piece
from kefu.ai.scripted import ScriptedModel
from kefu.answering.builtin import BuiltinAnswerer
from kefu.assisting import reading
from kefu.jobs import worker
from kefu.kit.config import Settings
from kefu.kit.db import Database
from kefu.knowledge.service import Content, put_published
from kefu.main import create_app
from kefu.shops.service import first_shop
from kefu.workers import Helped, bulk_worker

RETURNS = Content(
    "en",
    "Returning goods",
    "You may return goods within 30 days. Send them to our warehouse in Lille with the form from the parcel.",
    "returns",
    questions=["How do I return something?", "How long can I send goods back?"],
)
REFUNDS = Content("en", "Refunds", "A refund takes 5 days after we have the goods.", "refunds")
RETURNS_ZH = Content("zh", "退货", "30 天内可以退货。", "returns", questions=["怎么退货？"])


class Model:
    """What the shop has for a model: `script` says what it answers, None that there is none, a hanging one nothing."""

    def __init__(self) -> None:
        self.script: Callable[[Ask], str] | None = None
        self.hangs = False
        self.asked: list[Ask] = []

    async def of(self, _: str) -> ChatModel | None:
        if self.hangs:
            return Hanging()
        return self if self.script else None

    async def stream(self, ask: Ask) -> AsyncGenerator[Piece | Finished]:
        self.asked.append(ask)
        assert self.script is not None
        async for piece in ScriptedModel(self.script).stream(ask):
            yield piece


class Hanging:
    """Takes the question, says a word, and then nothing more."""

    async def stream(self, _: Ask) -> AsyncGenerator[Piece | Finished]:
        yield Piece('{"wants": "')
        await asyncio.sleep(3600)


@pytest.fixture
def model() -> Model:
    return Model()


@pytest.fixture
async def app(
    settings: Settings, db: Database, model: Model, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[FastAPI]:
    """With the worker of another process beside it, where that is how it runs; workers look around often."""
    monkeypatch.setattr(worker, "POLL_SECONDS", 0.1)
    monkeypatch.setattr(reading, "EVERY", timedelta(seconds=0.2))
    async with db.write() as tx:
        await first_shop(tx)
        await put_published(tx, "default", [RETURNS, REFUNDS, RETURNS_ZH])
    app = create_app(settings, BuiltinAnswerer(db), model_of=model.of)
    async with app.router.lifespan_context(app):
        bulk = None if db.is_sqlite else bulk_worker(db, settings, Helped(BuiltinAnswerer(db), model.of))
        if bulk:
            bulk.start()
        yield app
        if bulk:
            await bulk.stop()
