"""Who a shop's customer is: what the shop's own server signed, or what the visitor's browser only says.

A JWT (HS256, with `sub`, `exp` at most a day ahead, `aud` the shop's id), or, for pages that were written for another
widget, the HMAC-SHA256 of the identifier. Pure.
"""

import hashlib
import hmac
import re
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from typing import Annotated, Any, ClassVar, Literal

import jwt
from pydantic import BaseModel, ConfigDict, StringConstraints

from kefu.kit.addresses import is_address
from kefu.kit.errors import Forbidden
from kefu.kit.i18n import Text
from kefu.shops.models import IdentityMode

LONGEST_SECONDS = 86_400
LEEWAY_SECONDS = 60
IDENTIFIER = re.compile(r"[^\x00-\x1f\x7f]{1,200}")
PHONE = re.compile(r"[0-9+() ./-]{3,40}")
Doubt = Literal[
    "no_proof",
    "wrong_algorithm",
    "wrong_signature",
    "wrong_shop",
    "expired",
    "lives_too_long",
    "not_yet_valid",
    "bad_claims",
]


class TooLongLived(jwt.InvalidTokenError):
    """Of a token whose end is too far."""


# The more special ones first.
DOUBTS: tuple[tuple[type[Exception], Doubt], ...] = (
    (TooLongLived, "lives_too_long"),
    (jwt.InvalidAlgorithmError, "wrong_algorithm"),
    (jwt.InvalidSignatureError, "wrong_signature"),
    (jwt.ExpiredSignatureError, "expired"),
    (jwt.InvalidAudienceError, "wrong_shop"),
    (jwt.ImmatureSignatureError, "not_yet_valid"),
    (jwt.InvalidTokenError, "bad_claims"),
    (RecursionError, "bad_claims"),
)


class IdentityUnverified(Forbidden):
    """`reason`: a `Doubt`."""

    code = "IDENTITY_UNVERIFIED"
    text: ClassVar[Text] = {
        "en": "The shop did not confirm who you are.",
        "zh": "店铺未能确认您的身份。",
    }


class IdentityExpired(IdentityUnverified):
    code = "IDENTITY_EXPIRED"
    text: ClassVar[Text] = {
        "en": "The shop's sign-in has expired. Please reload the page.",
        "zh": "店铺登录凭证已过期，请刷新页面。",
    }


class Proof(BaseModel):
    """`token`, or an `identifier` with its `identifier_hash`. The rest goes with an identifier; a token has its own."""

    model_config = ConfigDict(strict=True)

    token: Annotated[str, StringConstraints(min_length=1, max_length=4096)] | None = None
    identifier: Annotated[str, StringConstraints(pattern=r"^[^\x00-\x1f\x7f]+$", max_length=200)] | None = None
    identifier_hash: Annotated[str, StringConstraints(max_length=200)] | None = None
    name: Annotated[str, StringConstraints(max_length=200)] | None = None
    email: Annotated[str, StringConstraints(max_length=300)] | None = None
    phone: Annotated[str, StringConstraints(max_length=100)] | None = None


@dataclass(frozen=True, slots=True)
class Customer:
    """`verified_by`: the proof that holds, None for a mere claim; then `doubt` says why.

    Only a token vouches for name, e-mail and phone too.
    """

    id: str
    name: str | None = None
    email: str | None = None
    phone: str | None = None
    verified_by: Literal["token", "hash"] | None = None
    doubt: Doubt | None = None

    @property
    def facts(self) -> dict[str, Any]:
        """As the log and the session's row have it."""
        return asdict(self)


def recognise(mode: IdentityMode, shop: str, keys: Iterable[str], proof: Proof) -> Customer | None:
    """Who it is; None where the shop does not read identities, or nothing was claimed.

    Raises IdentityUnverified or IdentityExpired where only proven ones count, and for a token that names nobody.
    """
    if mode == "off" or (proof.token is None and proof.identifier is None):
        return None
    keys = list(keys)
    customer = _by_token(proof.token, shop, keys) if proof.token is not None else _by_hash(proof, keys)
    if customer.verified_by is None and (mode == "enforce" or not customer.id):
        refused = IdentityExpired if customer.doubt == "expired" else IdentityUnverified
        raise refused(reason=customer.doubt)
    return customer


def _by_token(token: str, shop: str, keys: list[str]) -> Customer:
    doubt: Doubt = "wrong_signature"
    for key in keys:
        try:
            return _customer(_checked(token, shop, key), "token")
        except (jwt.InvalidTokenError, RecursionError) as error:
            doubt = next(name for kind, name in DOUBTS if isinstance(error, kind))
        if doubt != "wrong_signature":
            break
    return replace(_claimed(token), doubt=doubt)


def _checked(token: str, shop: str, key: str) -> dict[str, Any]:
    """The claims of a good token. Raises jwt.InvalidTokenError."""
    claims: dict[str, Any] = jwt.decode(
        token, key, ["HS256"], {"require": ["sub", "exp", "aud"]}, audience=shop, leeway=LEEWAY_SECONDS
    )
    if not IDENTIFIER.fullmatch(claims["sub"]):
        raise jwt.InvalidTokenError
    if claims["exp"] - time.time() > LONGEST_SECONDS + LEEWAY_SECONDS:
        raise TooLongLived
    return claims


def _claimed(token: str) -> Customer:
    """What the token says, whoever made it; a nameless customer when it says nothing."""
    try:
        claims = jwt.decode(token, options={"verify_signature": False})
    except (jwt.InvalidTokenError, RecursionError):
        claims = {}
    sub = claims.get("sub")
    return _customer(claims if isinstance(sub, str) and IDENTIFIER.fullmatch(sub) else {"sub": ""}, None)


def _by_hash(proof: Proof, keys: list[str]) -> Customer:
    claims = {"sub": proof.identifier, **proof.model_dump(include={"name", "email", "phone"})}
    customer = _customer(claims, None)
    if not proof.identifier_hash:
        return replace(customer, doubt="no_proof")
    given = proof.identifier_hash.lower().encode()
    for key in keys:
        right = hmac.new(key.encode(), customer.id.encode(), hashlib.sha256).hexdigest()
        if hmac.compare_digest(right.encode(), given):
            return replace(customer, verified_by="hash")
    return replace(customer, doubt="wrong_signature")


def _customer(claims: dict[str, Any], verified_by: Literal["token"] | None) -> Customer:
    """What is not fit to be shown is left out; a shop's odd field is no reason not to help its customer."""
    name, email, phone = (one if isinstance(one, str) else "" for one in map(claims.get, ("name", "email", "phone")))
    return Customer(
        id=claims["sub"],
        name="".join(filter(str.isprintable, name)).strip()[:80] or None,
        email=email if is_address(email) else None,
        phone=phone if PHONE.fullmatch(phone) else None,
        verified_by=verified_by,
    )
