"""Signed tokens (HS256 JWT) of visitors and agents, and the opaque refresh tokens of agents.

Each audience signs with a key of its own, derived from the one secret, so a token of one kind can never be taken for
the other.
"""

import hashlib
import hmac
import secrets
import time
from collections import OrderedDict
from dataclasses import dataclass
from datetime import timedelta
from math import ceil
from typing import Any, Literal

import jwt

from kefu.kit.errors import TokenExpired, TokenInvalid
from kefu.kit.ids import AgentId, SessionName

Audience = Literal["visitor", "agent"]
VISITOR_LIFETIME = timedelta(days=180)
CUSTOMER_LIFETIME = timedelta(hours=24)
ACCESS_LIFETIME = timedelta(minutes=30)
REFRESH_LIFETIME = timedelta(days=7)
LONGEST = 2048
REMEMBERED = 8192


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


Claims = VisitorClaims | AccessClaims


class Tokens:
    """Makes and reads tokens. Reading raises TokenInvalid or TokenExpired.

    Tokens found good are remembered (the last `REMEMBERED`): a visitor who writes again costs a look-up, no signature.
    """

    def __init__(self, key: str) -> None:
        self._keys = {
            kind: hmac.digest(key.encode(), f"kefu {kind} token".encode(), "sha256") for kind in ("visitor", "agent")
        }
        self._good: OrderedDict[str, tuple[Claims, int]] = OrderedDict()

    def visitor(self, session_name: str, epoch: int = 0, lasts: timedelta = VISITOR_LIFETIME) -> str:
        """A token for one session, until its `identity_epoch` is another one."""
        return self._sign("visitor", {"sub": session_name, "epoch": epoch}, lasts)

    def access(self, agent_id: str, family: str, lasts: timedelta = ACCESS_LIFETIME) -> str:
        """An agent's access token."""
        return self._sign("agent", {"sub": agent_id, "fam": family}, lasts)

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

    def read(self, token: str) -> Claims:
        """The claims of a token of either kind."""
        known = self._good.get(token)
        if known is None:
            known = self._verify(token)
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
        expires = ceil(time.time() + lasts.total_seconds())
        return jwt.encode({**claims, "aud": kind, "exp": expires}, self._keys[kind], "HS256")

    def _verify(self, token: str) -> tuple[Claims, int]:
        if len(token) > LONGEST or not token.isascii():
            raise TokenInvalid
        try:
            try:
                kind, claims = "visitor", self._decode(token, "visitor")
            except jwt.InvalidSignatureError:
                kind, claims = "agent", self._decode(token, "agent")
        except jwt.ExpiredSignatureError:
            raise TokenExpired from None
        except (jwt.InvalidTokenError, RecursionError):
            raise TokenInvalid from None
        expires = int(claims["exp"])
        if kind == "visitor":
            return VisitorClaims(claims["sub"], claims.get("epoch", 0), expires), expires
        return AccessClaims(claims["sub"], claims["fam"]), expires

    def _decode(self, token: str, kind: Audience) -> dict[str, Any]:
        """Each kind is signed with a key of its own."""
        return jwt.decode(token, self._keys[kind], ["HS256"], {"require": ["sub", "exp", "aud"]}, audience=kind)


def new_refresh_token() -> str:
    """256 random bits. Only their hash is stored."""
    return secrets.token_urlsafe(32)


def hash_of(refresh_token: str) -> str:
    """SHA-256 in hexadecimal digits; enough for what is random already."""
    return hashlib.sha256(refresh_token.encode()).hexdigest()
