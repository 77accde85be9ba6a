"""Who came in, who was refused, and who went."""

import json

import pytest

from accounts.team import PASSWORD, bearer
from actors import Stage, code_of
from audit.audited import entries
from kefu.kit.db import Database

TYPED = "my-password-in-the-wrong-field"


async def told(db: Database) -> list[tuple[str, str, str, object]]:
    """Of every entry about signing in: action, actor's role, whether it is about somebody known, and the code."""
    return [
        (one.action, one.actor_role, "known" if one.object_id else "unknown", json.loads(one.after or "{}").get("code"))
        for one in await entries(db)
        if one.action != "agent.created"
    ]


async def test_a_sign_in_a_refusal_a_lock_and_a_sign_out_each_leave_their_entry(stage: Stage, db: Database) -> None:
    mei = await stage.agent("mei")

    async def tries(username: str, password: str) -> str:
        answer = await stage.http.post("/api/agent/login", json={"username": username, "password": password})
        return "" if answer.is_success else code_of(answer)

    for _ in range(5):
        assert await tries("mei", "wrong-password-1") == "LOGIN_FAILED"
    assert await tries("mei", PASSWORD) == "ACCOUNT_LOCKED"
    assert await tries(TYPED, "wrong-password-1") == "LOGIN_FAILED"
    await mei.post("/api/agent/logout")
    assert await told(db) == [
        ("agent.signed_in", "agent", "known", None),
        *[("agent.sign_in_refused", "anyone", "known", "LOGIN_FAILED")] * 5,
        ("agent.sign_in_refused", "anyone", "known", "ACCOUNT_LOCKED"),
        ("agent.sign_in_refused", "anyone", "unknown", "LOGIN_FAILED"),
        ("agent.signed_out", "agent", "known", None),
    ]
    refused = await entries(db, "agent.sign_in_refused")
    assert ["locked_until" in (one.after or "") for one in refused] == [False] * 4 + [True] + [False] * 2
    assert {one.address for one in refused} == {"127.0.0.1"}
    assert TYPED not in str([vars(one) for one in await entries(db)])


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_a_refused_password_change_and_a_stolen_refresh_token_leave_theirs(stage: Stage, db: Database) -> None:
    mei = await stage.agent("mei")
    change = {"old_password": "wrong-password-1", "new_password": "another-horse-8"}
    for _ in range(6):
        await mei.post("/api/agent/change-password", change)
    refused = await entries(db, "agent.password_refused")
    assert [json.loads(one.after or "")["code"] for one in refused] == ["OLD_PASSWORD_INCORRECT"] * 5 + [
        "ACCOUNT_LOCKED"
    ]
    assert {one.actor_id for one in refused} == {mei.id}

    bob = await stage.agent("bob")
    signed_in = await stage.http.post("/api/agent/login", json={"username": "bob", "password": PASSWORD})
    used = {"refresh_token": signed_in.json()["refresh_token"]}
    first = await stage.http.post("/api/agent/refresh", json=used)
    lost_again = await stage.http.post("/api/agent/refresh", json=used)
    assert lost_again.json()["refresh_token"] == first.json()["refresh_token"]
    assert await entries(db, "agent.refresh_reused") == []
    following = {"refresh_token": first.json()["refresh_token"]}
    assert (await stage.http.post("/api/agent/refresh", json=following)).is_success
    assert not (await stage.http.post("/api/agent/refresh", json=used)).is_success
    (reused,) = await entries(db, "agent.refresh_reused")
    assert (reused.object_id, reused.actor_role) == (bob.id, "anyone")
    gone = await stage.http.get("/api/agent/profile", headers=bearer(signed_in.json()["token"]))
    assert gone.status_code == 401
