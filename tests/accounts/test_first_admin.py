"""The first admin, and hiring."""

import asyncio
from typing import Any

import pytest
from pydantic import SecretStr
from sqlalchemy import func, select

from accounts.team import Team, with_keys
from conftest import ON_ONE_DATABASE
from kefu.accounts.models import Agent
from kefu.accounts.service import FirstAdmin, UsernameInvalid, UsernameTaken, first_admin
from kefu.kit.config import BadSettings, Settings
from kefu.kit.db import Database


def settings(**given: Any) -> Settings:
    return Settings(_env_file=None, **given)


async def test_the_settings_name_the_first_admin(db: Database, team: Team) -> None:
    given = settings(super_admin_username="boss", super_admin_password=SecretStr("from-settings-1"))
    assert await first_admin(db, given) == FirstAdmin("boss", None)
    agent = (await team.login("boss", "from-settings-1")).json()["agent"]
    assert (agent["role"], agent["must_change_password"]) == ("super_admin", False)


async def test_without_a_password_one_is_made_for_one_use(db: Database, team: Team) -> None:
    made = await first_admin(db, settings())
    assert made is not None
    assert made.one_time_password is not None
    agent = (await team.login("admin", made.one_time_password)).json()["agent"]
    assert (agent["role"], agent["must_change_password"]) == ("super_admin", True)


async def test_a_second_start_changes_nothing(db: Database, team: Team) -> None:
    made = await first_admin(db, settings())
    assert made is not None
    assert await first_admin(db, settings(super_admin_password=SecretStr("another-pass-2"))) is None
    assert await first_admin(db, settings(super_admin_username="other")) is None
    assert (await team.login("admin", "another-pass-2")).status_code == 403
    assert (await team.login("admin", made.one_time_password or "")).status_code == 200


async def test_of_processes_that_start_at_once_one_creates(db: Database) -> None:
    others = [with_keys(Database(db.url)) for _ in range(3)]
    names = ["admin", "admin", "boss", "chief"]
    starts = (
        first_admin(one, settings(super_admin_username=name)) for one, name in zip([db, *others], names, strict=True)
    )
    outcomes = await asyncio.gather(*starts)
    for other in others:
        await other.close()
    assert len([one for one in outcomes if one]) == 1
    async with db.read() as tx:
        assert await tx.scalar(select(func.count()).select_from(Agent)) == 1


@ON_ONE_DATABASE
@pytest.mark.parametrize("password", ["short-1", "only-letters", "123456789012"])
async def test_a_weak_password_in_the_settings_stops_the_start(db: Database, password: str) -> None:
    with pytest.raises(BadSettings, match="SUPER_ADMIN_PASSWORD"):
        await first_admin(db, settings(super_admin_password=SecretStr(password)))


async def test_a_name_an_agent_has_already_stops_the_start(db: Database, team: Team) -> None:
    await team.hire("Admin")
    with pytest.raises(BadSettings, match="SUPER_ADMIN_USERNAME"):
        await first_admin(db, settings())


async def test_two_agents_cannot_have_one_username(team: Team) -> None:
    await team.hire("mei")
    with pytest.raises(UsernameTaken):
        await team.hire("MEI")


@ON_ONE_DATABASE
@pytest.mark.parametrize("username", ["me", "m" * 51, " mei", "mei ", "m\0ei", "m\nei"])
async def test_a_username_is_short_and_can_be_seen(team: Team, username: str) -> None:
    with pytest.raises(UsernameInvalid):
        await team.hire(username)
