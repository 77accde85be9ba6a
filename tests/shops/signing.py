"""What a shop's server does: it signs who its customer is."""

import base64
import hashlib
import hmac
import time
from typing import Any

import orjson

from actors import Agent, data_of


async def secure(agent: Agent, mode: str = "enforce", *, shop: str = "default", **more: Any) -> str:
    """Give the shop a secret and this mode; the secret."""
    made = data_of(await agent.post(f"/api/shops/{shop}/secrets"), 201)
    await demand(agent, shop=shop, identity_mode=mode, **more)
    secret: str = made["secret"]
    return secret


async def demand(agent: Agent, *, shop: str = "default", **changes: Any) -> Any:
    now = data_of(await agent.get(f"/api/shops/{shop}/security"))
    return data_of(await agent.put(f"/api/shops/{shop}/security", now | changes))


def _part(value: object) -> str:
    return base64.urlsafe_b64encode(orjson.dumps(value)).decode().rstrip("=")


def signed(secret: str, sub: object = "42", *, alg: str = "HS256", aud: object = "default", **more: Any) -> str:
    """By hand, so that any nonsense can be signed too."""
    claims = {"sub": sub, "aud": aud, "exp": int(time.time()) + 600} | more
    claims = {name: value for name, value in claims.items() if value is not None}
    content = f"{_part({'alg': alg, 'typ': 'JWT'})}.{_part(claims)}"
    digest = {"HS256": "sha256", "HS512": "sha512"}.get(alg)
    signature = hmac.digest(secret.encode(), content.encode(), digest) if digest else b""
    return f"{content}.{base64.urlsafe_b64encode(signature).decode().rstrip('=')}"


def hashed(secret: str, identifier: str) -> str:
    return hmac.new(secret.encode(), identifier.encode(), hashlib.sha256).hexdigest()
