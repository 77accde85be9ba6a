"""Who calls, and whether they may: for FastAPI routes as dependencies, for plain ASGI as functions."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

from fastapi import Depends, Request, Security
from fastapi.security import HTTPBearer
from sqlalchemy import exists, select
from starlette.datastructures import State

from kefu.accounts.models import Agent, RefreshToken
from kefu.accounts.permissions import PERMISSIONS, Permission, permissions_of
from kefu.accounts.tokens import AccessClaims, Tokens, VisitorClaims
from kefu.kit.db import Database
from kefu.kit.errors import Forbidden, NotSignedIn, TokenInvalid
from kefu.kit.i18n import Text
from kefu.kit.ids import AgentId, SessionName


class PasswordChangeRequired(Forbidden):
    code = "PASSWORD_CHANGE_REQUIRED"
    text: ClassVar[Text] = {"en": "Please choose a new password first.", "zh": "请先修改密码。"}


@dataclass(frozen=True, slots=True)
class Visitor:
    """The person in the widget; may touch this one session."""

    session_name: SessionName


@dataclass(frozen=True, slots=True)
class AgentIdentity:
    """A member of the team as the database knows them now.

    `permissions` is empty until a password that must be changed is changed.
    """

    id: AgentId
    username: str
    name: str
    role: str
    permissions: frozenset[Permission]
    must_change_password: bool = False


Caller = Visitor | AgentIdentity


def bearer_token(authorization: str | None) -> str:
    """The token of an `Authorization` header. Raises NotSignedIn when there is none."""
    scheme, _, token = (authorization or "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise NotSignedIn
    return token.strip()


async def identify(app_state: State, authorization: str | None) -> Caller:
    """Who sent this `Authorization` header. A visitor costs no query, an agent one.

    Raises NotSignedIn, TokenInvalid (also: deactivated, logged out) or TokenExpired.
    """
    tokens: Tokens = app_state.tokens
    claims = tokens.read(bearer_token(authorization))
    if isinstance(claims, VisitorClaims):
        return Visitor(claims.session_name)
    return await _agent(app_state.db, claims)


async def _agent(db: Database, claims: AccessClaims) -> AgentIdentity:
    is_alive = exists().where(
        RefreshToken.family == claims.family, RefreshToken.agent_id == Agent.id, RefreshToken.revoked_at.is_(None)
    )
    columns = (Agent.username, Agent.name, Agent.role, Agent.own_permissions, Agent.must_change_password)
    found = select(*columns).where(Agent.id == claims.agent_id, Agent.is_active, is_alive)
    async with db.read() as tx:
        row = (await tx.execute(found)).first()
    if row is None:
        raise TokenInvalid
    username, name, role, own, must_change = row
    permissions = frozenset() if must_change else permissions_of(role, own)
    return AgentIdentity(claims.agent_id, username, name, role, permissions, must_change)


def require(caller: Caller, permission: Permission) -> AgentIdentity:
    """The agent behind `caller`. Raises Forbidden for a visitor and for an agent without the permission."""
    if not isinstance(caller, AgentIdentity):
        raise Forbidden
    if permission not in caller.permissions:
        raise PasswordChangeRequired if caller.must_change_password else Forbidden
    return caller


_scheme = HTTPBearer(auto_error=False, description="A visitor token, or an agent's access token.")
_Scheme = Annotated[Any, Security(_scheme)]


async def signed_in(request: Request, _: _Scheme) -> Caller:
    return await identify(request.app.state, request.headers.get("authorization"))


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
    signed_in_agent: "agent",
    **{gate: permission for permission, gate in _GATES.items()},
}

SignedIn = Annotated[Caller, Depends(signed_in)]
SignedInAgent = Annotated[AgentIdentity, Depends(signed_in_agent)]


def allowed(permission: Permission) -> Callable[..., Awaitable[AgentIdentity]]:
    """For a parameter of a route: `agent: Annotated[AgentIdentity, Depends(allowed("sessions.takeover"))]`."""
    return _GATES[permission]
