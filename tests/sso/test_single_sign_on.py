"""Agents sign in at a provider that follows the standard; what does not follow it is refused."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any, get_args
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest
from sqlalchemy import select, update

from accounts.team import PASSWORD, Team, bearer
from actors import code_of, data_of
from kefu.accounts.models import Agent
from kefu.kit.config import Settings
from kefu.kit.db import Database
from kefu.sso import provider as sso
from sso.identity_provider import CLIENT, REDIRECT, SECRET, Fault, IdentityProvider, Person, new_key, running

# What the database has no part in is tested on one.
on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
async def there() -> AsyncIterator[IdentityProvider]:
    async with running() as provider:
        yield provider


@pytest.fixture
def settings(settings: Settings, there: IdentityProvider) -> Settings:
    oidc = {
        "oidc_issuer": there.address,
        "oidc_client_id": CLIENT,
        "oidc_client_secret": SECRET,
        "oidc_redirect_uri": REDIRECT,
    }
    return Settings.model_validate(settings.model_dump() | oidc)


@pytest.fixture
def team(db: Database, client: httpx2.AsyncClient) -> Team:
    return Team(db, client)


async def invited(team: Team, db: Database, username: str = "mei@shop.example", **fields: object) -> Agent:
    agent = await team.hire(username, must_change_password=True)
    async with db.write() as tx:
        await tx.execute(update(Agent).where(Agent.id == agent.id).values(is_invited=True, **fields))
    return agent


async def goes_there(client: httpx2.AsyncClient) -> dict[str, str]:
    """What the browser has when the provider has sent it back."""
    begun = data_of(await client.post("/api/agent/oidc/start"))
    async with httpx2.AsyncClient() as browser:
        back = (await browser.get(begun["address"])).headers["location"]
    assert back.startswith(f"{REDIRECT}?")
    query = {name: values[0] for name, values in parse_qs(urlsplit(back).query).items()}
    assert query["state"] == begun["state"]
    return {"code": query["code"], "state": query["state"], "ticket": begun["ticket"]}


async def comes_back(client: httpx2.AsyncClient, with_: dict[str, str]) -> httpx2.Response:
    return await client.post("/api/agent/oidc/finish", json=with_)


async def signs_in(client: httpx2.AsyncClient) -> httpx2.Response:
    return await comes_back(client, await goes_there(client))


async def rows(db: Database) -> list[Any]:
    async with db.read() as tx:
        return list(await tx.scalars(select(Agent)))


async def test_an_invited_agent_is_linked_once_and_known_by_the_subject_from_then_on(
    client: httpx2.AsyncClient, there: IdentityProvider, team: Team, db: Database
) -> None:
    assert data_of(await client.get("/api/agent/oidc"))["is_on"] is True
    assert code_of(await signs_in(client)) == "SSO_NOT_INVITED"
    agent = await invited(team, db)
    there.person.email_verified = False
    assert code_of(await signs_in(client)) == "SSO_NOT_INVITED"
    there.person.email_verified, there.person.email = True, "MEI@shop.example"
    tabs = [await goes_there(client) for _ in range(2)]
    signed_in, second = map(data_of, await asyncio.gather(*(comes_back(client, tab) for tab in tabs)))
    assert second["agent"]["id"] == agent.id
    assert (signed_in["agent"]["id"], signed_in["agent"]["must_change_password"]) == (agent.id, False)
    assert (await client.get("/api/sessions", headers=bearer(signed_in["token"]))).status_code == 200
    assert code_of(await team.login("mei@shop.example")) == "LOGIN_FAILED"
    there.person = Person(email="other@shop.example", email_verified=False)
    assert data_of(await signs_in(client))["agent"]["id"] == agent.id
    there.person = Person(sub="somebody-else")
    assert code_of(await signs_in(client)) == "SSO_NOT_INVITED"
    async with db.write() as tx:
        await tx.execute(update(Agent).values(is_active=False))
    there.person = Person()
    assert code_of(await signs_in(client)) == "SSO_NOT_INVITED"


@on_sqlite
async def test_who_was_not_invited_is_never_linked_and_a_password_stays(
    client: httpx2.AsyncClient, team: Team, db: Database
) -> None:
    await team.hire("mei@shop.example")
    assert code_of(await signs_in(client)) == "SSO_NOT_INVITED"
    async with db.write() as tx:
        await tx.execute(update(Agent).values(is_invited=True))
    assert (await signs_in(client)).status_code == 200
    assert (await team.login("mei@shop.example", PASSWORD)).status_code == 200


@on_sqlite
async def test_whatever_does_not_follow_the_standard_is_refused(
    client: httpx2.AsyncClient, there: IdentityProvider, team: Team, db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sso, "REFETCH_SECONDS", 3600.0)
    await invited(team, db)
    for fault in set(get_args(Fault)) - {"", "skewed"}:
        there.fault = fault
        answer = await signs_in(client)
        expected = (503, "SSO_UNAVAILABLE") if fault == "down" else (403, "SSO_FAILED")
        assert (answer.status_code, code_of(answer)) == expected, fault
    assert all(row.oidc_subject is None for row in await rows(db))
    assert there.asked_for_keys == 1  # whoever names keys that are not there does not have them fetched each time
    there.fault = ""
    back = await goes_there(client)
    other = await goes_there(client)
    for wrong in (
        back | {"state": other["state"]},
        back | {"ticket": other["ticket"]},
        back | {"ticket": back["ticket"][:-3] + "abc"},
        back | {"state": other["state"], "ticket": other["ticket"]},  # the code belongs to another verifier
        {**back, "code": "made-up"},
    ):
        assert code_of(await comes_back(client, wrong)) == "SSO_FAILED"
    assert code_of(await comes_back(client, back | {"ticket": "ü"})) == "VALIDATION_FAILED"
    assert code_of(await comes_back(client, back)) == "SSO_FAILED"  # used up with the wrong verifier
    there.fault = "skewed"
    assert (await comes_back(client, other)).status_code == 200
    assert code_of(await comes_back(client, other)) == "SSO_FAILED"
    monkeypatch.setattr(sso, "TICKET_SECONDS", -1)
    assert code_of(await signs_in(client)) == "SSO_FAILED"


@on_sqlite
async def test_a_new_key_of_the_provider_is_fetched_when_a_token_names_it(
    client: httpx2.AsyncClient, there: IdentityProvider, team: Team, db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sso, "REFETCH_SECONDS", 0.0)
    await invited(team, db)
    assert (await signs_in(client)).status_code == 200
    there.keys = {"k2": new_key()}
    assert (await signs_in(client)).status_code == 200
    assert there.asked_for_keys == 2


class TestDefaultRole:
    @pytest.fixture
    def settings(self, settings: Settings) -> Settings:
        return Settings.model_validate(settings.model_dump() | {"oidc_default_role": "inspector"})

    async def test_with_a_default_role_whoever_signs_in_there_becomes_an_agent(
        self, client: httpx2.AsyncClient, there: IdentityProvider, team: Team, db: Database
    ) -> None:
        signed_in = data_of(await signs_in(client))["agent"]
        assert (signed_in["username"], signed_in["name"], signed_in["role"]) == ("mei@shop.example", "Mei", "inspector")
        assert data_of(await signs_in(client))["agent"]["id"] == signed_in["id"]
        await team.hire("lin@shop.example")
        there.person = Person("u-2", "lin@shop.example", name="Lin")
        assert code_of(await signs_in(client)) == "SSO_NOT_INVITED"
        assert len(await rows(db)) == 2


@on_sqlite
async def test_a_provider_that_is_not_there_or_calls_itself_otherwise_is_told_as_such(
    client: httpx2.AsyncClient, there: IdentityProvider
) -> None:
    there.address, address = "https://login.example", there.address
    answer = await client.post("/api/agent/oidc/start")
    assert (answer.status_code, code_of(answer), answer.headers["retry-after"]) == (503, "SSO_UNAVAILABLE", "2")
    there.address = address
    assert (await client.post("/api/agent/oidc/start")).status_code == 200
