"""Whose a session is: a customer signs in to it, or it is left behind for good."""

from typing import Any, ClassVar

from sqlalchemy.ext.asyncio import AsyncSession

from kefu.accounts.identity import Visitor
from kefu.kit.errors import Conflict
from kefu.kit.i18n import Text
from kefu.log.log import VISITOR, Fact
from kefu.sessions.models import Session
from kefu.sessions.queries import visible
from kefu.sessions.service import SessionNotFound, locked, record
from kefu.sessions.visibility import KEFU
from kefu.shops.customer_ids import visitor_id_of
from kefu.shops.customers import Customer


class IdentityDiffers(Conflict):
    """The token that was given is void from now on."""

    code = "IDENTITY_DIFFERS"
    text: ClassVar[Text] = {
        "en": "This conversation is somebody else's. A new one begins.",
        "zh": "该会话属于其他用户，将开始新的会话。",
    }


async def held(tx: AsyncSession, visitor: Visitor, shop: str, customer: Customer | None) -> Session | None:
    """The visitor's session, locked, if their token is good for this.

    A void one is good enough for the verified customer whose session it is: of two tabs that sign in at once, one makes
    the token of the other void.
    """
    try:
        session = await locked(tx, visitor.session_name)
    except SessionNotFound:
        return None
    is_own = customer is not None and bool(customer.verified_by) and _is_proven(session, customer)
    return session if session.shop == shop and (is_own or session.identity_epoch == visitor.epoch) else None


def differs(session: Session, customer: Customer) -> bool:
    return session.customer is not None and session.customer["id"] != customer.id


async def sign_in(tx: AsyncSession, session: Session, customer: Customer) -> None:
    """The (locked) session is the customer's from now on. Changes nothing where it is already, on as good a proof.

    Who proves it makes the tokens of the time before void, whoever may have kept one, and has all sessions that they
    ever proved to be theirs together. A mere claim is noted, and opens and closes nothing.
    """
    known = session.customer
    if known is not None and known["verified_by"]:
        if _tells_more(known, customer):
            await record(tx, session, Fact("customer.described", VISITOR, {"customer": customer.facts}, "internal"))
        return
    if known is not None and not customer.verified_by:
        return
    is_proven = customer.verified_by is not None
    visitor_id = await visitor_id_of(tx, session.shop, customer.id) if is_proven else session.visitor_id
    facts = {
        "customer": customer.facts,
        "visitor_id": visitor_id,
        "identity_epoch": session.identity_epoch + is_proven,
    }
    await record(tx, session, Fact("session.identified", VISITOR, facts, audience="internal"))


async def sign_out(tx: AsyncSession, session: Session) -> None:
    """Nobody has a token for the (locked) session any more; its customer gets one by proving who they are."""
    facts = {"identity_epoch": session.identity_epoch + 1}
    await record(tx, session, Fact("session.signed_out", VISITOR, facts, audience="internal"))


async def leave(tx: AsyncSession, visitor: Visitor) -> None:
    """Sign out, unless that was done already."""
    try:
        session = await locked(tx, visitor.session_name)
    except SessionNotFound:
        return
    if session.identity_epoch == visitor.epoch:
        await sign_out(tx, session)


async def newest_of(tx: AsyncSession, shop: str, customer: Customer) -> Session | None:
    """Where a verified customer last talked with the shop."""
    visitor_id = await visitor_id_of(tx, shop, customer.id)
    query = visible(KEFU).where(Session.visitor_id == visitor_id, Session.merged_into.is_(None))
    query = query.order_by(Session.created_at.desc(), Session.name.desc()).limit(1)
    return (await tx.execute(query)).scalar_one_or_none()


def _is_proven(session: Session, customer: Customer) -> bool:
    known = session.customer
    return known is not None and bool(known["verified_by"]) and known["id"] == customer.id


def _tells_more(known: dict[str, Any], customer: Customer) -> bool:
    """What a token says stands above what only goes along with a hash."""
    is_as_good = customer.verified_by == "token" or customer.verified_by == known["verified_by"]
    return bool(customer.verified_by) and is_as_good and customer.facts != known
