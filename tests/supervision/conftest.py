"""The bot of these tests answers as its question says."""

from collections.abc import AsyncIterator

import pytest
from fastapi import FastAPI

from kefu.answering.ports import Answerer
from kefu.jobs import worker
from kefu.kit.config import Settings
from kefu.kit.db import Database
from kefu.workers import bulk_worker
from supervision.watched import ToldAnswerer


@pytest.fixture(autouse=True)
def eager(monkeypatch: pytest.MonkeyPatch) -> None:
    """Workers look around often for what another process put into the queue."""
    monkeypatch.setattr(worker, "POLL_SECONDS", 0.1)


@pytest.fixture
def answerer() -> Answerer:
    return ToldAnswerer()


@pytest.fixture
async def bulk(app: FastAPI, db: Database, settings: Settings) -> AsyncIterator[None]:
    """On PostgreSQL a worker like that of `kefu worker` runs back-tests; on SQLite the application does."""
    assert app.state.settings is settings
    worker = None if db.is_sqlite else bulk_worker(db, settings)
    if worker:
        worker.start()
    yield
    if worker:
        await worker.stop()
