import httpx2
import pytest

from actors import Agent, Stage
from kefu.kit.db import Database


@pytest.fixture
def stage(db: Database, client: httpx2.AsyncClient) -> Stage:
    return Stage(db, client)


@pytest.fixture
async def lead(stage: Stage) -> Agent:
    return await stage.agent("boss", "supervisor")
