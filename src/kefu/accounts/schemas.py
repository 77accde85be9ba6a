"""What crosses HTTP when an agent signs in."""

from typing import Annotated

from pydantic import AfterValidator, BaseModel, Field, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from kefu.accounts import passwords
from kefu.accounts.models import Agent
from kefu.accounts.permissions import Permission
from kefu.accounts.service import Grant
from kefu.accounts.tokens import ACCESS_LIFETIME
from kefu.kit.clock import unix_seconds
from kefu.kit.web import REASONS, Done

REASONS["password_weak"] = {"en": "needs a letter and a digit", "zh": "须同时包含字母和数字"}
REASONS["password_unchanged"] = {"en": "must differ from the old one", "zh": "不能与原密码相同"}


def _keeps_the_rule(password: str) -> str:
    if not passwords.is_acceptable(password):
        raise PydanticCustomError("password_weak", "weak")
    return password


Password = Annotated[str, Field(min_length=1, max_length=passwords.LONGEST)]
NewPassword = Annotated[
    str, Field(min_length=passwords.SHORTEST, max_length=passwords.LONGEST), AfterValidator(_keeps_the_rule)
]
RefreshTokenText = Annotated[str, Field(min_length=1, max_length=200)]


class Credentials(BaseModel):
    username: Annotated[str, Field(min_length=1, max_length=50, pattern=r"^[^\x00]+$")]
    password: Password


class RefreshIn(BaseModel):
    refresh_token: RefreshTokenText


class LogoutIn(BaseModel):
    refresh_token: RefreshTokenText | None = None


class PasswordChange(BaseModel):
    old_password: Password
    new_password: NewPassword

    @field_validator("new_password")
    @classmethod
    def _is_new(cls, value: str, others: ValidationInfo) -> str:
        if value == others.data.get("old_password"):
            raise PydanticCustomError("password_unchanged", "unchanged")
        return value


ACCESS_SECONDS = int(ACCESS_LIFETIME.total_seconds())


class AgentOut(BaseModel):
    """`permissions` are those of the role; times are Unix seconds."""

    id: str
    username: str
    name: str
    role: str
    status: str
    max_sessions: int
    must_change_password: bool
    permissions: list[Permission]
    created_at: float
    last_login: float | None

    @classmethod
    def of(cls, agent: Agent) -> "AgentOut":
        return cls(
            id=agent.id,
            username=agent.username,
            name=agent.name,
            role=agent.role,
            status=agent.status,
            max_sessions=agent.max_sessions,
            must_change_password=agent.must_change_password,
            permissions=sorted(agent.permissions),
            created_at=agent.created_at / 1000,
            last_login=unix_seconds(agent.last_login_at),
        )


class GrantOut(Done):
    """`expires_in`: seconds the access token lasts."""

    token: str
    refresh_token: str
    expires_in: int

    @classmethod
    def of(cls, grant: Grant) -> "GrantOut":
        return cls(token=grant.access_token, refresh_token=grant.refresh_token, expires_in=ACCESS_SECONDS)


class SignedInOut(GrantOut):
    agent: AgentOut

    @classmethod
    def of(cls, grant: Grant) -> "SignedInOut":
        agent = AgentOut.of(grant.agent)
        return cls(token=grant.access_token, refresh_token=grant.refresh_token, expires_in=ACCESS_SECONDS, agent=agent)


class ProfileOut(Done):
    agent: AgentOut
