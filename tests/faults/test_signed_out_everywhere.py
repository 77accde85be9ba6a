"""Signing in and out over two real processes that share a database and nothing else."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import httpx2
import pytest
from sqlalchemy import update

from actors import Watch, code_of, data_of
from faults.process import ADMIN, ADMIN_PASSWORD, Kefu
from kefu.accounts.models import Agent
from kefu.kit.db import Database

pytestmark = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)

# Promised are two seconds; a busy machine gets more.
SHOWN_OUT_WITHIN = 15.0


@pytest.fixture
async def two(database_url: str, tmp_path: Path) -> AsyncIterator[list[httpx2.AsyncClient]]:
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
    processes = [Kefu(tmp_path / name, database_url) for name in ("one", "other")]
    async with AsyncExitStack() as stack:
        await asyncio.gather(*(one.start() for one in processes))
        for one in processes:
            stack.push_async_callback(one.kill)
        clients = [httpx2.AsyncClient(base_url=one.address, timeout=30, trust_env=False) for one in processes]
        yield [await stack.enter_async_context(one) for one in clients]


async def sign_in(client: httpx2.AsyncClient, password: str = ADMIN_PASSWORD) -> httpx2.Response:
    return await client.post("/api/agent/login", json={"username": ADMIN, "password": password})


async def renew(client: httpx2.AsyncClient, refresh_token: str) -> str:
    answer = await client.post("/api/agent/refresh", json={"refresh_token": refresh_token})
    token: str = data_of(answer)["refresh_token"]
    return token


async def ends_there(
    here: httpx2.AsyncClient, there: httpx2.AsyncClient, act: Callable[[str], Awaitable[None]]
) -> None:
    """`act`, given the access token, ends a sign-in that has a stream open in the other process."""
    token = data_of(await sign_in(here))["token"]
    bearer = {"Authorization": f"Bearer {token}"}
    async with Watch(there, "/api/agent/events", bearer) as desk:
        await desk.sees("stream.ready")
        await act(token)
        refused = await there.get("/api/agent/profile", headers=bearer)
        assert (refused.status_code, code_of(refused)) == (401, "TOKEN_INVALID")
        assert await desk.ends(SHOWN_OUT_WITHIN) == {"type": "stream.ended", "reason": "revoked"}


async def test_both_processes_know_what_happened_in_the_other(two: list[httpx2.AsyncClient], db: Database) -> None:
    here, there = two

    async def log_out(token: str) -> None:
        data_of(await here.post("/api/agent/logout", headers={"Authorization": f"Bearer {token}"}))

    async def set_active(*, is_active: bool) -> None:
        async with db.write() as tx:
            await tx.execute(update(Agent).values(is_active=is_active))

    first = data_of(await sign_in(here))["refresh_token"]
    assert await renew(here, first) == await renew(there, first)
    await ends_there(here, there, log_out)
    await ends_there(there, here, lambda _: set_active(is_active=False))
    await set_active(is_active=True)
    for client in (here, there, here, there, here):
        assert (await sign_in(client, "wrong-password-1")).status_code == 403
    for client in two:
        assert (await sign_in(client)).status_code == 423
