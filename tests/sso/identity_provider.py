"""A provider of OpenID Connect that follows the standard, on a port of its own; each fault of it is one word."""

import base64
import hashlib
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import parse_qs, unquote, urlencode

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse, RedirectResponse
from jwt.algorithms import RSAAlgorithm

from serving import served

CLIENT, SECRET = "kefu", "s3cret/of the client"
REDIRECT = "http://127.0.0.1:8000/workbench/login"
Fault = Literal[
    "",
    "nonce",
    "aud",
    "azp",
    "iss",
    "expired",
    "future",
    "kid",
    "none",
    "hs256",
    "stranger",
    "no sub",
    "down",
    "html",
    "skewed",
]


def new_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@dataclass
class Person:
    sub: str = "u-1"
    email: str = "mei@shop.example"
    email_verified: object = True
    name: str = "Mei"


@dataclass
class IdentityProvider:
    """`person` is who signs in next. `kids`: the keys it signs with, the last one now."""

    address: str = ""
    redirect: str = REDIRECT
    person: Person = field(default_factory=Person)
    fault: Fault = ""
    keys: dict[str, rsa.RSAPrivateKey] = field(default_factory=lambda: {"k1": new_key()})
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    asked_for_keys: int = 0

    def routes(self, app: FastAPI) -> None:
        app.add_api_route("/.well-known/openid-configuration", self.discovery)
        app.add_api_route("/authorize", self.authorize)
        app.add_api_route("/token", self.token, methods=["POST"], response_model=None)
        app.add_api_route("/keys", self.jwks)

    async def discovery(self) -> dict[str, Any]:
        return {
            "issuer": self.address,
            "authorization_endpoint": f"{self.address}/authorize",
            "token_endpoint": f"{self.address}/token",
            "jwks_uri": f"{self.address}/keys",
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "token_endpoint_auth_methods_supported": ["client_secret_basic"],
        }

    async def authorize(self, request: Request) -> Response:
        """The person has signed in and agreed: a code, for this client and this challenge only."""
        asked = dict(request.query_params)
        assert asked["response_type"] == "code"
        assert asked["code_challenge_method"] == "S256"
        assert "openid" in asked["scope"].split()
        if (asked["client_id"], asked["redirect_uri"]) != (CLIENT, self.redirect):
            return JSONResponse({"error": "invalid_request"}, 400)
        code = f"code-{len(self.codes)}-{time.monotonic_ns()}"
        self.codes[code] = asked
        back = urlencode({"code": code, "state": asked["state"]})
        return RedirectResponse(f"{asked['redirect_uri']}?{back}", 302)

    async def token(self, request: Request) -> Response:
        if self.fault in {"down", "html"}:
            return Response("<h1>Bad gateway</h1>", 502 if self.fault == "down" else 200, media_type="text/html")
        form = {name: values[0] for name, values in parse_qs((await request.body()).decode()).items()}
        given = base64.b64decode(request.headers["authorization"].removeprefix("Basic ")).decode()
        asked = self.codes.pop(form["code"], None)  # a code works once
        proof = hashlib.sha256(form["code_verifier"].encode()).digest()
        is_right = (
            asked is not None
            and tuple(map(unquote, given.split(":"))) == (CLIENT, SECRET)
            and form["grant_type"] == "authorization_code"
            and form["redirect_uri"] == asked["redirect_uri"]
            and base64.urlsafe_b64encode(proof).rstrip(b"=").decode() == asked["code_challenge"]
        )
        if not is_right or asked is None:
            return JSONResponse({"error": "invalid_grant"}, 400)
        return JSONResponse({"access_token": "x", "token_type": "Bearer", "id_token": self.id_token(asked["nonce"])})

    def id_token(self, nonce: str) -> str:
        now, fault = int(time.time()), self.fault
        claims = {"iss": self.address, "aud": CLIENT, "iat": now, "exp": now + 300, "nonce": nonce, **vars(self.person)}
        wrong: dict[str, dict[str, Any]] = {
            "nonce": {"nonce": "another"},
            "aud": {"aud": "somebody else"},
            "azp": {"aud": [CLIENT, "somebody else"], "azp": "somebody else"},
            "iss": {"iss": "https://login.example"},
            "expired": {"iat": now - 600, "exp": now - 120},
            "future": {"iat": now + 600},
            "skewed": {"iat": now + 30, "exp": now - 30},  # two clocks that differ by less than a minute
        }
        claims |= wrong.get(fault, {})
        if fault == "no sub":
            del claims["sub"]
        kid = [*self.keys][-1]
        if fault == "none":
            return jwt.encode(claims, "", "none", {"kid": kid})
        if fault == "hs256":
            return jwt.encode(claims, "the public key that everybody has, as a secret", "HS256", {"kid": kid})
        key = new_key() if fault == "stranger" else self.keys[kid]
        return jwt.encode(claims, key, "RS256", {"kid": "nobody's" if fault == "kid" else kid})

    async def jwks(self) -> dict[str, Any]:
        self.asked_for_keys += 1
        keys = [
            RSAAlgorithm.to_jwk(key.public_key(), as_dict=True) | {"kid": kid, "use": "sig", "alg": "RS256"}
            for kid, key in self.keys.items()
        ]
        return {"keys": keys}


@asynccontextmanager
async def running(provider: IdentityProvider | None = None) -> AsyncIterator[IdentityProvider]:
    provider = provider or IdentityProvider()
    app = FastAPI()
    provider.routes(app)

    class NoHub:
        def drain(self) -> None: ...

    app.state.hub = NoHub()
    async with served(app) as address:
        provider.address = address
        yield provider
