"""Whose conversations one may read: a visitor their own, agents those that are open to them."""

from sqlalchemy.ext.asyncio import AsyncSession

from kefu.accounts.identity import Caller, Visitor, require
from kefu.kit.errors import Forbidden
from kefu.sessions.access import ForeignSession, reader_of
from kefu.sessions.models import Session
from kefu.sessions.queries import find, find_many
from kefu.sessions.service import SessionNotFound
from kefu.sessions.visibility import check_seen


async def own(tx: AsyncSession, mine: str, name: str) -> Session:
    """The session `name`, of the same visitor as `mine`. Raises ForeignSession, whether or not there is such a one."""
    found = {one.name: one for one in await find_many(tx, [mine, name])}
    if mine in found and (mine == name or (name in found and _same_visitor(found[mine], found[name]))):
        return found[name]
    raise ForeignSession


def _same_visitor(one: Session, other: Session) -> bool:
    return bool(one.visitor_id) and one.visitor_id == other.visitor_id


async def readable(tx: AsyncSession, caller: Caller, name: str) -> Session:
    """The session, for an agent who may read it or the visitor whose it is.

    Raises ForeignSession, Forbidden, SessionHidden, SessionNotFound.
    """
    if isinstance(caller, Visitor):
        return await own(tx, caller.session_name, name)
    await check_seen(tx, reader_of(require(caller, "sessions.read")), name)
    session = await find(tx, name)
    if session is None:
        raise SessionNotFound(session_name=name)
    return session


def visitor_of(caller: Caller) -> Visitor:
    if not isinstance(caller, Visitor):
        raise Forbidden
    return caller
