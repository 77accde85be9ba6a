"""A shop with a little knowledge, its lead, and the bot that answers from articles."""

import pytest

from actors import Agent, Stage
from kefu.answering.builtin import BuiltinAnswerer
from kefu.answering.ports import Answerer
from kefu.jobs import worker
from kefu.kit.db import Database
from quality.shelf import Shelf


@pytest.fixture(autouse=True)
def eager(monkeypatch: pytest.MonkeyPatch) -> None:
    """Workers look around often for what another process put into the queue."""
    monkeypatch.setattr(worker, "POLL_SECONDS", 0.1)


@pytest.fixture
def answerer(db: Database) -> Answerer:
    return BuiltinAnswerer(db)


@pytest.fixture
async def lead(stage: Stage) -> Agent:
    return await stage.agent("lin", "supervisor")


@pytest.fixture
async def shelf(lead: Agent, db: Database) -> Shelf:
    return await Shelf(lead, db).filled()
