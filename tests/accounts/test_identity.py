"""Who a token is taken for, and what they may then do."""

from datetime import timedelta

import httpx2
import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute, iter_route_contexts
from sqlalchemy import update

from accounts.team import Browser, Team, bearer
from conftest import ON_ONE_DATABASE
from kefu.accounts.identity import ASKS, Visitor, identify
from kefu.accounts.models import Agent
from kefu.accounts.permissions import BY_ROLE, PERMISSIONS, Role
from kefu.accounts.tokens import Tokens
from kefu.kit.db import Database


def refusal(answer: httpx2.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["code"]


@pytest.fixture
def visitor(app: FastAPI) -> dict[str, str]:
    tokens: Tokens = app.state.tokens
    return bearer(tokens.visitor("s-1"))


@ON_ONE_DATABASE
@pytest.mark.parametrize("header", [None, "", "Bearer", "Bearer ", "Basic bWVpOng="])
async def test_without_a_token_one_is_asked_to_sign_in(client: httpx2.AsyncClient, header: str | None) -> None:
    answer = await client.get("/takeover", headers={} if header is None else {"Authorization": header})
    assert refusal(answer) == (401, "TOKEN_REQUIRED")
    assert answer.headers["WWW-Authenticate"] == "Bearer"


@ON_ONE_DATABASE
@pytest.mark.parametrize("token", ["x", "a.b.c", "x" * 5000])
async def test_what_is_no_token_is_refused(client: httpx2.AsyncClient, token: str) -> None:
    assert refusal(await client.get("/takeover", headers=bearer(token))) == (401, "TOKEN_INVALID")


async def test_an_expired_access_token_says_so(app: FastAPI, mei: Browser) -> None:
    tokens: Tokens = app.state.tokens
    claims = tokens.read_access(mei.token)
    mei.token = tokens.access(claims.agent_id, claims.family, lasts=timedelta(seconds=-31))
    assert refusal(await mei.get("/takeover")) == (401, "TOKEN_EXPIRED")


async def test_a_token_signed_with_another_secret_is_refused(app: FastAPI, mei: Browser) -> None:
    claims = app.state.tokens.read_access(mei.token)
    mei.token = Tokens("another secret").access(claims.agent_id, claims.family)
    assert refusal(await mei.get("/takeover")) == (401, "TOKEN_INVALID")


async def test_the_refresh_token_is_no_access_token(mei: Browser) -> None:
    mei.token = mei.refresh_token
    assert refusal(await mei.get("/api/agent/profile")) == (401, "TOKEN_INVALID")


async def test_one_agents_sign_in_does_not_carry_anothers_name(app: FastAPI, mei: Browser, team: Team) -> None:
    lin = await team.hire("lin", "super_admin")
    mei.token = app.state.tokens.access(lin.id, app.state.tokens.read_access(mei.token).family)
    assert refusal(await mei.get("/takeover")) == (401, "TOKEN_INVALID")


async def test_a_visitor_may_not_use_agents_routes(client: httpx2.AsyncClient, visitor: dict[str, str]) -> None:
    for path in ("/takeover", "/write-knowledge", "/api/agent/profile"):
        assert refusal(await client.get(path, headers=visitor)) == (403, "FORBIDDEN")
    change = {"old_password": "x", "new_password": "another-horse-8"}
    assert refusal(await client.post("/api/agent/change-password", json=change, headers=visitor)) == (403, "FORBIDDEN")
    assert refusal(await client.post("/api/agent/logout", headers=visitor)) == (403, "FORBIDDEN")


async def test_a_route_for_both_knows_which_one_calls(
    client: httpx2.AsyncClient, visitor: dict[str, str], mei: Browser
) -> None:
    assert (await client.get("/anyone-signed-in", headers=visitor)).json() == "Visitor"
    assert (await mei.get("/anyone-signed-in")).json() == "AgentIdentity"


async def test_a_visitor_is_known_by_the_session_alone(app: FastAPI) -> None:
    token = app.state.tokens.visitor("s-1")
    for header in (f"Bearer {token}", f"bearer  {token} "):
        caller = await identify(app.state, header)
        assert isinstance(caller, Visitor)
        assert (caller.session_name, caller.epoch) == ("s-1", 0)


async def test_a_new_role_counts_from_the_next_request(mei: Browser, db: Database) -> None:
    for role, status in (("supervisor", 200), ("inspector", 403), ("super_admin", 200), ("nonsense", 403)):
        async with db.write() as tx:
            await tx.execute(update(Agent).values(role=role))
        assert (await mei.get("/write-knowledge")).status_code == status


async def test_a_deactivated_agent_is_out_at_once(mei: Browser, db: Database) -> None:
    assert (await mei.get("/takeover")).status_code == 200
    async with db.write() as tx:
        await tx.execute(update(Agent).values(is_active=False))
    assert refusal(await mei.get("/takeover")) == (401, "TOKEN_INVALID")


@pytest.mark.parametrize(
    ("role", "takeover", "write"),
    [("super_admin", 200, 200), ("supervisor", 200, 200), ("agent", 200, 403), ("inspector", 403, 403)],
)
async def test_each_role_may_do_its_own(team: Team, role: Role, takeover: int, write: int) -> None:
    await team.hire("someone", role)
    someone = await team.sign_in("someone")
    assert (await someone.get("/takeover")).status_code == takeover
    assert (await someone.get("/write-knowledge")).status_code == write


def test_a_super_admin_may_do_everything_and_an_inspector_only_read() -> None:
    assert BY_ROLE["super_admin"] == PERMISSIONS
    assert {one.rsplit(".")[-1] for one in BY_ROLE["inspector"]} == {"read", "read_any"}
    assert BY_ROLE["inspector"] < BY_ROLE["supervisor"] < BY_ROLE["super_admin"]
    assert BY_ROLE["agent"] < BY_ROLE["supervisor"]


def test_every_route_says_what_it_asks(app: FastAPI) -> None:
    asked = {}
    for context in iter_route_contexts(app.routes):
        if isinstance(context.original_route, APIRoute):
            asked[context.path] = [ASKS[one.call] for one in context.dependant.dependencies if one.call in ASKS]
    assert asked == {
        "/api/agent/login": ["anyone"],
        "/api/agent/login/second-factor": ["anyone"],
        "/api/agent/refresh": ["anyone"],
        "/api/agent/logout": ["anyone"],
        "/api/agent/profile": ["agent"],
        "/api/agent/change-password": ["agent"],
        "/api/agent/second-factor": ["agent"],
        "/api/agent/second-factor/setup": ["agent"],
        "/api/agent/second-factor/confirm": ["agent"],
        "/api/agent/second-factor/recovery-codes": ["agent"],
        "/api/agent/second-factor/off": ["agent"],
        "/api/agents": ["agents.write"],
        "/api/agents/{agent_id}": ["agents.write"],
        "/api/agents/{agent_id}/reset-password": ["agents.write"],
        "/api/agents/{agent_id}/second-factor": ["agents.write"],
        "/api/roles": ["roles.write"],
        "/api/roles/{role_id}": ["roles.write"],
        "/takeover": ["sessions.takeover"],
        "/write-knowledge": ["knowledge.write"],
        "/anyone-signed-in": ["signed in"],
    }
