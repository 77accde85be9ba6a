"""Who may touch a session (spec S7)."""

import time
from datetime import timedelta
from typing import ClassVar

from fastapi import Request
from starlette.datastructures import State

from kefu.accounts.identity import AgentIdentity, Caller, Visitor, identify, require
from kefu.accounts.permissions import Permission
from kefu.accounts.tokens import CUSTOMER_LIFETIME, VISITOR_LIFETIME
from kefu.kit.db import Database
from kefu.kit.errors import Forbidden
from kefu.kit.i18n import Text
from kefu.log.log import VISITOR, Actor
from kefu.sessions.models import Session
from kefu.sessions.service import IdentityChanged, Member
from kefu.sessions.visibility import Reader, check_seen

EPOCH = "SELECT identity_epoch FROM sessions WHERE name = $1"


class ForeignSession(Forbidden):
    code = "FOREIGN_SESSION"
    text: ClassVar[Text] = {"en": "This token belongs to another conversation.", "zh": "该凭证不属于此会话。"}


async def check_visitor(db: Database, visitor: Visitor) -> None:
    """Raises IdentityChanged for a token of an earlier identity than the session has. One that is gone has none."""
    rows = await db.fetch(EPOCH, visitor.session_name)
    if rows and rows[0][0] != visitor.epoch:
        raise IdentityChanged


def visitor_token(state: State, session: Session, asked_with: Visitor | None = None) -> str:
    """A token for the session. One for a verified customer lasts a day, and no longer than the one it was got with."""
    lasts = VISITOR_LIFETIME
    if session.customer and session.customer["verified_by"]:
        left = timedelta(seconds=asked_with.expires - time.time()) if asked_with else CUSTOMER_LIFETIME
        lasts = min(left, CUSTOMER_LIFETIME)
    token: str = state.tokens.visitor(session.name, session.identity_epoch, lasts)
    return token


async def may_read(db: Database, caller: Caller, name: str) -> bool:
    """Whether the caller sees internal events too. Costs a query only for an agent who does not see all sessions.

    Raises ForeignSession, Forbidden or SessionHidden for whom the session is none of their business.
    """
    if isinstance(caller, Visitor):
        own_visitor(caller, name)
        return False
    if "sessions.read" not in caller.permissions:
        raise Forbidden
    reader = reader_of(caller)
    if not reader.sees_all:
        async with db.read() as tx:
            await check_seen(tx, reader, name)
    return True


async def in_sight(request: Request) -> None:
    """For a router of what stands beside a session: refuses an agent who may not see the session `name` of the path.

    Whether they may do what the route does is the route's to ask. Raises SessionHidden.
    """
    name = request.path_params.get("name")
    caller = await identify(request.app.state, request.headers.get("authorization"))
    if name is not None and isinstance(caller, AgentIdentity):
        async with request.app.state.db.read() as tx:
            await check_seen(tx, reader_of(caller), name)


def sees_contacts(caller: Caller) -> bool:
    """Whether the caller, who may read the session, sees the visitor's contact data too. It is the visitor's own."""
    return isinstance(caller, Visitor) or "contacts.read" in caller.permissions


def reader_of(agent: AgentIdentity) -> Reader:
    """The agent as lists and searches know them."""
    return Reader(agent.id, sees_all="sessions.read_any" in agent.permissions)


def own_visitor(caller: Caller, name: str) -> Visitor:
    """The visitor of this session. Raises ForeignSession or Forbidden for everybody else."""
    if not isinstance(caller, Visitor):
        raise Forbidden
    if caller.session_name != name:
        raise ForeignSession
    return caller


def actor(caller: Caller) -> Actor:
    return VISITOR if isinstance(caller, Visitor) else Actor("agent", caller.id, caller.name)


def actor_of(caller: Caller, name: str, permission: Permission) -> Actor:
    """Who acts on the session: its visitor, or an agent with the permission. Raises ForeignSession or Forbidden."""
    if isinstance(caller, Visitor):
        own_visitor(caller, name)
        return VISITOR
    return actor(require(caller, permission))


def member(agent: AgentIdentity, lead_permission: str) -> Member:
    """The agent as the session knows them; with `lead_permission` they may act on sessions that others hold."""
    return Member(agent.id, agent.name, is_lead=lead_permission in agent.permissions)
