"""Roles: the four that are always there, what the team made of them, and the team's own.

Who changes roles or agents takes one lock for the whole team first (`lock_team`) and may give nobody what they may not
do themselves.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import ClassVar

from sqlalchemy import ColumnElement, String, and_, cast, func, or_, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from kefu.accounts.audit import audit
from kefu.accounts.models import Agent, CustomRole
from kefu.accounts.permissions import BY_ROLE, Permission, permissions_of
from kefu.kit.clock import now_ms
from kefu.kit.db import is_sqlite
from kefu.kit.errors import Conflict, Forbidden, NotFound, TokenInvalid
from kefu.kit.i18n import Text
from kefu.kit.ids import new_id

PER_TEAM = 50
SUPER_ADMIN = "super_admin"
NAMES: Mapping[str, Text] = {
    SUPER_ADMIN: {"en": "Super administrator", "zh": "超级管理员"},
    "supervisor": {"en": "Supervisor", "zh": "客服主管"},
    "agent": {"en": "Agent", "zh": "普通客服"},
    "inspector": {"en": "Inspector", "zh": "质检员"},
}


class RoleNotFound(NotFound):
    code = "ROLE_NOT_FOUND"
    text: ClassVar[Text] = {"en": "There is no such role.", "zh": "找不到该角色。"}


class RoleBuiltIn(Conflict):
    code = "ROLE_BUILT_IN"
    text: ClassVar[Text] = {
        "en": "This role is always there: it keeps its name, and a super administrator may do everything.",
        "zh": "这是内置角色：不能改名或删除，超级管理员始终拥有全部权限。",
    }


class RoleNameTaken(Conflict):
    code = "ROLE_NAME_TAKEN"
    text: ClassVar[Text] = {"en": "There is a role of this name already.", "zh": "已有同名角色。"}


class RoleChanged(Conflict):
    """`version`: the one that stands now."""

    code = "ROLE_CHANGED"
    text: ClassVar[Text] = {
        "en": "Somebody else has changed this role meanwhile. Look at it again.",
        "zh": "该角色刚被其他人修改，请刷新后重试。",
    }


class RoleInUse(Conflict):
    """`agents`: how many have it."""

    code = "ROLE_IN_USE"
    text: ClassVar[Text] = {
        "en": "{agents} agents have this role. Give them another one first.",
        "zh": "有 {agents} 名坐席正在使用该角色，请先为其更换角色。",
    }


class TooManyRoles(Conflict):
    code = "TOO_MANY_ROLES"
    text: ClassVar[Text] = {
        "en": "There may be at most {most} roles of your own.",
        "zh": "最多只能有 {most} 个自定义角色。",
    }


class AboveYou(Forbidden):
    """`permissions`: those that the caller does not have."""

    code = "ABOVE_YOUR_ROLE"
    text: ClassVar[Text] = {
        "en": "You can neither give permissions that you do not have nor change who has them.",
        "zh": "您不能授予自己没有的权限，也不能修改拥有这些权限的角色或坐席。",
    }


@dataclass(frozen=True, slots=True)
class TeamRole:
    """`version` is 0 for a built-in role as it came; `agents`: how many have it, disabled ones too."""

    id: str
    name: Text
    permissions: frozenset[Permission]
    version: int
    agents: int = 0

    @property
    def is_builtin(self) -> bool:
        return self.id in BY_ROLE


async def lock_team(tx: AsyncSession, by: str, permission: Permission) -> frozenset[Permission]:
    """Let nobody else change agents or roles until the transaction ends; what the agent `by` may do at this moment.

    Take it first. Raises TokenInvalid or Forbidden for who was disabled, or may no longer do this, a moment ago.
    """
    if not is_sqlite(tx):
        await tx.execute(text("LOCK TABLE roles IN SHARE ROW EXCLUSIVE MODE"))
    query = select(Agent.role, Agent.own_permissions).where(Agent.id == by, Agent.is_active)
    row = (await tx.execute(query)).first()
    if row is None:
        raise TokenInvalid
    permissions = permissions_of(*row)
    if permission not in permissions:
        raise Forbidden
    return permissions


def check_within(own: frozenset[Permission], asked: Collection[Permission]) -> None:
    """Raises AboveYou for what goes beyond `own`."""
    if beyond := set(asked) - own:
        raise AboveYou(permissions=sorted(beyond))


def may(permission: Permission) -> ColumnElement[bool]:
    """The condition that an agent's role has the permission."""
    by_default = [role for role, permissions in BY_ROLE.items() if permission in permissions]
    own = select(CustomRole.id).where(cast(CustomRole.permissions, String).contains(f'"{permission}"'))
    as_it_came = and_(Agent.role.in_(by_default), Agent.role.not_in(select(CustomRole.id)))
    return or_(as_it_came, Agent.role.in_(own))


