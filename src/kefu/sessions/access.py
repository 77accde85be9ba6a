"""Who may touch a session (spec S7)."""

from typing import ClassVar

from kefu.accounts.identity import AgentIdentity, Caller, Visitor, require
from kefu.accounts.permissions import Permission
from kefu.kit.errors import Forbidden
from kefu.kit.i18n import Text
from kefu.log.log import VISITOR, Actor
from kefu.sessions.service import Member


class ForeignSession(Forbidden):
    code = "FOREIGN_SESSION"
    text: ClassVar[Text] = {"en": "This token belongs to another conversation.", "zh": "该凭证不属于此会话。"}


def may_read(caller: Caller, name: str) -> bool:
    """Whether the caller sees internal events too.

    Raises ForeignSession or Forbidden for whom the session is none of their business.
    """
    if isinstance(caller, Visitor):
        own_visitor(caller, name)
        return False
    if "sessions.read" not in caller.permissions:
        raise Forbidden
    return True


def own_visitor(caller: Caller, name: str) -> None:
    """Raises ForeignSession or Forbidden unless the caller is the visitor of this session."""
    if not isinstance(caller, Visitor):
        raise Forbidden
    if caller.session_name != name:
        raise ForeignSession


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
