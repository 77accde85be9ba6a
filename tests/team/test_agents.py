"""Administrators hire agents, change what they may do, and lock them out."""

import asyncio

import httpx2
import pytest

from accounts.team import PASSWORD
from actors import Agent, Stage, code_of, data_of
from realtime.socket_watch import connects

NEW = {"username": "lin", "name": "林", "max_sessions": 3, "skills": ["refund"], "languages": ["zh", "en"]}

# What the database has no part in is tested on one.
on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


async def patched(by: Agent, path: str, body: object) -> httpx2.Response:
    headers = {"Authorization": f"Bearer {by.token}"}
    return await by.stage.http.patch(path, json=body, headers=headers)


async def changed(by: Agent, agent_id: str, **fields: object) -> httpx2.Response:
    return await patched(by, f"/api/agents/{agent_id}", fields)


@pytest.fixture
async def root(stage: Stage) -> Agent:
    return await stage.agent("root", "super_admin")


async def signs_in(stage: Stage, username: str, password: str) -> httpx2.Response:
    return await stage.http.post("/api/agent/login", json={"username": username, "password": password})


@on_sqlite
async def test_a_hired_agent_signs_in_with_the_one_time_password_and_must_change_it(stage: Stage, root: Agent) -> None:
    hired = data_of(await root.post("/api/agents", NEW), 201)
    assert hired["agent"] | NEW | {"role": "agent"} == hired["agent"]
    assert hired["agent"]["account"]["must_change_password"] is True
    lin = Agent(stage, data_of(await signs_in(stage, "lin", hired["one_time_password"]))["token"], hired["agent"])
    assert code_of(await lin.get("/api/agents")) == "PASSWORD_CHANGE_REQUIRED"
    change = {"old_password": hired["one_time_password"], "new_password": PASSWORD}
    lin.token = data_of(await lin.post("/api/agent/change-password", change))["token"]
    assert data_of(await lin.get(f"/api/agents/{lin.id}"))["agent"]["account"] is None
    assert hired["one_time_password"] not in (await root.get(f"/api/agents/{lin.id}")).text
    assert code_of(await root.post("/api/agents", NEW | {"username": " LIN"})) == "USERNAME_INVALID"
    assert code_of(await root.post("/api/agents", NEW | {"username": "LIN"})) == "USERNAME_TAKEN"
    assert code_of(await root.post("/api/agents", NEW | {"username": "li2", "role": "nobody"})) == "ROLE_NOT_FOUND"


WRONG: tuple[tuple[dict[str, object], str], ...] = (
    ({"username": "ab"}, "username"),
    ({"username": 7}, "username"),
    ({"name": " "}, "name"),
    ({"password": "onlyletters"}, "password"),
    ({"max_sessions": 21}, "max_sessions"),
    ({"languages": ["fr"]}, "languages.0"),
    ({"skills": ["x" * 41]}, "skills.0"),
)


@on_sqlite
async def test_what_is_wrong_is_named(root: Agent) -> None:
    for wrong, field in WRONG:
        answer = await root.post("/api/agents", NEW | wrong)
        assert answer.status_code == 422
        assert [one["field"] for one in answer.json()["error"]["details"]["fields"]] == [field]
    assert code_of(await changed(root, root.id)) == "VALIDATION_FAILED"
    assert code_of(await root.get("/api/agents?page_size=101")) == "VALIDATION_FAILED"
    assert code_of(await root.get("/api/agents/agent_none")) == "AGENT_NOT_FOUND"


async def test_the_list_is_filtered_and_paged(root: Agent) -> None:
    for username, role in (("ann", "agent"), ("ben", "agent"), ("ida", "inspector")):
        body = {"username": username, "name": username.title(), "role": role}
        data_of(await root.post("/api/agents", body), 201)

    async def found(query: str) -> list[str]:
        return [one["username"] for one in data_of(await root.get(f"/api/agents?{query}"))["items"]]

    assert await found("role=inspector") == ["ida"]
    assert await found("q=AN") == ["ann"]
    assert await found("q=%25") == []
    assert await found("status=online") == ["root"]
    assert set(await found("status=offline&is_active=true")) == {"ann", "ben", "ida"}
    first, second = await found("page_size=2"), await found("page_size=2&page=2")
    assert sorted(first + second) == ["ann", "ben", "ida", "root"]
    assert data_of(await root.get("/api/agents?page=9"))["total"] == 4


async def test_who_is_disabled_is_out_at_once_and_their_customers_wait_again(stage: Stage, root: Agent) -> None:
    visitor, mei = await stage.visitor(), await stage.agent()
    await mei.takes_over(visitor)
    streams = [await mei.follows(visitor.name), await mei.watches_the_desk(), await connects(mei, visitor.name)]
    for one in streams:
        await one.sees("stream.ready")
    out = data_of(await changed(root, mei.id, is_active=False))["agent"]
    assert (out["is_active"], out["current_sessions"]) == (False, 0)
    for one in streams:
        assert await one.ends(5) == {"type": "stream.ended", "reason": "revoked"}
    assert (await mei.get("/api/agent/profile")).status_code == 401
    await visitor.sees("session.agent_lost", to="pending_manual")
    assert code_of(await signs_in(stage, "mei", PASSWORD)) == "LOGIN_FAILED"
    assert data_of(await changed(root, mei.id, is_active=True))["agent"]["is_active"] is True
    assert (await mei.get("/api/agent/profile")).status_code == 401
    assert (await signs_in(stage, "mei", PASSWORD)).status_code == 200


