"""Commands on agents and on what their roles may do, by an administrator.

Each takes the team's lock first (`lock_team`), then the agent's row. An agent who may no longer serve gives their
conversations back in the same transaction.
"""

from collections.abc import Mapping
from typing import Any, ClassVar

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from kefu.accounts import locks
from kefu.accounts import service as accounts
from kefu.accounts.audit import audit
from kefu.accounts.models import Agent
from kefu.accounts.roles import (
    SUPER_ADMIN,
    RoleChange,
    TeamRole,
    change_role,
    check_within,
    find_role,
    lock_team,
)
from kefu.accounts.service import NewAgent, create_agent
from kefu.accounts.sign_ins import access_changed, end_sign_ins
from kefu.kit.errors import Conflict
from kefu.kit.i18n import Text
from kefu.kit.ids import AgentId
from kefu.routing.assignment import give_back
from kefu.routing.duty import wake_assigner
from kefu.routing.team import AgentNotFound

SERVES = "sessions.takeover"


class OwnAccount(Conflict):
    code = "OWN_ACCOUNT"
    text: ClassVar[Text] = {
        "en": "You cannot change your own role, disable yourself or reset your own password.",
        "zh": "不能修改自己的角色、停用自己或重置自己的密码。",
    }


class LastSuperAdmin(Conflict):
    code = "LAST_SUPER_ADMIN"
    text: ClassVar[Text] = {
        "en": "This is the last active super administrator.",
        "zh": "这是最后一位启用中的超级管理员。",
    }


async def hire(tx: AsyncSession, by: str, new: NewAgent, fields: Mapping[str, Any]) -> Agent:
    """`fields`: further columns of the agent. Raises RoleNotFound, AboveYou, UsernameTaken, UsernameInvalid."""
    own = await lock_team(tx, by, "agents.write")
    check_within(own, (await find_role(tx, new.role)).permissions)
    agent = await create_agent(tx, new)
    before = {name: getattr(agent, name) for name in fields}
    await _set(tx, agent, fields)
    _audit_change(tx, agent.id, before, fields)
    return agent


async def change(tx: AsyncSession, by: str, agent_id: str, fields: Mapping[str, Any]) -> Agent:
    """Give the agent's row these columns. Who is disabled is signed out; both hold at once.

    Safe to repeat. Raises AgentNotFound, AboveYou, OwnAccount, RoleNotFound, LastSuperAdmin.
    """
    own = await lock_team(tx, by, "agents.write")
    agent = await _locked(tx, agent_id)
    check_within(own, agent.permissions)
    is_active, role = fields.get("is_active", agent.is_active), fields.get("role", agent.role)
    if agent_id == by and (role != agent.role or not is_active):
        raise OwnAccount
    if role != agent.role:
        check_within(own, (await find_role(tx, role)).permissions)
    if agent.role == SUPER_ADMIN and agent.is_active and not (role == SUPER_ADMIN and is_active):
        await _check_another_super_admin(tx, agent_id)
    before = {name: getattr(agent, name) for name in fields}
    await _set(tx, agent, fields)
    _audit_change(tx, agent_id, before, fields)
    if not agent.is_active:
        await end_sign_ins(tx, AgentId(agent_id))
    if not agent.is_active or SERVES not in agent.permissions:
        await _give_all_back(tx, agent_id)
    await wake_assigner(tx)
    access_changed(tx, agent_id)
    return agent


async def reset_password(tx: AsyncSession, by: str, agent_id: str, password_hash: str) -> Agent:
    """The agent must change it at the next sign-in, is signed out everywhere, and no longer locked out.

    Raises AgentNotFound, AboveYou, OwnAccount.
    """
    own = await lock_team(tx, by, "agents.write")
    username = await tx.scalar(select(Agent.username).where(Agent.id == agent_id))
    if username:
        await locks.unlock(tx, username, None)  # before the agent's row, as whoever signs in
    agent = await _locked(tx, agent_id)
    check_within(own, agent.permissions)
    if agent_id == by:
        raise OwnAccount
    agent.password_hash, agent.must_change_password = password_hash, True
    audit(tx, "agent.password_reset", ("agent", agent_id))
    await end_sign_ins(tx, AgentId(agent_id))
    access_changed(tx, agent_id)
    return agent


async def reset_second_factor(tx: AsyncSession, by: str, agent_id: str) -> None:
    """For who has lost it: they are signed out everywhere. Raises AgentNotFound, AboveYou; may be repeated."""
    own = await lock_team(tx, by, "agents.write")
    check_within(own, (await _locked(tx, agent_id)).permissions)
    await accounts.reset_second_factor(tx, AgentId(agent_id))


async def redefine(tx: AsyncSession, by: str, role_id: str, wanted: RoleChange) -> TeamRole:
    """As `change_role`; those who have the role give back what they may no longer serve."""
    role = await change_role(tx, by, role_id, wanted)
    concerned = list(await tx.scalars(select(Agent.id).where(Agent.role == role_id).order_by(Agent.id)))
    for agent_id in concerned:
        if SERVES not in role.permissions:
            await _locked(tx, agent_id)
            await _give_all_back(tx, agent_id)
        access_changed(tx, agent_id)
    return role


def _audit_change(tx: AsyncSession, agent_id: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> None:
    """To let somebody in, or no longer, has an entry of its own."""
    if "is_active" in after and after["is_active"] != before["is_active"]:
        audit(tx, "agent.enabled" if after["is_active"] else "agent.disabled", ("agent", agent_id))
    rest = {name: value for name, value in after.items() if name != "is_active"}
    audit(tx, "agent.changed", ("agent", agent_id), {name: before[name] for name in rest}, rest)


async def _locked(tx: AsyncSession, agent_id: str) -> Agent:
    agent = await tx.get(Agent, agent_id, with_for_update=True)
    if agent is None:
        raise AgentNotFound(agent_id=agent_id)
    return agent


async def _set(tx: AsyncSession, agent: Agent, fields: Mapping[str, Any]) -> None:
    """What the role may do comes with the row, so it is read again."""
    for name, value in fields.items():
        setattr(agent, name, value)
    await tx.flush()
    await tx.refresh(agent)


async def _check_another_super_admin(tx: AsyncSession, agent_id: str) -> None:
    others = select(func.count()).where(Agent.role == SUPER_ADMIN, Agent.is_active, Agent.id != agent_id)
    if not await tx.scalar(others):
        raise LastSuperAdmin


async def _give_all_back(tx: AsyncSession, agent_id: str) -> None:
    while await give_back(tx, agent_id):
        pass
