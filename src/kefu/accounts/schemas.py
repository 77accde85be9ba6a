"""What crosses HTTP when an agent signs in."""

from typing import Annotated

from fastapi import Path
from pydantic import AfterValidator, BaseModel, Field, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from kefu.accounts import passwords
from kefu.accounts.models import Agent
from kefu.accounts.permissions import Permission
from kefu.accounts.sign_ins import Grant
from kefu.accounts.tokens import ACCESS_LIFETIME
from kefu.kit.clock import unix_seconds
from kefu.kit.ids import AgentId
from kefu.kit.web import REASONS, Done

REASONS["password_weak"] = {"en": "needs a letter and a digit", "zh": "须同时包含字母和数字"}
REASONS["password_unchanged"] = {"en": "must differ from the old one", "zh": "不能与原密码相同"}


def _keeps_the_rule(password: str) -> str:
    if not passwords.is_acceptable(password):
        raise PydanticCustomError("password_weak", "weak")
    return password


AgentInPath = Annotated[AgentId, Path(pattern=r"^[A-Za-z0-9_\-]{1,40}$")]
Password = Annotated[str, Field(min_length=1, max_length=passwords.LONGEST)]
NewPassword = Annotated[
    str, Field(min_length=passwords.SHORTEST, max_length=passwords.LONGEST), AfterValidator(_keeps_the_rule)
]
RefreshTokenText = Annotated[str, Field(min_length=1, max_length=200)]


class Credentials(BaseModel):
    username: Annotated[str, Field(min_length=1, max_length=50, pattern=r"^[^\x00]+$")]
    password: Password


# Six digits of an app, perhaps with a space between, or a recovery code.
Code = Annotated[str, Field(min_length=6, max_length=20, pattern=r"^[0-9A-Za-z -]+$")]


class SecondStepIn(BaseModel):
    """`ticket`: from the answer to the first step."""

    ticket: Annotated[str, Field(min_length=1, max_length=2048)]
    code: Code


class PasswordAgain(BaseModel):
    password: Password


class PasswordAndCode(PasswordAgain):
    code: Code


class CodeIn(BaseModel):
    code: Code


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
    """`permissions` are those of the role; times are Unix seconds.

    `must_set_up_second_factor`: the role needs one, and nothing else may be done before.
    """

    id: str
    username: str
    name: str
    role: str
    status: str
    max_sessions: int
    must_change_password: bool
    must_set_up_second_factor: bool
    permissions: list[Permission]
    created_at: float
    last_login: float | None

    @classmethod
    def of(cls, agent: Agent, *, lacks_second_factor: bool) -> "AgentOut":
        return cls(
            id=agent.id,
            username=agent.username,
            name=agent.name,
            role=agent.role,
            status=agent.status,
            max_sessions=agent.max_sessions,
            must_change_password=agent.must_change_password,
            must_set_up_second_factor=lacks_second_factor,
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
    def within(cls, grant: Grant, *, lacks_second_factor: bool) -> "SignedInOut":
        return cls(
            token=grant.access_token,
            refresh_token=grant.refresh_token,
            expires_in=ACCESS_SECONDS,
            agent=AgentOut.of(grant.agent, lacks_second_factor=lacks_second_factor),
        )


class ProfileOut(Done):
    agent: AgentOut


class SecondFactorOut(BaseModel):
    """`since`: when it was set up, Unix seconds. `is_compulsory`: the role needs it."""

    is_on: bool
    since: float | None
    recovery_codes_left: int
    is_compulsory: bool


class SecondFactorData(Done):
    data: SecondFactorOut


class SetupOut(BaseModel):
    """`secret`: base32, to type; `uri` and `qr` (an SVG image) say the same to an authenticator app."""

    secret: str
    uri: str
    qr: str


class SetupData(Done):
    data: SetupOut


class RecoveryCodes(BaseModel):
    """Shown once: only their hashes are kept. Each is for one use."""

    recovery_codes: list[str]


class RecoveryCodesData(Done):
    data: RecoveryCodes
