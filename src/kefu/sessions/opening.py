"""How a visitor comes to a session: by a new one, or by the token of one that exists."""

from dataclasses import dataclass, replace
from typing import Any, ClassVar

from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.datastructures import State

from kefu.accounts.identity import Visitor, identify
from kefu.kit.errors import Forbidden, NotSignedIn
from kefu.kit.i18n import Locale, Text
from kefu.kit.ids import new_id
from kefu.kit.web import Origin
from kefu.log.log import read_last
from kefu.sessions.access import own_visitor, visitor_token
from kefu.sessions.models import Session, stream_of
from kefu.sessions.queries import find
from kefu.sessions.service import INTRODUCED, Opening, open_session
from kefu.sessions.store import SessionStore
from kefu.shops.customer_ids import visitor_id_of
from kefu.shops.customers import Customer, Proof, recognise
from kefu.shops.invitations import answered
from kefu.shops.look import Introduction, told
from kefu.shops.origins import ForeignOrigin
from kefu.shops.security import keys_of
from kefu.shops.service import find_shop


class IdentityRequired(Forbidden):
    code = "IDENTITY_REQUIRED"
    text: ClassVar[Text] = {
        "en": "Please sign in to the shop to talk with us.",
        "zh": "请先登录店铺账号再开始咨询。",
    }


@dataclass(frozen=True, slots=True)
class Wish:
    """What the visitor asks for; None leaves the choice to Kefu. `proof`: who they are, where a new one is opened."""

    name: str | None
    shop: str | None
    locale: Locale | None
    proof: Proof | None = None
    page: dict[str, Any] | None = None
    came_from: dict[str, str] | None = None
    introduction: Introduction | None = None
    invitation: str | None = None


@dataclass(frozen=True, slots=True)
class Opened:
    session: Session
    token: str
    is_new: bool


async def opened(state: State, origin: Origin, wish: Wish, store: SessionStore) -> Opened:
    """The session of that name, and whether it was made now. One that exists needs its visitor's token.

    It is looked up in `store`, so a state that decides what is written next must come from a `DatabaseStore`.

    The token of another session says whose visitor it is: the new one is theirs too (spec S8), and their customer's.

    Raises NotSignedIn, ForeignSession, ForeignOrigin, ShopNotFound, TooMany, IdentityRequired, IdentityUnverified,
    IntroductionRequired. Two who open one name at once: one gets it, the other NotSignedIn.
    """
    if wish.name is not None:
        session = await store.get(wish.name)
        if session is not None:
            return await _again(state, origin, session)
    await state.limits.take("open_session", address=origin.address)
    await state.origins.refresh()
    if state.origins.is_of_another_shop(origin.page, wish.shop):
        raise ForeignOrigin
    visitor = await _known_visitor(state, origin.authorization)
    try:
        async with state.db.write() as tx:
            return await _open(tx, state, replace(wish, locale=wish.locale or origin.locale), visitor)
    except IntegrityError:
        raise NotSignedIn from None


async def _again(state: State, origin: Origin, session: Session) -> Opened:
    caller = await identify(state, origin.authorization)
    visitor = own_visitor(caller, session.name)
    if visitor.epoch != session.identity_epoch:  # the copy is of a moment ago
        async with state.db.read() as tx:
            session = await find(tx, session.name) or session
    return Opened(session, visitor_token(state, session, visitor), is_new=False)


async def _open(tx: AsyncSession, state: State, wish: Wish, visitor: Visitor | None) -> Opened:
    shop = await find_shop(tx, wish.shop)
    claimed = None
    if wish.proof is not None:
        claimed = recognise(shop.identity_mode, shop.id, await keys_of(tx, shop.id, state.sealer), wish.proof)
    earlier = await find(tx, visitor.session_name) if visitor else None
    visitor_id, customer = await _whose(tx, shop.id, earlier, claimed)
    if shop.identity_mode == "enforce" and shop.identity_required and not (customer and customer["verified_by"]):
        raise IdentityRequired
    locale, said = wish.locale or "en", wish.introduction or Introduction()
    own = earlier if earlier is not None and (earlier.shop, earlier.visitor_id) == (shop.id, visitor_id) else None
    before = await _introduction(tx, own) if own else {}
    opening = Opening(
        name=wish.name or new_id("s"),
        shop=shop.id,
        locale=locale,
        visitor_id=visitor_id,
        customer=customer,
        page=wish.page,
        came_from=wish.came_from,
        introduction=told(shop, locale, said, before, is_known=bool(own or customer)),
        invitation=answered(shop, wish.invitation, locale) if wish.invitation else None,
    )
    session = await open_session(tx, opening)
    is_fresh = claimed is not None and claimed.verified_by is not None
    return Opened(session, visitor_token(state, session, None if is_fresh else visitor), is_new=True)


async def _introduction(tx: AsyncSession, session: Session) -> dict[str, Any]:
    found = await read_last(tx, stream_of(session.name), 1, types=(INTRODUCED,), public_only=False)
    return found[0].facts if found else {}


async def _whose(
    tx: AsyncSession, shop: str, earlier: Session | None, claimed: Customer | None
) -> tuple[str, dict[str, Any] | None]:
    """The visitor's id, "" for a new one, and their customer: what is proven now, else as in the earlier session."""
    known = earlier.customer if earlier else None
    if earlier is not None and known is not None and earlier.shop != shop:
        earlier = known = None
    if claimed is not None and claimed.verified_by:
        return await visitor_id_of(tx, shop, claimed.id), claimed.facts
    if claimed is None or (known is not None and known["id"] == claimed.id):
        return earlier.visitor_id if earlier else "", known
    return earlier.visitor_id if earlier and known is None else "", claimed.facts


async def _known_visitor(state: State, authorization: str | None) -> Visitor | None:
    """Of a token that is no longer good nothing is known, and nobody is turned away for it."""
    try:
        caller = await identify(state, authorization)
    except NotSignedIn:
        return None
    return caller if isinstance(caller, Visitor) else None
