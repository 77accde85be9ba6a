"""A server of each test's own, to be killed, and a line to it; two in this process that share a Redis, to be lost."""

import tempfile
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import httpx2
import pytest
from fastapi import FastAPI

from actors import Stage
from conftest import do_without
from faults.away import HEALED_WITHIN
from faults.people import Line, line_to
from faults.process import Kefu
from faults.proxy import Proxy
from faults.redis import Redis
from faults.waiting import until
from kefu.answering.scripted import ScriptedAnswerer
from kefu.kit.config import Settings
from kefu.kit.db import Database
from kefu.main import create_app
from kefu.shops.service import first_shop
from servers import Missing
from serving import served


@pytest.fixture
async def kefu(database_url: str, tmp_path: Path) -> AsyncIterator[Kefu]:
    kefu = Kefu(tmp_path, database_url)
    await kefu.start()
    yield kefu
    await kefu.kill()


@pytest.fixture
async def line(kefu: Kefu) -> AsyncIterator[Line]:
    async with line_to(kefu.address) as line:
        yield line


@pytest.fixture
async def redis() -> AsyncIterator[Redis]:
    with tempfile.TemporaryDirectory(prefix="kefu-redis-") as home:
        try:
            redis = Redis(Path(home))
        except Missing as missing:
            do_without(str(missing))
        await redis.start()
        yield redis
        await redis.kill()


@pytest.fixture
async def wire(redis: Redis) -> AsyncIterator[Proxy]:
    """The wire between the servers and their Redis."""
    async with Proxy(redis.port) as proxy:
        yield proxy


@pytest.fixture
async def pair(database_url: str, db: Database, wire: Proxy, tmp_path: Path) -> AsyncIterator[tuple[FastAPI, FastAPI]]:
    """Two instances on one PostgreSQL and one Redis. The first one's bot waits in the middle of its answer."""
    async with db.write() as tx:
        await first_shop(tx)
    url = f"redis://127.0.0.1:{wire.port}/0"
    settings = Settings(data_dir=tmp_path, database_url=database_url, redis_url=url, rate_limits="off")
    one, other = create_app(settings, ScriptedAnswerer(pause=0)), create_app(settings, ScriptedAnswerer(pause=0))
    async with one.router.lifespan_context(one), other.router.lifespan_context(other):
        for app in (one, other):
            await until(app.state.bus.hears.is_set, HEALED_WITHIN)
        yield one, other


@pytest.fixture
async def stages(db: Database, pair: tuple[FastAPI, FastAPI]) -> AsyncIterator[list[Stage]]:
    async with AsyncExitStack() as stack:
        found = []
        for app in pair:
            address = await stack.enter_async_context(served(app))
            client = await stack.enter_async_context(httpx2.AsyncClient(base_url=address, timeout=30))
            stage = Stage(db, client)
            stack.push_async_callback(stage.close)
            found.append(stage)
        yield found
