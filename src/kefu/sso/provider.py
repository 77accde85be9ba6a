"""The provider (OpenID Connect Core 1.0, authorization code with PKCE): what it says of itself, its keys, its word.

Everything it says is checked: the address of each endpoint, the signature, issuer, audience, times and nonce of the ID
token (Core 3.1.3.7).
"""

import asyncio
import base64
import hashlib
import hmac
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self
from urllib.parse import quote, urlencode, urlsplit

import httpx2
import jwt
import orjson
import structlog

from kefu.kit.config import Settings
from kefu.kit.errors import Forbidden, Unavailable
from kefu.kit.i18n import Text

log = structlog.get_logger()

SECONDS = 10.0
LARGEST = 262_144
KEPT_SECONDS = 3600.0
# A key nobody knows has them fetched again, but not more often: anybody can name one.
REFETCH_SECONDS = 10.0
SKEW_SECONDS = 60
TICKET_SECONDS = 600
# What a token endpoint may say is wrong (RFC 6749, 5.2). Anything else is not written down: it may repeat our secret.
REFUSALS = {
    "invalid_request",
    "invalid_client",
    "invalid_grant",
    "unauthorized_client",
    "unsupported_grant_type",
    "invalid_scope",
}
# Only what needs a private key: a secret of both sides, or none, proves nothing.
ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")


class NotProven(Forbidden):
    """Whatever was wrong stands in the log, not in the answer."""

    code = "SSO_FAILED"
    text: ClassVar[Text] = {
        "en": "Signing in at your provider did not work. Please try again.",
        "zh": "单点登录失败，请重试。",
    }


class ProviderAway(Unavailable):
    code = "SSO_UNAVAILABLE"
    text: ClassVar[Text] = {
        "en": "The sign-in provider does not answer. Try again soon, or sign in with your password.",
        "zh": "单点登录服务暂无响应，请稍后再试或使用密码登录。",
    }


@dataclass(frozen=True, slots=True)
class Attempt:
    """One way to the provider and back. The browser keeps `ticket` to itself; only with it `state` leads in."""

    address: str
    state: str
    ticket: str


@dataclass(frozen=True, slots=True)
class Person:
    """Who signed in there. `subject` names them and their provider; `email` only if the provider has verified it."""

    subject: str
    email: str | None
    name: str


