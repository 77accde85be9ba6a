"""Signed tokens (HS256 JWT) of visitors and agents, and the opaque refresh tokens of agents.

Each audience signs with a key of its own, derived from the one secret, so a token of one kind can never be taken for
the other. `kid` in the header says which key that is, and so the kind; nothing else in a token is believed before its
signature is.
"""

import hashlib
import hmac
import secrets
import time
from base64 import urlsafe_b64encode
from collections import OrderedDict
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from math import ceil
from typing import Any, Literal, get_args

import jwt

from kefu.kit.errors import TokenExpired, TokenInvalid
from kefu.kit.ids import AgentId, SessionName

Audience = Literal["visitor", "agent", "second factor"]
VISITOR_LIFETIME = timedelta(days=180)
CUSTOMER_LIFETIME = timedelta(hours=24)
ACCESS_LIFETIME = timedelta(minutes=30)
REFRESH_LIFETIME = timedelta(days=7)
TICKET_LIFETIME = timedelta(minutes=5)
# How far the clocks of two processes may be apart.
LEEWAY_SECONDS = 30
LONGEST = 2048
# More than a process has followers, or when all come back at once none would be known: some 10 MB at most.
REMEMBERED = 16_384


@dataclass(frozen=True, slots=True)
class VisitorClaims:
    """`epoch`: how often the session had changed hands when the token was given; `expires`: in Unix seconds."""

    session_name: SessionName
    epoch: int
    expires: int


@dataclass(frozen=True, slots=True)
class AccessClaims:
    """`family`: the sign-in this token came from; it must still be alive in the database."""

    agent_id: AgentId
    family: str


@dataclass(frozen=True, slots=True)
class TicketClaims:
    """Who has given the right password and may now give a code. `password`: a mark of that password's hash."""

    agent_id: AgentId
    password: str


Claims = VisitorClaims | AccessClaims


@dataclass(frozen=True, slots=True)
class _Key:
    kind: Audience
    bytes: bytes

    @property
    def kid(self) -> str:
        return hashlib.sha256(self.bytes).hexdigest()[:12]


def _derived(secret: str, purpose: str) -> bytes:
    return hmac.digest(secret.encode(), f"kefu {purpose} token".encode(), "sha256")


class Tokens:
    """Makes and reads tokens. Reading raises TokenInvalid or TokenExpired.

    `keys`: the newest first, which signs; tokens of the others are good until they end. Tokens found good are
    remembered (the last `REMEMBERED`): a visitor who writes again costs a look-up, no signature.
    """

    def __init__(self, *keys: str) -> None:
        made = [[_Key(kind, _derived(one, kind)) for kind in get_args(Audience)] for one in keys]
        self._signing = {key.kind: key for key in made[0]}
        self._by_kid = {key.kid: key for keys in made for key in keys}
        self._succession = [_derived(one, "refresh") for one in keys]
        self._good: OrderedDict[str, tuple[Claims, int]] = OrderedDict()

    def visitor(self, session_name: str, epoch: int = 0, lasts: timedelta = VISITOR_LIFETIME) -> str:
        """A token for one session, until its `identity_epoch` is another one."""
        return self._sign("visitor", {"sub": session_name, "epoch": epoch}, lasts)

    def access(self, agent_id: str, family: str, lasts: timedelta = ACCESS_LIFETIME) -> str:
        """An agent's access token."""
        return self._sign("agent", {"sub": agent_id, "fam": family}, lasts)

    def ticket(self, agent_id: str, password_hash: str, lasts: timedelta = TICKET_LIFETIME) -> str:
        """For the second step of signing in; opens nothing else."""
        return self._sign("second factor", {"sub": agent_id, "pwd": mark_of(password_hash)}, lasts)

    def successors(self, refresh_token: str) -> list[str]:
        """The next of a chain, by the newest secret and by the old ones.

        Always the same, so that a lost answer can be given again; without the secret nobody can tell it.
        """
        made = (hmac.digest(one, refresh_token.encode(), "sha256") for one in self._succession)
        return [urlsafe_b64encode(one).decode().rstrip("=") for one in made]

    def read_visitor(self, token: str) -> SessionName:
        claims = self.read(token)
        if not isinstance(claims, VisitorClaims):
            raise TokenInvalid
        return claims.session_name

    def read_access(self, token: str) -> AccessClaims:
        claims = self.read(token)
        if not isinstance(claims, AccessClaims):
            raise TokenInvalid
        return claims

    def read_ticket(self, ticket: str) -> TicketClaims:
        _, claims = self._verified(ticket, "second factor")
        return TicketClaims(claims["sub"], claims["pwd"])

    def read(self, token: str) -> Claims:
        """The claims of a visitor's or an agent's token."""
        known = self._good.get(token)
        if known is None:
            kind, found = self._verified(token, "visitor", "agent")
            known = _claims(kind, found), int(found["exp"]) + LEEWAY_SECONDS
            self._good[token] = known
            if len(self._good) > REMEMBERED:
                self._good.popitem(last=False)
        else:
            self._good.move_to_end(token)
        claims, expires = known
        if expires <= time.time():
            del self._good[token]
            raise TokenExpired
        return claims

    def _sign(self, kind: Audience, claims: dict[str, Any], lasts: timedelta) -> str:
        expires, key = ceil(time.time() + lasts.total_seconds()), self._signing[kind]
        return jwt.encode({**claims, "aud": kind, "exp": expires}, key.bytes, "HS256", headers={"kid": key.kid})

    def _verified(self, token: str, *kinds: Audience) -> tuple[Audience, dict[str, Any]]:
        """The kind of the token, one of `kinds`, and what it says."""
        if len(token) > LONGEST or not token.isascii():
            raise TokenInvalid
        try:
            for key in self._candidates(token, kinds):
                with suppress(jwt.InvalidSignatureError):
                    return key.kind, _decoded(token, key)
        except jwt.ExpiredSignatureError:
            raise TokenExpired from None
        except (jwt.InvalidTokenError, RecursionError):
            raise TokenInvalid from None
        raise TokenInvalid

    def _candidates(self, token: str, kinds: Sequence[Audience]) -> list[_Key]:
        """The key that the header names; all of them for a token made before headers named one."""
        named = jwt.get_unverified_header(token).get("kid")
        return [key for kid, key in self._by_kid.items() if named in {None, kid} and key.kind in kinds]


def _decoded(token: str, key: _Key) -> dict[str, Any]:
    return jwt.decode(
        token,
        key.bytes,
        ["HS256"],
        {"require": ["sub", "exp", "aud"]},
        audience=key.kind,
        leeway=LEEWAY_SECONDS,
    )


def _claims(kind: Audience, found: dict[str, Any]) -> Claims:
    if kind == "visitor":
        return VisitorClaims(found["sub"], found.get("epoch", 0), int(found["exp"]))
    return AccessClaims(found["sub"], found["fam"])


def mark_of(password_hash: str) -> str:
    """Tells whether a password is still the same, and nothing of it."""
    return hashlib.sha256(password_hash.encode()).hexdigest()[:16]


def new_refresh_token() -> str:
    """256 random bits, the first of a chain. Only their hash is stored."""
    return secrets.token_urlsafe(32)


def hash_of(refresh_token: str) -> str:
    """SHA-256 in hexadecimal digits; enough for what is random already."""
    return hashlib.sha256(refresh_token.encode()).hexdigest()
