"""The second step of signing in."""

import asyncio
import json
import time
from typing import Any

import httpx2
import pyotp
import pytest
from fastapi import FastAPI
from sqlalchemy import select, update

from accounts.team import PASSWORD, Browser, Team, bearer
from audit.audited import entries
from kefu.accounts.models import Agent, FailedLogins, SecondFactor
from kefu.kit.db import Database
from kefu.kit.secrets import Sealer, Unreadable
from kefu.ops.sealing import Tally, reseal
from kefu.tables import Table


def refusal(answer: httpx2.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["code"]


def code_of(secret: str, later: int = 0) -> str:
    """What the app shows, or will show so many steps later."""
    return pyotp.TOTP(secret).at(time.time(), counter_offset=later)


async def sets_up(agent: Browser) -> tuple[str, list[str]]:
    """The secret in the agent's app, and the recovery codes. The code of now is used up."""
    secret: str = (await agent.post("/api/agent/second-factor/setup", {"password": PASSWORD})).json()["data"]["secret"]
    answer = await agent.post("/api/agent/second-factor/confirm", {"code": code_of(secret)})
    assert answer.status_code == 200, answer.text
    return secret, answer.json()["data"]["recovery_codes"]


async def ticket_of(team: Team, username: str = "mei") -> str:
    answer = await team.login(username)
    assert refusal(answer) == (401, "SECOND_FACTOR_REQUIRED")
    ticket: str = answer.json()["error"]["details"]["ticket"]
    return ticket


async def gives(client: httpx2.AsyncClient, ticket: str, code: str) -> httpx2.Response:
    return await client.post("/api/agent/login/second-factor", json={"ticket": ticket, "code": code})


async def forget_steps(db: Database) -> None:
    """As if the codes used so far were long past."""
    async with db.write() as tx:
        await tx.execute(update(SecondFactor).values(last_step=0))


async def state_of(agent: Browser) -> Any:
    return (await agent.get("/api/agent/second-factor")).json()["data"]


async def test_from_setting_up_to_signing_in(mei: Browser, team: Team, client: httpx2.AsyncClient) -> None:
    assert await state_of(mei) == {"is_on": False, "since": None, "recovery_codes_left": 0, "is_compulsory": False}
    answer = await mei.post("/api/agent/second-factor/setup", {"password": PASSWORD})
    offered = answer.json()["data"]
    assert offered["uri"] == f"otpauth://totp/Kefu:mei?secret={offered['secret']}&issuer=Kefu"
    assert "<svg" in offered["qr"]
    assert (await team.login("mei")).status_code == 200, "not before it is confirmed"

    confirmed = await mei.post("/api/agent/second-factor/confirm", {"code": code_of(offered["secret"])})
    assert len(set(confirmed.json()["data"]["recovery_codes"])) == 10
    assert (await state_of(mei))["is_on"] is True
    assert (await state_of(mei))["recovery_codes_left"] == 10

    ticket = await ticket_of(team)
    signed_in = await gives(client, ticket, code_of(offered["secret"], later=1))
    assert signed_in.status_code == 200
    assert set(signed_in.json()) == {"success", "token", "refresh_token", "expires_in", "agent"}
    assert (await client.get("/api/agent/profile", headers=bearer(signed_in.json()["token"]))).status_code == 200


async def test_a_ticket_opens_nothing_else(mei: Browser, team: Team, client: httpx2.AsyncClient) -> None:
    await sets_up(mei)
    ticket = await ticket_of(team)
    for path in ("/api/agent/profile", "/takeover", "/anyone-signed-in"):
        assert refusal(await client.get(path, headers=bearer(ticket))) == (401, "TOKEN_INVALID")
    assert refusal(await client.post("/api/agent/refresh", json={"refresh_token": "x"})) == (401, "TOKEN_INVALID")
    assert refusal(await gives(client, mei.token, "123456")) == (401, "TOKEN_INVALID")


async def test_no_code_is_taken_twice(mei: Browser, team: Team, client: httpx2.AsyncClient) -> None:
    secret, _ = await sets_up(mei)
    ticket = await ticket_of(team)
    assert refusal(await gives(client, ticket, code_of(secret))) == (403, "SECOND_FACTOR_WRONG")
    code = code_of(secret, later=1)
    answers = await asyncio.gather(*(gives(client, ticket, code) for _ in range(4)))
    assert sorted(answer.status_code for answer in answers) == [200, 403, 403, 403]


async def test_a_recovery_code_is_for_one_use(mei: Browser, team: Team, client: httpx2.AsyncClient) -> None:
    _, codes = await sets_up(mei)
    first, second = codes[0], codes[1].upper().replace("-", " ")
    assert (await gives(client, await ticket_of(team), first)).status_code == 200
    assert refusal(await gives(client, await ticket_of(team), first)) == (403, "SECOND_FACTOR_WRONG")
    assert (await gives(client, await ticket_of(team), second)).status_code == 200
    assert (await state_of(mei))["recovery_codes_left"] == 8


async def test_guessing_codes_locks_and_the_password_alone_does_not_unlock(
    mei: Browser, team: Team, client: httpx2.AsyncClient, db: Database
) -> None:
    secret, _ = await sets_up(mei)
    for _ in range(5):
        assert (await gives(client, await ticket_of(team), "000000")).status_code == 403
    answer = await team.login("mei")
    assert refusal(answer) == (423, "ACCOUNT_LOCKED")
    assert int(answer.headers["Retry-After"]) > 800
    async with db.write() as tx:
        await tx.execute(update(FailedLogins).values(locked_until=0))
    await forget_steps(db)
    assert (await gives(client, await ticket_of(team), code_of(secret))).status_code == 200


async def test_a_ticket_ends_with_the_password_and_with_the_account(
    mei: Browser, team: Team, client: httpx2.AsyncClient, db: Database
) -> None:
    secret, codes = await sets_up(mei)
    ticket = await ticket_of(team)
    change = {"old_password": PASSWORD, "new_password": "another-horse-8"}
    assert (await mei.post("/api/agent/change-password", change)).status_code == 200
    assert refusal(await gives(client, ticket, codes[0])) == (401, "TOKEN_INVALID")
    ticket = (await team.login("mei", "another-horse-8")).json()["error"]["details"]["ticket"]
    async with db.write() as tx:
        await tx.execute(update(Agent).values(is_active=False))
    assert refusal(await gives(client, ticket, code_of(secret, later=1))) == (401, "TOKEN_INVALID")


async def test_setting_up_needs_the_password_and_a_right_code(mei: Browser, db: Database) -> None:
    path = "/api/agent/second-factor"
    assert refusal(await mei.post(f"{path}/setup", {"password": "wrong-password-1"})) == (403, "OLD_PASSWORD_INCORRECT")
    assert refusal(await mei.post(f"{path}/confirm", {"code": "123456"})) == (409, "SECOND_FACTOR_OFF")
    first = (await mei.post(f"{path}/setup", {"password": PASSWORD})).json()["data"]["secret"]
    second = (await mei.post(f"{path}/setup", {"password": PASSWORD})).json()["data"]["secret"]
    assert first != second
    assert refusal(await mei.post(f"{path}/confirm", {"code": code_of(first)})) == (403, "SECOND_FACTOR_WRONG")
    spaced = f"{code_of(second)[:3]} {code_of(second)[3:]}"
    assert (await mei.post(f"{path}/confirm", {"code": spaced})).status_code == 200
    for again in (mei.post(f"{path}/setup", {"password": PASSWORD}), mei.post(f"{path}/confirm", {"code": "123456"})):
        assert refusal(await again) == (409, "SECOND_FACTOR_ON")
    answer = await mei.post(f"{path}/confirm", {"code": "12ü456"})
    assert refusal(answer) == (422, "VALIDATION_FAILED")
    refused = [json.loads(one.after or "")["code"] for one in await entries(db, "agent.second_factor_refused")]
    assert refused == ["OLD_PASSWORD_INCORRECT", "SECOND_FACTOR_WRONG"]


async def test_new_recovery_codes_replace_the_old_ones(mei: Browser, team: Team, client: httpx2.AsyncClient) -> None:
    secret, old = await sets_up(mei)
    path, code = "/api/agent/second-factor/recovery-codes", code_of(secret, later=1)
    wrong = await mei.post(path, {"password": "wrong-password-1", "code": code})
    assert refusal(wrong) == (403, "OLD_PASSWORD_INCORRECT")
    new = (await mei.post(path, {"password": PASSWORD, "code": code})).json()["data"]["recovery_codes"]
    assert not set(new) & set(old)
    assert (await gives(client, await ticket_of(team), old[0])).status_code == 403
    assert (await gives(client, await ticket_of(team), new[0])).status_code == 200


async def test_it_is_turned_off_by_both(mei: Browser, team: Team) -> None:
    _, codes = await sets_up(mei)
    off = "/api/agent/second-factor/off"
    assert refusal(await mei.post(off, {"password": PASSWORD, "code": "000000"})) == (403, "SECOND_FACTOR_WRONG")
    assert (await mei.post(off, {"password": PASSWORD, "code": codes[0]})).status_code == 200
    assert (await team.login("mei")).status_code == 200
    assert refusal(await mei.post(off, {"password": PASSWORD, "code": codes[1]})) == (409, "SECOND_FACTOR_OFF")


async def test_an_admin_resets_it_for_who_has_lost_it(mei: Browser, team: Team) -> None:
    await sets_up(mei)
    await team.hire("boss", "super_admin")
    boss = await team.sign_in("boss")
    mei_id = (await mei.get("/api/agent/profile")).json()["agent"]["id"]
    path = f"/api/agents/{mei_id}/second-factor"
    assert refusal(await mei.client.delete(path, headers=bearer(mei.token))) == (403, "FORBIDDEN")
    for _ in range(2):
        assert (await boss.client.delete(path, headers=bearer(boss.token))).status_code == 200
    assert refusal(await mei.get("/api/agent/profile")) == (401, "TOKEN_INVALID")
    assert (await team.login("mei")).status_code == 200
    nobody = await boss.client.delete("/api/agents/nobody/second-factor", headers=bearer(boss.token))
    assert refusal(nobody) == (404, "AGENT_NOT_FOUND")


async def test_a_role_that_needs_it_does_nothing_before(app: FastAPI, mei: Browser, team: Team) -> None:
    app.state.settings = app.state.settings.model_copy(update={"second_factor_roles": ["agent"]})
    assert refusal(await mei.get("/takeover")) == (403, "SECOND_FACTOR_SETUP_REQUIRED")
    assert (await mei.get("/api/agent/profile")).json()["agent"]["must_set_up_second_factor"] is True
    assert (await team.login("mei")).json()["agent"]["must_set_up_second_factor"] is True
    _, codes = await sets_up(mei)
    assert (await mei.get("/takeover")).status_code == 200
    assert (await mei.refresh()).json()["agent"]["must_set_up_second_factor"] is False
    off = await mei.post("/api/agent/second-factor/off", {"password": PASSWORD, "code": codes[0]})
    assert refusal(off) == (403, "SECOND_FACTOR_COMPULSORY")
    assert (await state_of(mei))["is_compulsory"] is True


async def test_what_is_stored_is_sealed_and_can_be_sealed_anew(
    mei: Browser, team: Team, app: FastAPI, db: Database
) -> None:
    secret, codes = await sets_up(mei)
    async with db.read() as tx:
        stored = (await tx.scalars(select(SecondFactor))).one()
    kept = f"{stored.secret} {stored.recovery}"
    assert not [one for one in (secret, *codes) if one in kept]
    db.seal_with(lambda: Sealer(["a new secret", "a secret of the tests"]))
    tally = Tally()
    assert [one async for one in reseal(db, Table.metadata, tally)] == [
        ("second_factors.secret", 1),
        ("second_factors.recovery", 1),
    ]
    assert (tally.is_done, tally.by_key) == (True, {0: 2})
    async with db.read() as tx:
        anew = (await tx.scalars(select(SecondFactor))).one()
    assert Sealer(["a new secret"]).open(anew.secret) == secret
    with pytest.raises(Unreadable):
        app.state.sealer.open(anew.secret)
    lost = await gives(mei.client, await ticket_of(team), codes[0])
    assert refusal(lost) == (409, "SECOND_FACTOR_UNREADABLE")
