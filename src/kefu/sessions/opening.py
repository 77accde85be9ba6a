"""How a visitor comes to a session: by a new one, or by the token of one that exists."""

from dataclasses import dataclass

from sqlalchemy.exc import IntegrityError
from starlette.datastructures import State

from kefu.accounts.identity import Visitor, identify
from kefu.kit.errors import NotSignedIn
from kefu.kit.i18n import Locale
from kefu.kit.ids import new_id
from kefu.kit.web import Origin
from kefu.sessions.access import own_visitor
from kefu.sessions.models import Session
from kefu.sessions.service import Opening, open_session
from kefu.sessions.store import SessionStore
from kefu.shops.service import find_shop


@dataclass(frozen=True, slots=True)
class Wish:
    """What the visitor asks for; None leaves the choice to Kefu."""

    name: str | None
    shop: str | None
    locale: Locale | None


async def opened(state: State, origin: Origin, wish: Wish, store: SessionStore) -> tuple[Session, bool]:
    """The session of that name, and whether it was made now. One that exists needs its visitor's token.

    It is looked up in `store`, so a state that decides what is written next must come from a `DatabaseStore`.

    The token of another session says whose visitor it is: the new one is theirs too (spec S8).

    Raises NotSignedIn, ForeignSession, ShopNotFound, TooMany. Two who open one name at once: one gets it, the other
    NotSignedIn.
    """
    if wish.name is not None:
        session = await store.get(wish.name)
        if session is not None:
            own_visitor(await identify(state, origin.authorization), wish.name)
            return session, False
    await state.limits.take("open_session", address=origin.address)
    visitor_id = await _known_visitor(state, origin.authorization, store)
    try:
        async with state.db.write() as tx:
            shop = await find_shop(tx, wish.shop)
            opening = Opening(wish.name or new_id("s"), shop.id, wish.locale or origin.locale, visitor_id)
            return await open_session(tx, opening), True
    except IntegrityError:
        raise NotSignedIn from None


async def _known_visitor(state: State, authorization: str | None, store: SessionStore) -> str:
    """Of a token that is no longer good nothing is known, and nobody is turned away for it."""
    try:
        caller = await identify(state, authorization)
    except NotSignedIn:
        return ""
    session = await store.get(caller.session_name) if isinstance(caller, Visitor) else None
    return session.visitor_id if session else ""