async def all_roles(tx: AsyncSession) -> list[TeamRole]:
    """The built-in ones, then the team's own as they came."""
    rows = {row.id: row for row in await tx.scalars(select(CustomRole).order_by(CustomRole.created_at, CustomRole.id))}
    counted: dict[str, int] = dict((await tx.execute(select(Agent.role, func.count()).group_by(Agent.role))).all())
    ids = [*BY_ROLE, *(one for one in rows if one not in BY_ROLE)]
    return [_role(one, rows.get(one), counted.get(one, 0)) for one in ids]


def _role(role_id: str, row: CustomRole | None, agents: int) -> TeamRole:
    if row is None:
        return TeamRole(role_id, NAMES[role_id], BY_ROLE[role_id], 0, agents)
    name: Text = {"en": row.name_en, "zh": row.name_zh}
    return TeamRole(role_id, name, permissions_of(role_id, row.permissions), row.version, agents)


async def find_role(tx: AsyncSession, role_id: str) -> TeamRole:
    """Raises RoleNotFound."""
    found = next((one for one in await all_roles(tx) if one.id == role_id), None)
    if found is None:
        raise RoleNotFound(role=role_id)
    return found


async def create_role(tx: AsyncSession, by: str, name: Text, permissions: Collection[Permission]) -> TeamRole:
    """A role of the team's own. Raises AboveYou, RoleNameTaken, TooManyRoles."""
    check_within(await lock_team(tx, by, "roles.write"), permissions)
    known = await all_roles(tx)
    if len(known) >= PER_TEAM + len(BY_ROLE):
        raise TooManyRoles(most=PER_TEAM)
    role_id = new_id("role")
    _check_name(name, role_id, known)
    row = CustomRole(id=role_id, name_en=name["en"], name_zh=name["zh"], permissions=sorted(permissions), version=1)
    row.created_at = now_ms()
    tx.add(row)
    await tx.flush()
    role = await find_role(tx, role_id)
    audit(tx, "role.created", ("role", role_id), after=_facts(role))
    return role


def _facts(role: TeamRole) -> dict[str, object]:
    return {"name": role.name, "permissions": sorted(role.permissions)}


@dataclass(frozen=True, slots=True)
class RoleChange:
    """`version`: of the role as the writer saw it. What is None stays."""

    version: int
    name: Text | None = None
    permissions: Collection[Permission] | None = None


async def change_role(tx: AsyncSession, by: str, role_id: str, change: RoleChange) -> TeamRole:
    """A built-in role that gets back what it came with is again as it came.

    Raises RoleNotFound, RoleChanged, RoleBuiltIn, AboveYou, RoleNameTaken.
    """
    own = await lock_team(tx, by, "roles.write")
    role = await find_role(tx, role_id)
    if role.version != change.version:
        raise RoleChanged(version=role.version)
    wanted = role.permissions if change.permissions is None else frozenset(change.permissions)
    if role.is_builtin and ((change.name or role.name) != role.name or role_id == SUPER_ADMIN):
        raise RoleBuiltIn
    check_within(own, role.permissions | wanted)
    name = change.name or role.name
    _check_name(name, role_id, await all_roles(tx))
    row = await tx.get(CustomRole, role_id) or CustomRole(id=role_id, created_at=now_ms())
    row.name_en, row.name_zh, row.permissions, row.version = name["en"], name["zh"], sorted(wanted), role.version + 1
    if wanted != BY_ROLE.get(role_id):
        tx.add(row)
    elif role.version:
        await tx.delete(row)
    await tx.flush()
    changed = await find_role(tx, role_id)
    audit(tx, "role.changed", ("role", role_id), _facts(role), _facts(changed))
    return changed


async def delete_role(tx: AsyncSession, by: str, role_id: str) -> None:
    """Raises RoleNotFound, RoleBuiltIn, AboveYou, RoleInUse."""
    own = await lock_team(tx, by, "roles.write")
    role = await find_role(tx, role_id)
    if role.is_builtin:
        raise RoleBuiltIn
    check_within(own, role.permissions)
    if role.agents:
        raise RoleInUse(agents=role.agents)
    await tx.delete(await tx.get_one(CustomRole, role_id))
    audit(tx, "role.deleted", ("role", role_id), before=_facts(role))


def _check_name(name: Text, role_id: str, known: list[TeamRole]) -> None:
    """Raises RoleNameTaken when another role is called that in the same language, whatever the case."""
    for one in known:
        if one.id != role_id and any(one.name[tag].casefold() == name[tag].casefold() for tag in name):
            raise RoleNameTaken
