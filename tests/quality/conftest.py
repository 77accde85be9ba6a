"""A shop with a little knowledge, its lead, and the bot that answers from articles."""

import pytest

from actors import Agent, Stage
from kefu.answering.builtin import BuiltinAnswerer
from kefu.answering.ports import Answerer
from kefu.kit.db import Database
from quality.shelf import Shelf


@pytest.fixture
def answerer(db: Database) -> Answerer:
    return BuiltinAnswerer(db)


@pytest.fixture
async def lead(stage: Stage) -> Agent:
    return await stage.agent("lin", "supervisor")


@pytest.fixture
async def shelf(lead: Agent, db: Database) -> Shelf:
    return await Shelf(lead, db).filled()
