"""Which sites the pages of a shop come from: what CORS, `frame-ancestors` and WebSockets let in."""

import asyncio
import re
import time
from collections.abc import Iterable
from typing import Annotated, ClassVar

from pydantic import AfterValidator, StringConstraints
from pydantic_core import PydanticCustomError
from sqlalchemy import select
from starlette.middleware.cors import CORSMiddleware
from starlette.types import Receive, Scope, Send

from kefu.kit.db import Database
from kefu.kit.errors import Forbidden, Unavailable
from kefu.kit.i18n import Text
from kefu.shops.models import Shop

FRESH_SECONDS = 1.0
LABEL = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
HOST = rf"{LABEL}(\.{LABEL})*"
ORIGIN = re.compile(rf"https?://{HOST}(:[0-9]{{1,5}})?")
WILDCARD = re.compile(rf"https://\*\.{LABEL}\.{HOST}(:[0-9]{{1,5}})?")
LOCAL = re.compile(r"http://(localhost|127\.0\.0\.1)(:[0-9]{1,5})?")


def _origin(text: str) -> str:
    """In the form in which browsers send it."""
    text = text.strip().lower().rstrip("/")
    if text.startswith("https://"):
        text = text.removesuffix(":443")
    if text == "*" or LOCAL.fullmatch(text) or WILDCARD.fullmatch(text):
        return text
    if not ORIGIN.fullmatch(text) or not text.startswith("https://"):
        raise PydanticCustomError("bad_origin", "not an https origin")
    return text


Origin = Annotated[str, StringConstraints(max_length=260), AfterValidator(_origin)]


class ForeignOrigin(Forbidden):
    code = "FOREIGN_ORIGIN"
    text: ClassVar[Text] = {"en": "Pages of this site may not connect.", "zh": "该网站的页面不允许连接。"}


def is_for_development(origin: str) -> bool:
    """Any site at all, or a page without TLS."""
    return origin == "*" or origin.startswith("http:")


def matches(origin: str, allowed: str) -> bool:
    """Whether the origin that a browser sends is this one, or of a subdomain of `https://*.…`."""
    if allowed.startswith("https://*."):
        return bool(ORIGIN.fullmatch(origin)) and origin.startswith("https://") and origin.endswith(allowed[9:])
    return allowed in {"*", origin}


class Origins:
    """The origins of all shops, as the database had them at most FRESH_SECONDS ago.

    `default`: of shops that have none of their own.
    """

    def __init__(self, db: Database, default: list[str]) -> None:
        self._db = db
        self._default = default
        self._by_shop: dict[str, list[str]] = {}
        self._default_shop = ""
        self._read_at = float("-inf")
        self._reading = asyncio.Lock()

    async def refresh(self) -> None:
        """One asks the database; meanwhile, and while it is away, the others go by what was known."""
        is_known = self._read_at > float("-inf")
        if time.monotonic() - self._read_at < FRESH_SECONDS or (is_known and self._reading.locked()):
            return
        async with self._reading:
            if time.monotonic() - self._read_at < FRESH_SECONDS:
                return
            try:
                await self._read()
            except Unavailable:
                self._read_at = time.monotonic() if is_known else self._read_at

    async def _read(self) -> None:
        started = time.monotonic()
        async with self._db.read() as tx:
            rows = (await tx.execute(select(Shop.id, Shop.is_default, Shop.origins))).all()
        self._by_shop = {shop: self._default if own is None else own for shop, _, own in rows}
        self._default_shop = next((shop for shop, is_default, _ in rows if is_default), "")
        self._read_at = started

    def forget(self) -> None:
        """They were changed just now."""
        self._read_at = float("-inf")

    def of(self, shop: str | None) -> list[str]:
        """Those of the shop, or of the default one for None; those of the settings for a shop that nobody knows."""
        return self._by_shop.get(shop or self._default_shop, self._default)

    def holds(self, origin: str, shop: str | None) -> bool:
        """Whether a page of this origin is one of the shop, or of the default one for None."""
        return _any(origin, self.of(shop))

    def allows(self, origin: str) -> bool:
        """Whether a page of any shop has this origin. A preflight does not say of which."""
        return _any(origin, self._default) or any(_any(origin, own) for own in self._by_shop.values())

    def is_of_another_shop(self, origin: str | None, shop: str | None) -> bool:
        """Whether a page that may call us calls for a shop that is not its own."""
        return origin is not None and self.allows(origin) and not _any(origin, self.of(shop))


def _any(origin: str, allowed: Iterable[str]) -> bool:
    return any(matches(origin, one) for one in allowed)


class ShopCors(CORSMiddleware):
    """Starlette's, for the origins of all shops. A request without an origin passes untouched."""

    origins: Origins

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or all(name != b"origin" for name, _ in scope["headers"]):
            await self.app(scope, receive, send)
            return
        await self.origins.refresh()
        await super().__call__(scope, receive, send)

    def is_allowed_origin(self, origin: str) -> bool:
        return self.origins.allows(origin)
