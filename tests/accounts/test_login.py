"""Signing in."""

import asyncio
import time
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import httpx2
import pytest
from fastapi import FastAPI
from sqlalchemy import select, update

from accounts.team import PASSWORD, Team, bearer
from conftest import ON_ONE_DATABASE
from kefu.accounts.locks import Attempt
from kefu.accounts.models import Agent, FailedLogins
from kefu.accounts.passwords import CHECKS
from kefu.kit.clock import now_ms
from kefu.kit.db import Database
from kefu.kit.limits import RATES, Limits

QUARTER_HOUR = timedelta(minutes=15).total_seconds()


def code_of(answer: httpx2.Response) -> str:
    code: str = answer.json()["error"]["code"]
    return code


def checks() -> float:
    """How many passwords this process has checked."""
    (metric,) = CHECKS.collect()
    return metric.samples[0].value


async def fail_five_times(team: Team, username: str) -> None:
    for _ in range(5):
        answer = await team.login(username, "wrong-password-1")
        assert (answer.status_code, code_of(answer)) == (403, "LOGIN_FAILED")


async def test_the_right_password_gives_tokens_and_the_agent(team: Team, client: httpx2.AsyncClient) -> None:
    hired = await team.hire("mei")
    answer = await team.login("mei")
    assert answer.status_code == 200
    body = answer.json()
    agent = body["agent"]
    assert set(body) == {"success", "token", "refresh_token", "expires_in", "agent"}
    assert body["success"] is True
    assert body["expires_in"] == 1800
    assert abs(agent.pop("last_login") - time.time()) < 5
    assert agent == {
        "id": hired.id,
        "username": "mei",
        "name": "Mei",
        "role": "agent",
        "status": "online",
        "max_sessions": 5,
        "must_change_password": False,
        "must_set_up_second_factor": False,
        "permissions": [
            "agents.read",
            "contacts.read",
            "knowledge.read",
            "sessions.annotate",
            "sessions.close",
            "sessions.read",
            "sessions.release",
            "sessions.reply",
            "sessions.takeover",
            "sessions.transfer",
            "shops.read",
        ],
        "created_at": hired.created_at / 1000,
    }
    profile = await client.get("/api/agent/profile", headers=bearer(body["token"]))
    assert profile.status_code == 200
    assert profile.json() == {
        "success": True,
        "agent": {**body["agent"], "last_login": profile.json()["agent"]["last_login"]},
    }


@pytest.mark.parametrize("typed", ["mei", "MEI", " Mei ", "\uff4d\uff45\uff49"])
async def test_case_width_and_outer_spaces_of_a_username_do_not_count(team: Team, typed: str) -> None:
    await team.hire("Mei")
    assert (await team.login(typed)).status_code == 200


async def test_a_chinese_username_signs_in(team: Team) -> None:
    await team.hire("客服小梅")
    assert (await team.login("客服小梅")).status_code == 200


@pytest.mark.parametrize("password", ["Correct-horse-7", "correct-horse-7 ", "x"])
async def test_a_wrong_password_is_refused(team: Team, password: str) -> None:
    await team.hire("mei")
    answer = await team.login("mei", password)
    assert (answer.status_code, code_of(answer)) == (403, "LOGIN_FAILED")
    assert "WWW-Authenticate" not in answer.headers


async def test_unknown_deactivated_and_wrong_get_the_same_answer(team: Team, db: Database) -> None:
    await team.hire("mei")
    gone = await team.hire("gone")
    async with db.write() as tx:
        await tx.execute(update(Agent).where(Agent.id == gone.id).values(is_active=False))
    answers = [await team.login("mei", "wrong-password-1"), await team.login("nobody"), await team.login("gone")]
    assert {(answer.status_code, answer.text) for answer in answers} == {(403, answers[0].text)}


async def test_whoever_is_named_a_hash_is_checked(team: Team, db: Database) -> None:
    await team.hire("mei")
    gone = await team.hire("gone")
    async with db.write() as tx:
        await tx.execute(update(Agent).where(Agent.id == gone.id).values(is_active=False))
    for username in ("mei", "gone", "nobody"):
        before = checks()
        assert (await team.login(username, "wrong-password-1")).status_code == 403
        assert checks() == before + 1


async def test_the_refusal_is_in_the_callers_language(client: httpx2.AsyncClient) -> None:
    body = {"username": "nobody", "password": PASSWORD}
    answer = await client.post("/api/agent/login", json=body, headers={"Accept-Language": "zh-CN"})
    assert answer.json()["error"]["message"] == "用户名或密码错误。"


@ON_ONE_DATABASE
@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({}, ["username", "password"]),
        ({"username": "mei"}, ["password"]),
        ({"username": 7, "password": PASSWORD}, ["username"]),
        ({"username": "mei", "password": ["a"]}, ["password"]),
        ({"username": "mei", "password": None}, ["password"]),
        ({"username": "", "password": ""}, ["username", "password"]),
        ({"username": "m" * 51, "password": PASSWORD}, ["username"]),
        ({"username": "mei", "password": "x" * 129}, ["password"]),
        ({"username": "mei\0", "password": PASSWORD}, ["username"]),
        (["mei", PASSWORD], ["body"]),
    ],
)
async def test_a_malformed_sign_in_names_its_fields(client: httpx2.AsyncClient, body: Any, fields: list[str]) -> None:
    answer = await client.post("/api/agent/login", json=body)
    assert (answer.status_code, code_of(answer)) == (422, "VALIDATION_FAILED")
    assert [one["field"] for one in answer.json()["error"]["details"]["fields"]] == fields