class Provider:
    """Keeps what the provider says of itself for an hour, and its keys until one is asked for that is not among them.

    Opens connections; so nobody calls it inside a transaction.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._key = hmac.digest(settings.signing_key().encode(), b"kefu single sign-on ticket", "sha256")
        self._about: tuple[float, dict[str, Any]] | None = None
        self._keys: tuple[float, list[dict[str, Any]]] = (-KEPT_SECONDS, [])
        self._turn = asyncio.Lock()

    @classmethod
    def of(cls, settings: Settings) -> Self | None:
        return cls(settings) if settings.oidc_issuer else None

    async def begin(self) -> Attempt:
        """Raises ProviderAway."""
        about = await self._metadata()
        state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
        digest = hashlib.sha256(verifier.encode()).digest()
        asked = {
            "response_type": "code",
            "client_id": self._settings.oidc_client_id,
            "redirect_uri": self._settings.oidc_redirect_uri,
            "scope": self._settings.oidc_scopes,
            "state": state,
            "nonce": nonce,
            "code_challenge": base64.urlsafe_b64encode(digest).rstrip(b"=").decode(),
            "code_challenge_method": "S256",
        }
        address = about["authorization_endpoint"]
        until = int(time.time()) + TICKET_SECONDS
        ticket = jwt.encode({"state": state, "nonce": nonce, "verifier": verifier, "exp": until}, self._key, "HS256")
        return Attempt(f"{address}{'&' if '?' in address else '?'}{urlencode(asked)}", state, ticket)

    async def finish(self, code: str, state: str, ticket: str) -> Person:
        """Raises NotProven, ProviderAway."""
        try:
            begun = jwt.decode(ticket, self._key, ["HS256"], {"require": ["exp", "state", "nonce", "verifier"]})
            if not hmac.compare_digest(str(begun["state"]).encode(), state.encode()):
                raise jwt.InvalidTokenError("another state")
            token = await self._exchange(code, str(begun["verifier"]))
            claims = await self._verified(token, str(begun["nonce"]))
        except jwt.PyJWTError as error:
            log.warning("sso.refused", reason=type(error).__name__, detail=str(error)[:200])
            raise NotProven from None
        return self._person(claims)

    def _person(self, claims: Mapping[str, Any]) -> Person:
        """Hashed, a subject of any length fits, and one of another provider is somebody else."""
        subject = hashlib.sha256(f"{claims['iss']}\0{claims['sub']}".encode()).hexdigest()
        email = claims.get("email") if claims.get("email_verified") is True else None
        return Person(subject, email if isinstance(email, str) else None, str(claims.get("name") or ""))

    async def _exchange(self, code: str, verifier: str) -> str:
        """The ID token for the code. Raises NotProven when the provider does not take the code."""
        about, settings = await self._metadata(), self._settings
        form = {"grant_type": "authorization_code", "code": code, "code_verifier": verifier}
        form |= {"redirect_uri": settings.oidc_redirect_uri}
        headers, secret = {}, settings.oidc_client_secret.get_secret_value()
        ways = about.get("token_endpoint_auth_methods_supported", ["client_secret_basic"])
        if secret and "client_secret_basic" in ways:
            pair = f"{quote(settings.oidc_client_id, safe='')}:{quote(secret, safe='')}"
            headers["Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
        else:
            form |= {"client_id": settings.oidc_client_id} | ({"client_secret": secret} if secret else {})
        status, answer = await _ask(about["token_endpoint"], form, headers)
        if status >= 500:
            raise ProviderAway
        if status != 200 or not isinstance(answer.get("id_token"), str):
            said = str(answer.get("error"))
            log.warning("sso.refused", reason="code", status=status, detail=said if said in REFUSALS else None)
            raise NotProven
        token: str = answer["id_token"]
        return token

    async def _verified(self, token: str, nonce: str) -> dict[str, Any]:
        """The claims of the ID token. Raises jwt.PyJWTError."""
        head = jwt.get_unverified_header(token)
        if head.get("alg") not in ALGORITHMS:
            raise jwt.InvalidAlgorithmError(f"alg {head.get('alg')}")
        key = await self._key_of(head)
        client = self._settings.oidc_client_id
        claims: dict[str, Any] = jwt.decode(
            token,
            key,
            [head["alg"]],
            {"require": ["exp", "iat", "iss", "aud", "sub", "nonce"]},
            audience=client,
            issuer=self._settings.oidc_issuer,
            leeway=SKEW_SECONDS,
        )
        if not hmac.compare_digest(str(claims["nonce"]).encode(), nonce.encode()):
            raise jwt.InvalidTokenError("another nonce")
        is_shared = isinstance(claims["aud"], list) and len(claims["aud"]) > 1
        if claims.get("azp", None if is_shared else client) != client:
            raise jwt.InvalidAudienceError("issued for another party")
        return claims

    async def _key_of(self, head: Mapping[str, Any]) -> jwt.PyJWK:
        """The provider's key that the head of a token names. Raises jwt.PyJWTError, ProviderAway."""
        kid = head.get("kid")
        found = self._among_kept(kid)
        if found is None:
            async with self._turn:
                if time.monotonic() - self._keys[0] >= REFETCH_SECONDS:
                    self._keys = time.monotonic(), await self._fetch_keys()
                found = self._among_kept(kid)
        if found is None or found.get("use", "sig") != "sig":
            raise jwt.InvalidKeyError("unknown key")
        return jwt.PyJWK(found, head["alg"])

    def _among_kept(self, kid: Any) -> dict[str, Any] | None:
        at, keys = self._keys
        if time.monotonic() - at > KEPT_SECONDS:
            return None
        fits = [one for one in keys if kid is None or one.get("kid") == kid]
        return fits[0] if len(fits) == 1 else None

    async def _fetch_keys(self) -> list[dict[str, Any]]:
        status, answer = await _ask((await self._metadata())["jwks_uri"])
        keys = answer.get("keys")
        if status != 200 or not isinstance(keys, list):
            raise ProviderAway
        return [one for one in keys if isinstance(one, dict)]

    async def _metadata(self) -> dict[str, Any]:
        """What the provider says of itself (Discovery 1.0). Raises ProviderAway."""
        if self._about and time.monotonic() - self._about[0] < KEPT_SECONDS:
            return self._about[1]
        issuer = self._settings.oidc_issuer
        status, about = await _ask(f"{issuer.rstrip('/')}/.well-known/openid-configuration")
        named = [about.get(one) for one in ("authorization_endpoint", "token_endpoint", "jwks_uri")]
        scheme = urlsplit(issuer).scheme
        is_safe = all(isinstance(one, str) and urlsplit(one).scheme in {"https", scheme} for one in named)
        if status != 200 or about.get("issuer") != issuer or not is_safe:
            log.error("sso.misconfigured", issuer=issuer, says=str(about.get("issuer"))[:200], status=status)
            raise ProviderAway
        self._about = time.monotonic(), about
        return about


async def _ask(
    url: str, form: Mapping[str, str] | None = None, headers: Mapping[str, str] | None = None
) -> tuple[int, dict[str, Any]]:
    """Status and JSON object of a GET, or of a POST of the form; {} for what is none. Follows no redirect."""
    method = "GET" if form is None else "POST"
    try:
        async with (
            asyncio.timeout(SECONDS),
            httpx2.AsyncClient(timeout=SECONDS) as client,
            client.stream(method, url, data=form, headers=headers) as answer,
        ):
            status, body = answer.status_code, await _body(answer)
    except (httpx2.HTTPError, TimeoutError, OSError) as error:
        log.warning("sso.no_answer", url=url, reason=type(error).__name__)
        raise ProviderAway from None
    try:
        said = orjson.loads(body)
    except orjson.JSONDecodeError:
        said = None
    return status, said if isinstance(said, dict) else {}


async def _body(answer: httpx2.Response) -> bytes:
    """Raises ProviderAway for more than anything of the protocol needs."""
    body = b""
    async for part in answer.aiter_bytes():
        body += part
        if len(body) > LARGEST:
            raise ProviderAway
    return body
