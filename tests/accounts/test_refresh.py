"""The chain of refresh tokens of one sign-in."""

import asyncio

import httpx2
import pytest
from fastapi import FastAPI
from sqlalchemy import func, select, update

from accounts.team import Browser, Team
from conftest import ON_ONE_DATABASE
from kefu.accounts.models import Agent, RefreshToken
from kefu.accounts.sign_ins import GRACE_MS
from kefu.accounts.tokens import Tokens, hash_of
from kefu.kit.clock import now_ms
from kefu.kit.db import Database


def refusal(answer: httpx2.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["code"]


async def exchange(client: httpx2.AsyncClient, refresh_token: str) -> httpx2.Response:
    return await client.post("/api/agent/refresh", json={"refresh_token": refresh_token})


async def test_a_refresh_gives_a_new_pair_and_the_agent(mei: Browser) -> None:
    first = mei.refresh_token
    answer = await mei.refresh()
    assert answer.status_code == 200
    assert set(answer.json()) == {"success", "token", "refresh_token", "expires_in", "agent"}
    assert answer.json()["agent"]["username"] == "mei"
    assert mei.refresh_token != first
    assert (await mei.get("/api/agent/profile")).status_code == 200
    assert (await mei.refresh()).status_code == 200


async def used_long_ago(db: Database, token: str) -> None:
    """Its answer cannot be asked for again."""
    async with db.write() as tx:
        old = update(RefreshToken).where(RefreshToken.hash == hash_of(token))
        await tx.execute(old.values(used_at=now_ms() - GRACE_MS - 1))


async def test_a_used_token_revokes_the_whole_sign_in(mei: Browser, client: httpx2.AsyncClient, db: Database) -> None:
    stolen = mei.refresh_token
    await mei.refresh()
    await used_long_ago(db, stolen)
    assert refusal(await exchange(client, stolen)) == (401, "TOKEN_INVALID")
    assert refusal(await mei.refresh()) == (401, "TOKEN_INVALID")
    assert refusal(await mei.get("/api/agent/profile")) == (401, "TOKEN_INVALID")


async def test_who_lost_the_answer_gets_the_same_one_again(mei: Browser, client: httpx2.AsyncClient) -> None:
    first = mei.refresh_token
    lost = await exchange(client, first)
    again = await exchange(client, first)
    assert again.status_code == 200
    assert again.json()["refresh_token"] == lost.json()["refresh_token"]
    mei.token, mei.refresh_token = again.json()["token"], again.json()["refresh_token"]
    assert (await mei.get("/api/agent/profile")).status_code == 200
    assert (await mei.refresh()).status_code == 200


async def test_once_the_next_token_was_used_the_old_one_is_a_thiefs(mei: Browser, client: httpx2.AsyncClient) -> None:
    stolen = mei.refresh_token
    await mei.refresh()
    await mei.refresh()
    assert refusal(await exchange(client, stolen)) == (401, "TOKEN_INVALID")
    assert refusal(await mei.refresh()) == (401, "TOKEN_INVALID")


async def test_a_lost_answer_brings_no_ended_sign_in_back(mei: Browser, client: httpx2.AsyncClient) -> None:
    first = mei.refresh_token
    await mei.refresh()
    await mei.post("/api/agent/logout")
    assert refusal(await exchange(client, first)) == (401, "TOKEN_INVALID")


async def test_nobody_can_tell_the_next_token_from_the_old_one(app: FastAPI, mei: Browser) -> None:
    first = mei.refresh_token
    await mei.refresh()
    assert app.state.tokens.successors(first) == [mei.refresh_token]
    assert Tokens("another secret").successors(first) != [mei.refresh_token]
    assert len(mei.refresh_token) == 43


async def test_a_token_used_long_ago_still_revokes(mei: Browser, client: httpx2.AsyncClient, db: Database) -> None:
    stolen = mei.refresh_token
    await mei.refresh()
    async with db.write() as tx:
        old = update(RefreshToken).where(RefreshToken.hash == hash_of(stolen))
        await tx.execute(old.values(used_at=1, expires_at=now_ms() - 1))
    assert refusal(await exchange(client, stolen)) == (401, "TOKEN_INVALID")
    assert (await mei.refresh()).status_code == 401


async def test_reuse_in_one_sign_in_leaves_the_others_alone(mei: Browser, team: Team, db: Database) -> None:
    other = await team.sign_in("mei")
    used = mei.refresh_token
    await mei.refresh()
    await used_long_ago(db, used)
    mei.refresh_token = used
    assert (await mei.refresh()).status_code == 401
    assert (await other.get("/api/agent/profile")).status_code == 200
    assert (await other.refresh()).status_code == 200


async def test_refreshes_at_once_get_one_successor(mei: Browser, client: httpx2.AsyncClient, db: Database) -> None:
    answers = await asyncio.gather(*(exchange(client, mei.refresh_token) for _ in range(8)))
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.json()["refresh_token"] for answer in answers}) == 1
    async with db.read() as tx:
        assert await tx.scalar(select(func.count()).select_from(RefreshToken)) == 2


async def test_an_expired_token_says_so(mei: Browser, db: Database) -> None:
    async with db.write() as tx:
        await tx.execute(update(RefreshToken).values(expires_at=now_ms()))
    assert refusal(await mei.refresh()) == (401, "TOKEN_EXPIRED")


@pytest.mark.parametrize("token", ["unknown", "é" * 100, "\0"])
async def test_an_unknown_token_is_refused(client: httpx2.AsyncClient, token: str) -> None:
    assert refusal(await exchange(client, token)) == (401, "TOKEN_INVALID")


@ON_ONE_DATABASE
@pytest.mark.parametrize("body", [{}, {"refresh_token": 1}, {"refresh_token": ""}, {"refresh_token": "x" * 201}, None])
async def test_a_malformed_refresh_is_refused(client: httpx2.AsyncClient, body: object) -> None:
    answer = await client.post("/api/agent/refresh", json=body)
    assert refusal(answer) == (422, "VALIDATION_FAILED")


async def test_an_access_token_is_no_refresh_token(mei: Browser, client: httpx2.AsyncClient) -> None:
    assert (await exchange(client, mei.token)).status_code in {401, 422}


async def test_a_deactivated_agent_cannot_refresh(mei: Browser, db: Database) -> None:
    async with db.write() as tx:
        await tx.execute(update(Agent).values(is_active=False))
    assert refusal(await mei.refresh()) == (401, "TOKEN_INVALID")


async def test_the_token_itself_is_not_stored(mei: Browser, db: Database) -> None:
    async with db.read() as tx:
        assert list(await tx.scalars(select(RefreshToken.hash))) == [hash_of(mei.refresh_token)]


async def test_a_sign_in_clears_away_what_has_expired(mei: Browser, team: Team, db: Database) -> None:
    await mei.refresh()
    async with db.write() as tx:
        await tx.execute(update(RefreshToken).values(expires_at=now_ms() - 1))
    later = await team.sign_in("mei")
    async with db.read() as tx:
        assert list(await tx.scalars(select(RefreshToken.hash))) == [hash_of(later.refresh_token)]
