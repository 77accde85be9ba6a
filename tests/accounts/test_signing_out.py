"""Signing out, and a new password: both end what was signed in before, at once."""

import asyncio

import httpx2
import pytest

from accounts.team import PASSWORD, Browser, Team, bearer

NEW = "another-horse-8"
CHANGE = {"old_password": PASSWORD, "new_password": NEW}


def refusal(answer: httpx2.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["code"]


async def test_signing_out_stops_both_tokens_at_once(mei: Browser) -> None:
    answer = await mei.post("/api/agent/logout")
    assert (answer.status_code, answer.json()) == (200, {"success": True})
    assert refusal(await mei.get("/api/agent/profile")) == (401, "TOKEN_INVALID")
    assert refusal(await mei.refresh()) == (401, "TOKEN_INVALID")
    assert refusal(await mei.post("/api/agent/logout")) == (401, "TOKEN_INVALID")


async def test_signing_out_stops_the_access_tokens_of_earlier_refreshes_too(mei: Browser) -> None:
    earlier = mei.token
    await mei.refresh()
    await mei.post("/api/agent/logout", {"refresh_token": mei.refresh_token})
    assert refusal(await mei.client.get("/api/agent/profile", headers=bearer(earlier))) == (401, "TOKEN_INVALID")


async def test_signing_out_in_one_browser_leaves_the_other_alone(mei: Browser, team: Team) -> None:
    other = await team.sign_in("mei")
    await mei.post("/api/agent/logout")
    assert (await other.get("/api/agent/profile")).status_code == 200


async def test_a_refresh_at_the_same_moment_does_not_outlive_signing_out(team: Team) -> None:
    await team.hire("mei")
    for _ in range(10):
        mei = await team.sign_in("mei")
        refreshed, signed_out = await asyncio.gather(mei.refresh(), mei.post("/api/agent/logout"))
        assert refreshed.status_code in {200, 401}
        assert signed_out.status_code == 200
        assert (await mei.get("/api/agent/profile")).status_code == 401
        assert (await mei.refresh()).status_code == 401


async def test_a_sign_in_at_the_same_moment_does_not_outlive_a_new_password(mei: Browser, team: Team) -> None:
    signed_in, changed = await asyncio.gather(team.login("mei"), mei.post("/api/agent/change-password", CHANGE))
    assert changed.status_code == 200
    if signed_in.status_code == 200:
        token = signed_in.json()["token"]
        assert (await mei.client.get("/api/agent/profile", headers=bearer(token))).status_code == 401


async def test_the_refresh_token_alone_is_enough_to_sign_out(mei: Browser, client: httpx2.AsyncClient) -> None:
    answer = await client.post("/api/agent/logout", json={"refresh_token": mei.refresh_token})
    assert answer.status_code == 200
    assert (await mei.get("/api/agent/profile")).status_code == 401


async def test_signing_out_needs_to_be_signed_in(client: httpx2.AsyncClient) -> None:
    assert refusal(await client.post("/api/agent/logout")) == (401, "TOKEN_REQUIRED")
    assert refusal(await client.post("/api/agent/logout", json={"refresh_token": "x"})) == (401, "TOKEN_INVALID")


async def test_a_new_password_replaces_the_old_one(mei: Browser, team: Team) -> None:
    answer = await mei.post("/api/agent/change-password", CHANGE)
    assert answer.status_code == 200
    assert set(answer.json()) == {"success", "token", "refresh_token", "expires_in"}
    assert (await team.login("mei", PASSWORD)).status_code == 403
    assert (await team.login("mei", NEW)).status_code == 200


async def test_a_new_password_ends_every_earlier_sign_in(mei: Browser, team: Team) -> None:
    other = await team.sign_in("mei")
    answer = await mei.post("/api/agent/change-password", CHANGE)
    here = Browser(mei.client, answer.json()["token"], answer.json()["refresh_token"])
    for earlier in (mei, other):
        assert refusal(await earlier.get("/api/agent/profile")) == (401, "TOKEN_INVALID")
        assert refusal(await earlier.refresh()) == (401, "TOKEN_INVALID")
    assert (await here.get("/api/agent/profile")).status_code == 200
    assert (await here.refresh()).status_code == 200


async def test_the_old_password_must_be_right(mei: Browser) -> None:
    wrong = {"old_password": "wrong-password-1", "new_password": NEW}
    assert refusal(await mei.post("/api/agent/change-password", wrong)) == (403, "OLD_PASSWORD_INCORRECT")
    assert (await mei.get("/api/agent/profile")).status_code == 200


async def test_guessing_the_old_password_locks_the_account(mei: Browser, team: Team) -> None:
    wrong = {"old_password": "wrong-password-1", "new_password": NEW}
    for _ in range(5):
        assert (await mei.post("/api/agent/change-password", wrong)).status_code == 403
    answer = await mei.post("/api/agent/change-password", CHANGE)
    assert refusal(answer) == (423, "ACCOUNT_LOCKED")
    assert int(answer.headers["Retry-After"]) > 800
    assert (await team.login("mei")).status_code == 423


@pytest.mark.parametrize(
    ("new", "reason"),
    [
        ("short-1", "is too short (at least 8"),
        ("x1" * 65, "is too long (at most 128"),
        ("12345678", "needs a letter and a digit"),
        ("no-digit-here", "needs a letter and a digit"),
        (PASSWORD, "must differ from the old one"),
        (12345678, "must be text"),
    ],
)
async def test_a_weak_new_password_is_refused_with_the_reason(mei: Browser, new: object, reason: str) -> None:
    answer = await mei.post("/api/agent/change-password", {"old_password": PASSWORD, "new_password": new})
    assert refusal(answer) == (422, "VALIDATION_FAILED")
    (field,) = answer.json()["error"]["details"]["fields"]
    assert field["field"] == "new_password"
    assert field["reason"].startswith(reason)


@pytest.mark.parametrize("new", ["一匹正确的马七7", "x1" * 64])
async def test_a_new_password_may_be_long_or_chinese(mei: Browser, team: Team, new: str) -> None:
    body = {"old_password": PASSWORD, "new_password": new}
    assert (await mei.post("/api/agent/change-password", body)).status_code == 200
    assert (await team.login("mei", new)).status_code == 200


async def test_who_must_change_the_password_may_do_nothing_else_first(team: Team) -> None:
    await team.hire("new", must_change_password=True)
    new = await team.sign_in("new")
    profile = await new.get("/api/agent/profile")
    assert profile.json()["agent"]["must_change_password"] is True
    assert refusal(await new.get("/takeover")) == (403, "PASSWORD_CHANGE_REQUIRED")
    answer = await new.post("/api/agent/change-password", CHANGE)
    changed = Browser(new.client, answer.json()["token"], answer.json()["refresh_token"])
    assert (await changed.get("/takeover")).status_code == 200
    assert (await changed.get("/api/agent/profile")).json()["agent"]["must_change_password"] is False
