"""Roles of the team's own, and what becomes of those who have them."""

import asyncio
from functools import partial
from typing import Any

import httpx2
import pytest
from sqlalchemy import Engine, event

from actors import Agent, Stage, code_of, data_of
from kefu.accounts.models import Agent as Row
from kefu.accounts.permissions import BY_ROLE
from kefu.kit.config import Settings
from kefu.kit.db import Database
from kefu.main import create_app
from team.test_agents import changed, patched

WRITERS = {"name": {"en": "Writers", "zh": "文案"}, "permissions": ["knowledge.write", "knowledge.read"]}

# What the database has no part in is tested on one.
on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
async def root(stage: Stage) -> Agent:
    return await stage.agent("root", "super_admin")


def _note(asked: list[str], *given: Any) -> None:
    asked.append(given[2])


async def made(by: Agent, **fields: object) -> dict[str, Any]:
    role: dict[str, Any] = data_of(await by.post("/api/roles", WRITERS | fields), 201)
    return role


@on_sqlite
async def test_the_four_roles_are_there_with_their_names_in_both_languages(root: Agent) -> None:
    data = data_of(await root.get("/api/roles"))
    assert [(one["id"], one["name"]["zh"], one["is_builtin"], one["agents"]) for one in data["roles"]] == [
        ("super_admin", "超级管理员", True, 1),
        ("supervisor", "客服主管", True, 0),
        ("agent", "普通客服", True, 0),
        ("inspector", "质检员", True, 0),
    ]
    assert all(set(one["permissions"]) == BY_ROLE[one["id"]] for one in data["roles"])


async def test_a_role_counts_from_the_next_request_in_every_process(
    stage: Stage, root: Agent, settings: Settings
) -> None:
    role, mei = await made(root), await stage.agent()
    data_of(await changed(root, mei.id, role=role["id"]))
    other = create_app(settings)
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app=other), base_url="http://kefu") as second:

        async def may_see_the_queue() -> list[int]:
            headers = {"Authorization": f"Bearer {mei.token}"}
            return [
                (await http.get("/api/sessions/queue", headers=headers)).status_code for http in (stage.http, second)
            ]

        asked: list[str] = []
        note = partial(_note, asked)
        event.listen(Engine, "before_cursor_execute", note)
        assert await may_see_the_queue() == [403, 403]
        event.remove(Engine, "before_cursor_execute", note)
        assert len([one for one in asked if "agents.username" in one]) == 2, asked  # one a request
        body = {"version": 1, "permissions": ["sessions.read"]}
        assert data_of(await patched(root, f"/api/roles/{role['id']}", body))["version"] == 2
        assert await may_see_the_queue() == [200, 200]
        assert data_of(await mei.get("/api/agent/profile"))["agent"]["permissions"] == ["sessions.read"]
        assert code_of(await patched(root, f"/api/roles/{role['id']}", body)) == "ROLE_CHANGED"
    await other.state.db.close()


async def test_a_role_with_which_one_serves_makes_an_agent_who_is_given_customers(stage: Stage, root: Agent) -> None:
    role = await made(root, permissions=sorted(BY_ROLE["agent"]))
    visitor, mei = await stage.visitor(), await stage.agent()
    data_of(await changed(root, mei.id, role=role["id"]))
    available = data_of(await root.get("/api/agents/available"))["items"]
    assert [one["username"] for one in available] == ["mei"]
    await mei.takes_over(visitor)
    body = {"version": 1, "permissions": ["sessions.read"]}
    data_of(await patched(root, f"/api/roles/{role['id']}", body))
    await visitor.sees("session.agent_lost", to="pending_manual")
    assert data_of(await root.get("/api/agents/available"))["items"] == []