async def test_a_new_role_counts_at_once_and_takes_customers_from_who_may_not_serve(stage: Stage, root: Agent) -> None:
    visitor, mei = await stage.visitor(), await stage.agent()
    await mei.takes_over(visitor)
    assert data_of(await changed(root, mei.id, role="supervisor"))["agent"]["current_sessions"] == 1
    assert (await mei.get("/api/wallboard")).status_code == 200
    assert data_of(await changed(root, mei.id, role="inspector"))["agent"]["current_sessions"] == 0
    assert code_of(await mei.acts("takeover", visitor)) == "FORBIDDEN"
    assert data_of(await mei.get("/api/agent/profile"))["agent"]["role"] == "inspector"


@on_sqlite
async def test_a_reset_password_signs_out_everywhere_and_unlocks(stage: Stage, root: Agent) -> None:
    mei = await stage.agent()
    for _ in range(5):
        await signs_in(stage, "mei", "wrong-horse-1")
    assert code_of(await signs_in(stage, "mei", PASSWORD)) == "ACCOUNT_LOCKED"
    reset = data_of(await root.post(f"/api/agents/{mei.id}/reset-password"))
    assert (await mei.get("/api/agent/profile")).status_code == 401
    signed_in = data_of(await signs_in(stage, "mei", reset["one_time_password"]))
    assert signed_in["agent"]["must_change_password"] is True
    given = data_of(await root.post(f"/api/agents/{mei.id}/reset-password", {"new_password": "another-horse-9"}))
    assert given["one_time_password"] is None
    assert (await signs_in(stage, "mei", "another-horse-9")).status_code == 200


@on_sqlite
async def test_nobody_gives_or_touches_more_than_they_have(stage: Stage, root: Agent) -> None:
    """A deputy who may change agents, but does not have what supervisors and administrators have."""
    agents = data_of(await root.get("/api/roles"))["roles"][2]["permissions"]
    deputy_role = {"name": {"en": "Deputy", "zh": "副手"}, "permissions": [*agents, "agents.write"]}
    role = data_of(await root.post("/api/roles", deputy_role), 201)["id"]
    hired = data_of(await root.post("/api/agents", {"username": "dep", "name": "Dep", "role": role}), 201)
    password = {"old_password": hired["one_time_password"], "new_password": PASSWORD}
    dep = Agent(stage, data_of(await signs_in(stage, "dep", hired["one_time_password"]))["token"], hired["agent"])
    dep.token = data_of(await dep.post("/api/agent/change-password", password))["token"]
    mei, chen = await stage.agent(), await stage.agent("chen", "supervisor")
    assert (await changed(dep, mei.id, max_sessions=7)).status_code == 200
    for above in (root, chen):
        assert code_of(await changed(dep, above.id, name="X")) == "ABOVE_YOUR_ROLE"
        assert code_of(await dep.put(f"/api/agents/{above.id}/work", {"max_sessions": 1})) == "ABOVE_YOUR_ROLE"
        assert code_of(await dep.post(f"/api/agents/{above.id}/reset-password")) == "ABOVE_YOUR_ROLE"
    assert code_of(await changed(dep, mei.id, role="supervisor")) == "ABOVE_YOUR_ROLE"
    assert code_of(await dep.post("/api/agents", NEW | {"role": "super_admin"})) == "ABOVE_YOUR_ROLE"
    assert code_of(await changed(dep, dep.id, role="agent")) == "OWN_ACCOUNT"
    assert code_of(await changed(dep, dep.id, is_active=False)) == "OWN_ACCOUNT"
    assert code_of(await dep.post(f"/api/agents/{dep.id}/reset-password")) == "OWN_ACCOUNT"
    assert (await changed(dep, dep.id, name="Deputy", role=role)).status_code == 200
    assert code_of(await changed(chen, mei.id, name="X")) == "FORBIDDEN"


async def test_of_two_super_admins_who_are_disabled_at_once_one_stays(stage: Stage, root: Agent) -> None:
    everything = data_of(await root.get("/api/roles"))["permissions"]
    body = {"name": {"en": "Owner", "zh": "店主"}, "permissions": everything}
    role = data_of(await root.post("/api/roles", body), 201)["id"]
    second, owner = await stage.agent("second", "super_admin"), await stage.agent("owner")
    data_of(await changed(root, owner.id, role=role))
    answers = await asyncio.gather(changed(owner, root.id, is_active=False), changed(owner, second.id, role="agent"))
    assert sorted(one.status_code for one in answers) == [200, 409]
    assert code_of(max(answers, key=lambda one: one.status_code)) == "LAST_SUPER_ADMIN"


async def test_of_two_who_disable_each_other_at_once_one_stays(stage: Stage, root: Agent) -> None:
    second = await stage.agent("second", "super_admin")
    answers = await asyncio.gather(changed(root, second.id, is_active=False), changed(second, root.id, is_active=False))
    assert sorted(one.status_code for one in answers) == [200, 401]
