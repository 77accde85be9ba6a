"""What crosses HTTP about agents and roles. Agents keep the older shape: their times are float Unix seconds."""

from typing import Annotated, Any

from fastapi import Path
from pydantic import BaseModel, Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from kefu.accounts.duty import Duty
from kefu.accounts.permissions import Permission
from kefu.accounts.roles import TeamRole
from kefu.accounts.schemas import NewPassword
from kefu.kit.clock import unix_seconds
from kefu.kit.i18n import Text
from kefu.kit.web import REASONS, Done
from kefu.routing.duty import shown
from kefu.routing.schemas import Work
from kefu.sessions.schemas import Body
from kefu.team.queries import Filter, Member

REASONS["nothing_to_change"] = {"en": "names nothing to change", "zh": "没有要修改的内容"}

RoleId = Annotated[str, StringConstraints(pattern=r"^[a-z0-9_]{1,40}$")]
RoleInPath = Annotated[str, Path(pattern=r"^[a-z0-9_]{1,40}$")]
Name = Annotated[str, StringConstraints(min_length=1, max_length=50, pattern=r"^[^\x00-\x1f]*$", strip_whitespace=True)]
RoleName = Annotated[
    str, StringConstraints(min_length=1, max_length=40, pattern=r"^[^\x00-\x1f]*$", strip_whitespace=True)
]
Username = Annotated[str, StringConstraints(min_length=3, max_length=50, pattern=r"^[^\x00]*$")]
Permissions = Annotated[list[Permission], Field(max_length=100)]


class AgentsQuery(BaseModel):
    """`q`: part of the username or the name. `status`: who is not heard of is offline."""

    q: Annotated[str, StringConstraints(max_length=50, pattern=r"^[^\x00]*$")] = ""
    role: RoleId | None = None
    status: Duty | None = None
    is_active: bool | None = None
    page: Annotated[int, Field(ge=1, le=100_000)] = 1
    page_size: Annotated[int, Field(ge=1, le=100)] = 20

    @property
    def wanted(self) -> Filter:
        return Filter(self.q, self.role, self.status, self.is_active)


class NewMember(Work):
    """Without a `password` one is made and shown once. Either must be changed at the first sign-in.

    `is_invited`: may sign in at the provider of single sign-on, whose verified e-mail address is the username.
    """

    username: Username
    name: Name
    role: RoleId = "agent"
    password: NewPassword | None = None
    is_invited: bool = False


class MemberChange(Work):
    """What is not named stays."""

    name: Name | None = None
    role: RoleId | None = None
    is_active: bool | None = None
    is_invited: bool | None = None

    @model_validator(mode="after")
    def _says_something(self) -> "MemberChange":
        if not self.fields:
            raise PydanticCustomError("nothing_to_change", "nothing")
        return self

    @property
    def fields(self) -> dict[str, Any]:
        return self.model_dump(exclude_none=True)


class PasswordReset(Body):
    """Without one a password is made and shown once."""

    new_password: NewPassword | None = None


class AgentAccount(BaseModel):
    """What only those see who may change agents."""

    must_change_password: bool
    is_invited: bool
    is_linked: bool
    created_at: float
    last_login: float | None
    last_seen_at: float | None
    locked_until: float | None


class MemberOut(BaseModel):
    """`current_sessions` are served, `offered_sessions` wait for the agent.

    `account` is null for who may not change agents.
    """

    id: str
    username: str
    name: str
    role: str
    is_active: bool
    status: Duty
    status_note: str
    skills: list[str]
    languages: list[str]
    max_sessions: int
    current_sessions: int
    offered_sessions: int
    last_active_at: float | None
    account: AgentAccount | None


class MemberList(BaseModel):
    """Newest first."""

    items: list[MemberOut]
    total: int
    page: int
    page_size: int


class MemberListData(Done):
    data: MemberList


class MemberData(Done):
    agent: MemberOut


class MemberWithPassword(MemberData):
    """`one_time_password` is shown only here; null when the caller gave one."""

    one_time_password: str | None


class RoleNames(Body):
    en: RoleName
    zh: RoleName

    @property
    def text(self) -> Text:
        return {"en": self.en, "zh": self.zh}


class NewRole(Body):
    name: RoleNames
    permissions: Permissions


class RoleChangeIn(Body):
    """`version`: of the role as the caller saw it. What is not named stays."""

    version: Annotated[int, Field(ge=0, le=2**31 - 1)]
    name: RoleNames | None = None
    permissions: Permissions | None = None


class RoleOut(BaseModel):
    """`version` is 0 for a built-in role as it came; `agents`: how many have it."""

    id: str
    name: RoleNames
    permissions: list[Permission]
    is_builtin: bool
    version: int
    agents: int


class RoleList(BaseModel):
    """`permissions`: all there are."""

    roles: list[RoleOut]
    permissions: list[Permission]


class RoleListData(Done):
    data: RoleList


class RoleData(Done):
    data: RoleOut


def member_out(one: Member, now: int, *, with_account: bool) -> MemberOut:
    agent = one.agent
    account = AgentAccount(
        must_change_password=agent.must_change_password,
        is_invited=agent.is_invited,
        is_linked=agent.oidc_subject is not None,
        created_at=agent.created_at / 1000,
        last_login=unix_seconds(agent.last_login_at),
        last_seen_at=unix_seconds(agent.last_seen_at),
        locked_until=unix_seconds(one.locked_until),
    )
    return MemberOut(
        id=agent.id,
        username=agent.username,
        name=agent.name,
        role=agent.role,
        is_active=agent.is_active,
        status=shown(agent, now),
        status_note=agent.status_note,
        skills=agent.skills,
        languages=agent.languages,
        max_sessions=agent.max_sessions,
        current_sessions=one.serving,
        offered_sessions=one.offered,
        last_active_at=unix_seconds(agent.active_at),
        account=account if with_account else None,
    )


def role_out(role: TeamRole) -> RoleOut:
    return RoleOut(
        id=role.id,
        name=RoleNames(en=role.name["en"], zh=role.name["zh"]),
        permissions=sorted(role.permissions),
        is_builtin=role.is_builtin,
        version=role.version,
        agents=role.agents,
    )