async def test_half_a_surrogate_is_no_text(client: httpx2.AsyncClient) -> None:
    body = b'{"username": "\\ud800ab", "password": "\\ud800abcdef1"}'
    answer = await client.post("/api/agent/login", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 422


async def test_five_failures_lock_even_the_right_password_out(team: Team) -> None:
    await team.hire("mei")
    await fail_five_times(team, "mei")
    answer = await team.login("mei")
    assert (answer.status_code, code_of(answer)) == (423, "ACCOUNT_LOCKED")
    assert QUARTER_HOUR - 10 < int(answer.headers["Retry-After"]) <= QUARTER_HOUR + 1
    assert answer.headers["Retry-After"] in answer.json()["error"]["message"]


async def test_guesses_made_at_once_are_counted_one_by_one(team: Team) -> None:
    await team.hire("mei")
    answers = await asyncio.gather(*(team.login("mei", f"wrong-password-{number}") for number in range(10)))
    assert sorted(answer.status_code for answer in answers) == [403] * 5 + [423] * 5
    assert (await team.login("mei")).status_code == 423


async def test_a_locked_account_opens_when_its_time_has_passed(team: Team, db: Database) -> None:
    await team.hire("mei")
    await fail_five_times(team, "mei")
    async with db.write() as tx:
        await tx.execute(update(FailedLogins).values(locked_until=now_ms() - 1))
    assert (await team.login("mei")).status_code == 200


async def test_a_success_forgets_earlier_failures(team: Team) -> None:
    await team.hire("mei")
    for _ in range(2):
        for _ in range(4):
            assert (await team.login("mei", "wrong-password-1")).status_code == 403
        assert (await team.login("mei")).status_code == 200


async def test_an_unknown_username_locks_like_a_known_one(team: Team) -> None:
    await fail_five_times(team, "nobody")
    answer = await team.login("Nobody")
    assert (answer.status_code, code_of(answer)) == (423, "ACCOUNT_LOCKED")
    assert QUARTER_HOUR - 10 < int(answer.headers["Retry-After"]) <= QUARTER_HOUR + 1


@pytest.fixture
async def office(app: FastAPI, db: Database, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Team]:
    """A team with one address, from which they may sign in as often as they like."""
    monkeypatch.setitem(RATES, "login", {"address": "1000/minute"})
    app.state.limits = Limits(enabled=True)
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app=app), base_url="http://kefu") as client:
        yield Team(db, client)


async def test_five_failures_lock_the_address_whatever_the_names(office: Team) -> None:
    await office.hire("mei")
    for number in range(5):
        assert (await office.login(f"nobody-{number}")).status_code == 403
    answer = await office.login("mei")
    assert (answer.status_code, code_of(answer)) == (423, "ADDRESS_LOCKED")
    assert QUARTER_HOUR - 10 < int(answer.headers["Retry-After"]) <= QUARTER_HOUR + 1


async def test_an_office_where_people_mistype_and_then_get_in_is_not_locked(office: Team) -> None:
    for number in range(4):
        await office.hire(f"agent-{number}")
        for password, status in (("wrong-password-1", 403), ("wrong-password-2", 403), (PASSWORD, 200)):
            assert (await office.login(f"agent-{number}", password)).status_code == status


async def test_who_gets_in_takes_back_only_their_own_failures(office: Team) -> None:
    await office.hire("mei")
    for number in range(4):
        assert (await office.login(f"nobody-{number}")).status_code == 403
        assert (await office.login("mei")).status_code == 200
    assert (await office.login("nobody-4")).status_code == 403
    assert code_of(await office.login("mei")) == "ADDRESS_LOCKED"


@pytest.mark.parametrize(
    ("one", "other", "is_same"),
    [
        ("192.0.2.7", "192.0.2.7", True),
        ("192.0.2.7", "192.0.2.8", False),
        ("192.0.2.7", "::ffff:192.0.2.7", True),
        ("2001:db8::1", "2001:db8::ffff:1", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("fe80::1%eth0", "fe80::2%eth1", True),
        ("local", "local", True),
    ],
)
def test_of_an_ipv6_address_the_network_counts(one: str, other: str, *, is_same: bool) -> None:
    assert (Attempt.of("mei", one).address == Attempt.of("mei", other).address) is is_same


async def test_failures_are_forgotten_after_a_quarter_of_an_hour(team: Team, db: Database) -> None:
    await team.hire("mei")
    for _ in range(4):
        await team.login("mei", "wrong-password-1")
    async with db.write() as tx:
        await tx.execute(update(FailedLogins).values(last_at=now_ms() - QUARTER_HOUR * 1000 - 1))
    assert (await team.login("mei", "wrong-password-1")).status_code == 403
    assert (await team.login("mei")).status_code == 200
    async with db.write() as tx:
        await tx.execute(update(FailedLogins).values(last_at=0))
    await team.sign_in("mei")
    async with db.read() as tx:
        assert len((await tx.scalars(select(FailedLogins))).all()) <= 2


async def test_one_address_may_try_five_times_a_minute(app: FastAPI, db: Database) -> None:
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app=app), base_url="http://kefu") as client:
        team = Team(db, client)
        await team.hire("mei")
        for _ in range(5):
            assert (await team.login("mei")).status_code == 200
        answer = await team.login("mei")
    assert (answer.status_code, code_of(answer)) == (429, "RATE_LIMITED")
    assert 1 <= int(answer.headers["Retry-After"]) <= 61