@on_sqlite
async def test_a_built_in_role_keeps_its_name_and_gets_back_what_it_came_with(stage: Stage, root: Agent) -> None:
    mei = await stage.agent()
    more = sorted(BY_ROLE["agent"] | {"tags.write"})
    role = data_of(await patched(root, "/api/roles/agent", {"version": 0, "permissions": more}))
    assert (role["version"], role["is_builtin"], role["name"]["en"]) == (1, True, "Agent")
    assert "tags.write" in data_of(await mei.get("/api/agent/profile"))["agent"]["permissions"]
    back = {"version": 1, "permissions": sorted(BY_ROLE["agent"])}
    assert data_of(await patched(root, "/api/roles/agent", back))["version"] == 0
    assert "tags.write" not in data_of(await mei.get("/api/agent/profile"))["agent"]["permissions"]
    renamed = {"version": 0, "name": {"en": "Helper", "zh": "帮手"}}
    assert code_of(await patched(root, "/api/roles/agent", renamed)) == "ROLE_BUILT_IN"
    assert code_of(await patched(root, "/api/roles/super_admin", {"version": 0, "permissions": []})) == "ROLE_BUILT_IN"
    assert code_of(await root.delete("/api/roles/inspector")) == "ROLE_BUILT_IN"


async def test_a_role_that_somebody_has_is_not_deleted(stage: Stage, root: Agent) -> None:
    role, mei = await made(root), await stage.agent()
    data_of(await changed(root, mei.id, role=role["id"]))
    refused = await root.delete(f"/api/roles/{role['id']}")
    assert (code_of(refused), refused.json()["error"]["details"]) == ("ROLE_IN_USE", {"agents": 1})
    data_of(await changed(root, mei.id, role="agent"))
    data_of(await root.delete(f"/api/roles/{role['id']}"))
    assert code_of(await root.delete(f"/api/roles/{role['id']}")) == "ROLE_NOT_FOUND"


async def test_of_giving_a_role_and_deleting_it_at_once_one_happens(stage: Stage, root: Agent, db: Database) -> None:
    role, mei = await made(root), await stage.agent()
    given, deleted = await asyncio.gather(
        changed(root, mei.id, role=role["id"]), root.delete(f"/api/roles/{role['id']}")
    )
    assert sorted((given.status_code, deleted.status_code)) in ([200, 404], [200, 409])
    async with db.read() as tx:
        has_it = (await tx.get_one(Row, mei.id)).role == role["id"]
    assert has_it == (given.status_code == 200) == (deleted.status_code == 409)


@on_sqlite
async def test_nobody_makes_a_role_that_may_more_than_they(stage: Stage, root: Agent) -> None:
    role = await made(root, permissions=["roles.write", "agents.read"])
    mei = await stage.agent()
    data_of(await changed(root, mei.id, role=role["id"]))
    assert code_of(await mei.post("/api/roles", WRITERS)) == "ABOVE_YOUR_ROLE"
    beyond = {"version": 1, "permissions": ["roles.write", "agents.read", "agents.write"]}
    assert code_of(await patched(mei, f"/api/roles/{role['id']}", beyond)) == "ABOVE_YOUR_ROLE"
    less = {"version": 0, "permissions": ["agents.read"]}
    assert code_of(await patched(mei, "/api/roles/supervisor", less)) == "ABOVE_YOUR_ROLE"
    ours = {"name": {"en": "Lookers", "zh": "观察员"}, "permissions": ["agents.read"]}
    assert (await mei.post("/api/roles", ours)).status_code == 201


async def test_names_are_unique_and_permissions_known(root: Agent) -> None:
    await made(root)
    taken = {"name": {"en": "WRITERS", "zh": "作者"}, "permissions": []}
    assert code_of(await root.post("/api/roles", taken)) == "ROLE_NAME_TAKEN"
    assert code_of(await root.post("/api/roles", taken | {"name": {"en": "X", "zh": "质检员"}})) == "ROLE_NAME_TAKEN"
    unknown = {"name": {"en": "X", "zh": "X"}, "permissions": ["sessions.fly"]}
    assert code_of(await root.post("/api/roles", unknown)) == "VALIDATION_FAILED"
    same = await asyncio.gather(*(root.post("/api/roles", taken | {"name": {"en": "Z", "zh": "Z"}}) for _ in range(2)))
    assert sorted(one.status_code for one in same) == [201, 409]
