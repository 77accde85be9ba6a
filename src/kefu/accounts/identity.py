"""Who calls, and whether they may: for FastAPI routes as dependencies, for plain ASGI as functions."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

from fastapi import Depends, Request, Security
from fastapi.security import HTTPBearer
from sqlalchemy import exists, select
from starlette.datastructures import State

from kefu.accounts import second_factor
from kefu.accounts.models import Agent, RefreshToken
from kefu.accounts.permissions import PERMISSIONS, Permission, permissions_of
from kefu.accounts.tokens import AccessClaims, Tokens, VisitorClaims
from kefu.kit.acting import act_as, visit
from kefu.kit.db import Database
from kefu.kit.errors import Forbidden, NotSignedIn, TokenInvalid
from kefu.kit.i18n import Text
from kefu.kit.ids import AgentId, SessionName


class PasswordChangeRequired(Forbidden):
    code = "PASSWORD_CHANGE_REQUIRED"
    text: ClassVar[Text] = {"en": "Please choose a new password first.", "zh": "请先修改密码。"}


class SecondFactorSetupRequired(Forbidden):
    code = "SECOND_FACTOR_SETUP_REQUIRED"
    text: ClassVar[Text] = {
        "en": "Please set up the second step of signing in first.",
        "zh": "请先设置两步验证。",
    }


@dataclass(frozen=True, slots=True)
class Visitor:
    """The person in the widget; may touch this one session, while its `identity_epoch` is `epoch`.

    `expires`: when the token ends, in Unix seconds.
    """

    session_name: SessionName
    epoch: int = 0
    expires: int = 0


@dataclass(frozen=True, slots=True)
class AgentIdentity:
    """A member of the team as the database knows them now.

    `permissions` is empty until a password that must be changed is changed, and the second factor that the role needs
    is set up. `family`: the sign-in they call from.
    """

    id: AgentId
    username: str
    name: str
    role: str
    permissions: frozenset[Permission]
    must_change_password: bool = False
    lacks_second_factor: bool = False
    family: str = ""

    @property
    def missing(self) -> type[Forbidden] | None:
        """What they have to do before anything else."""
        if self.must_change_password:
            return PasswordChangeRequired
        return SecondFactorSetupRequired if self.lacks_second_factor else None


Caller = Visitor | AgentIdentity


def bearer_token(authorization: str | None) -> str:
    """The token of an `Authorization` header. Raises NotSignedIn when there is none."""
    scheme, _, token = (authorization or "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise NotSignedIn
    return token.strip()


async def identify(app_state: State, authorization: str | None) -> Caller:
    """Who sent this `Authorization` header; one query.

    Raises NotSignedIn, TokenInvalid (also: deactivated, logged out), TokenExpired, or IdentityChanged for the token of
    a session that has another identity since.
    """
    caller = await claimed(app_state, authorization)
    if isinstance(caller, Visitor):
        await app_state.check_visitor(caller)
    return caller


async def claimed(app_state: State, authorization: str | None) -> Caller:
    """The same without the query for a visitor: for what compares the epoch in a statement of its own."""
    tokens: Tokens = app_state.tokens
    claims = tokens.read(bearer_token(authorization))
    if isinstance(claims, VisitorClaims):
        visit(claims.session_name)
        return Visitor(claims.session_name, claims.epoch, claims.expires)
    return await _agent(app_state, claims)


async def _agent(app_state: State, claims: AccessClaims) -> AgentIdentity:
    is_alive = exists().where(
        RefreshToken.family == claims.family, RefreshToken.agent_id == Agent.id, RefreshToken.revoked_at.is_(None)
    )
    columns = (
        Agent.username,
        Agent.name,
        Agent.role,
        Agent.own_permissions,
        Agent.must_change_password,
        second_factor.is_on(),
    )
    found = select(*columns).where(Agent.id == claims.agent_id, Agent.is_active, is_alive)
    async with app_state.db.read() as tx:
        row = (await tx.execute(found)).first()
    if row is None:
        raise TokenInvalid
    username, name, role, own, must_change, has_factor = row
    act_as(claims.agent_id, name, role)
    lacks = not has_factor and role in app_state.settings.second_factor_roles
    may = frozenset[Permission]() if must_change or lacks else permissions_of(role, own)
    return AgentIdentity(claims.agent_id, username, name, role, may, must_change, lacks, claims.family)


@dataclass(frozen=True, slots=True)
class Standing:
    """What an agent may do, and as what."""

    role: str
    permissions: frozenset[Permission]


async def standings(db: Database, families: set[str]) -> dict[str, Standing]:
    """Of these sign-ins those that are alive, by family."""
    columns = (RefreshToken.family, Agent.role, Agent.own_permissions, Agent.must_change_password)
    query = select(*columns).join(Agent, Agent.id == RefreshToken.agent_id)
    alive = query.where(RefreshToken.family.in_(families), RefreshToken.revoked_at.is_(None), Agent.is_active)
    async with db.read() as tx:
        rows = (await tx.execute(alive)).all()
    return {
        family: Standing(role, frozenset() if must_change else permissions_of(role, own))
        for family, role, own, must_change in rows
    }


def require(caller: Caller, permission: Permission) -> AgentIdentity:
    """The agent behind `caller`. Raises Forbidden for a visitor and for an agent without the permission."""
    if not isinstance(caller, AgentIdentity):
        raise Forbidden
    if permission not in caller.permissions:
        raise caller.missing or Forbidden
    return caller


_scheme = HTTPBearer(auto_error=False, description="A visitor token, or an agent's access token.")
_Scheme = Annotated[Any, Security(_scheme)]


async def signed_in(request: Request, _: _Scheme) -> Caller:
    return await identify(request.app.state, request.headers.get("authorization"))


async def token_holder(request: Request, _: _Scheme) -> Caller:
    """`claimed` as a dependency."""
    return await claimed(request.app.state, request.headers.get("authorization"))


async def signed_in_agent(request: Request, scheme: _Scheme) -> AgentIdentity:
    caller = await signed_in(request, scheme)
    if not isinstance(caller, AgentIdentity):
        raise Forbidden
    return caller


async def anyone() -> None:
    """Says beside a route that it is open on purpose: `dependencies=[Depends(anyone)]`."""


def _gate(permission: Permission) -> Callable[..., Awaitable[AgentIdentity]]:
    async def gate(request: Request, scheme: _Scheme) -> AgentIdentity:
        return require(await signed_in(request, scheme), permission)

    return gate


_GATES = {permission: _gate(permission) for permission in PERMISSIONS}

# What each dependency asks of the caller, so that a test can walk all routes and read it.
ASKS: dict[Callable[..., Any], str] = {
    anyone: "anyone",
    signed_in: "signed in",
    token_holder: "signed in",
    signed_in_agent: "agent",
    **{gate: permission for permission, gate in _GATES.items()},
}

SignedIn = Annotated[Caller, Depends(signed_in)]
TokenHolder = Annotated[Caller, Depends(token_holder)]
SignedInAgent = Annotated[AgentIdentity, Depends(signed_in_agent)]


def allowed(permission: Permission) -> Callable[..., Awaitable[AgentIdentity]]:
    """For a parameter of a route: `agent: Annotated[AgentIdentity, Depends(allowed("sessions.takeover"))]`."""
    return _GATES[permission]
