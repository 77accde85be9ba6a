"""A visitor says who they are, or that they leave."""

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel

from kefu.accounts.identity import Visitor, anyone, claimed
from kefu.kit.errors import Forbidden, NotSignedIn
from kefu.kit.web import Done, address_of
from kefu.sessions import identifying
from kefu.sessions.access import visitor_token
from kefu.sessions.schemas import ShopId
from kefu.shops.customers import Proof, recognise
from kefu.shops.security import keys_of
from kefu.shops.service import find_shop

router = APIRouter(tags=["identity"])


class Identify(Proof):
    shop: ShopId | None = None


class Identified(BaseModel):
    """Where the visitor goes on, with its token; null when that is a conversation still to be opened.

    `verified`: the shop's server vouches for it.
    """

    session_name: str | None
    visitor_token: str | None
    seq: int
    verified: bool


class IdentifiedData(Done):
    data: Identified


@router.post("/api/visitor/identify", dependencies=[Depends(anyone)])
async def identify_visitor(request: Request, body: Identify) -> IdentifiedData:
    """With the token of a conversation that one becomes the customer's, and older tokens of it are void.

    Without, a verified customer gets their newest conversation. Safe to repeat, and from several tabs at once.
    """
    state = request.app.state
    await state.limits.take("identify", address=address_of(request))
    visitor = await _visitor(request)
    async with state.db.read() as tx:
        shop = await find_shop(tx, body.shop)
        customer = recognise(shop.identity_mode, shop.id, await keys_of(tx, shop.id, state.sealer), body)
    async with state.db.write() as tx:
        session = await identifying.held(tx, visitor, shop.id, customer) if visitor else None
        is_others = bool(session and customer and identifying.differs(session, customer))
        if session and is_others:
            await identifying.sign_out(tx, session)
        elif session and customer:
            await identifying.sign_in(tx, session, customer)
        elif customer and customer.verified_by:
            session = await identifying.newest_of(tx, shop.id, customer)
    if is_others:
        raise identifying.IdentityDiffers
    verified = bool(customer and customer.verified_by)
    found = Identified(
        session_name=session.name if session else None,
        visitor_token=visitor_token(state, session, None if verified else visitor) if session else None,
        seq=session.seq if session else 0,
        verified=verified,
    )
    return IdentifiedData(data=found)


@router.post("/api/visitor/logout", dependencies=[Depends(anyone)])
async def log_out(request: Request) -> Done:
    """The conversation's tokens are void from now on. Safe to repeat: one that is void already has nothing to end."""
    visitor = await _visitor(request)
    if visitor is None:
        raise NotSignedIn
    async with request.app.state.db.write() as tx:
        await identifying.leave(tx, visitor)
    return Done()


async def _visitor(request: Request) -> Visitor | None:
    """Whose token it is, void or not; None for none, and for one that nobody can read. Raises Forbidden for agents."""
    try:
        caller = await claimed(request.app.state, request.headers.get("authorization"))
    except NotSignedIn:
        return None
    if not isinstance(caller, Visitor):
        raise Forbidden
    return caller
