"""What a shop demands of who calls in its name: identity, secrets, origins."""

import secrets
from dataclasses import dataclass
from typing import ClassVar

import structlog
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from kefu.accounts.audit import audit, fields
from kefu.kit.clock import now_ms
from kefu.kit.errors import Conflict, Invalid, NotFound
from kefu.kit.i18n import Text
from kefu.kit.ids import new_id
from kefu.kit.sealed import UNREADABLE
from kefu.kit.secrets import Sealer, Unreadable
from kefu.shops.models import IdentityMode, Shop, ShopSecret
from kefu.shops.origins import is_for_development
from kefu.shops.service import ShopNotFound

log = structlog.get_logger()

MOST_SECRETS = 5


class SecurityChanged(Conflict):
    """Nothing was written. `version`: of what is there now."""

    code = "SECURITY_CHANGED"
    text: ClassVar[Text] = {
        "en": "Somebody else has changed these settings meanwhile.",
        "zh": "这些设置刚刚被其他人修改过。",
    }


class UnsafeOrigin(Invalid):
    code = "ORIGIN_UNSAFE"
    text: ClassVar[Text] = {
        "en": "In production every site must be named, and use https.",
        "zh": "生产环境必须逐一列出网站，且使用 https。",
    }


class SecretMissing(Conflict):
    """Nobody could prove who they are."""

    code = "SECRET_MISSING"
    text: ClassVar[Text] = {
        "en": "Identities can be enforced only while there is a secret to prove them with.",
        "zh": "强制验证身份时必须至少保留一个有效密钥。",
    }


class TooManySecrets(Conflict):
    code = "TOO_MANY_SECRETS"
    text: ClassVar[Text] = {
        "en": "There are {most} secrets already. Retire one first.",
        "zh": "已有 {most} 个密钥，请先停用一个。",
    }


class SecretNotFound(NotFound):
    code = "SECRET_NOT_FOUND"
    text: ClassVar[Text] = {"en": "There is no such secret.", "zh": "找不到该密钥。"}


@dataclass(frozen=True, slots=True)
class Demands:
    """`origins` None: those of the settings."""

    mode: IdentityMode
    is_required: bool
    origins: list[str] | None


async def put_security(tx: AsyncSession, shop_id: str, demands: Demands, version: int, *, is_production: bool) -> Shop:
    """Repeating what stands there already is no change, so a lost answer may be asked for again.

    Raises ShopNotFound, UnsafeOrigin, SecretMissing, SecurityChanged unless `version` is the one that is there.
    """
    origins = demands.origins
    unsafe = [n for n, one in enumerate(origins or []) if is_for_development(one)]
    if is_production and unsafe:
        raise UnsafeOrigin(fields=[{"field": f"origins.{n}", "reason": "https"} for n in unsafe])
    shop = await _locked(tx, shop_id)
    if (shop.identity_mode, shop.identity_required, shop.origins) == (demands.mode, demands.is_required, origins):
        return shop
    if shop.security_version != version:
        raise SecurityChanged(version=shop.security_version)
    if demands.mode == "enforce" and not await secrets_of(tx, shop_id, active=True):
        raise SecretMissing
    before = fields(shop, "identity_mode", "identity_required", "origins")
    shop.identity_mode, shop.identity_required, shop.origins = demands.mode, demands.is_required, origins
    shop.security_version += 1
    audit(tx, "shop.security_changed", ("shop", shop.id), before, fields(shop, *before))
    await tx.flush()
    return shop


async def create_secret(tx: AsyncSession, shop_id: str, sealer: Sealer) -> tuple[ShopSecret, str]:
    """A new secret and its text, which can be read only now: 256 random bits. Raises ShopNotFound, TooManySecrets."""
    shop = await _locked(tx, shop_id)
    if len(await secrets_of(tx, shop_id, active=True)) >= MOST_SECRETS:
        raise TooManySecrets(most=MOST_SECRETS)
    if shop.index_key == UNREADABLE or (shop.index_key is None and not await secrets_of(tx, shop_id)):
        shop.index_key = secrets.token_hex(32)
    text = secrets.token_urlsafe(32)
    secret = ShopSecret(id=new_id("secret"), shop=shop_id, sealed=sealer.seal(text), created_at=now_ms())
    tx.add(secret)
    audit(tx, "shop.secret_created", ("shop", shop_id), after={"id": secret.id})
    await tx.flush()
    return secret, text


async def retire_secret(tx: AsyncSession, shop_id: str, secret_id: str) -> ShopSecret:
    """What it signed proves nothing any more. Safe to repeat.

    Raises ShopNotFound, SecretNotFound, SecretMissing for the last one of a shop that enforces identities.
    """
    shop = await _locked(tx, shop_id)
    secret = await tx.get(ShopSecret, secret_id)
    if secret is None or secret.shop != shop_id:
        raise SecretNotFound(secret=secret_id)
    if secret.retired_at is None:
        if shop.identity_mode == "enforce" and len(await secrets_of(tx, shop_id, active=True)) == 1:
            raise SecretMissing
        secret.retired_at = now_ms()
        audit(tx, "shop.secret_retired", ("shop", shop_id), after={"id": secret.id})
        await tx.flush()
    return secret


async def secrets_of(tx: AsyncSession, shop_id: str, *, active: bool = False) -> list[ShopSecret]:
    """The newest first."""
    query = select(ShopSecret).where(ShopSecret.shop == shop_id)
    if active:
        query = query.where(ShopSecret.retired_at.is_(None))
    return list(await tx.scalars(query.order_by(ShopSecret.created_at.desc(), ShopSecret.id)))


async def keys_of(tx: AsyncSession, shop_id: str, sealer: Sealer) -> list[str]:
    """What the shop's server may sign with, the newest first. Those that cannot be opened any more prove nothing."""
    keys = []
    for secret in await secrets_of(tx, shop_id, active=True):
        try:
            keys.append(sealer.open(secret.sealed))
        except Unreadable:
            log.warning("shop.secret_unreadable", shop=shop_id, secret=secret.id)
    return keys


async def _locked(tx: AsyncSession, shop_id: str) -> Shop:
    shop = (await tx.execute(select(Shop).where(Shop.id == shop_id).with_for_update())).scalar_one_or_none()
    if shop is None:
        raise ShopNotFound(shop=shop_id)
    return shop
