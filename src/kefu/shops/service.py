"""Shops: put one, find one, and its hours."""

from typing import Any, ClassVar

from sqlalchemy import ColumnElement, select
from sqlalchemy.ext.asyncio import AsyncSession

from kefu.accounts.audit import audit, fields
from kefu.bus.ports import Notice
from kefu.kit.clock import now_ms
from kefu.kit.db import announce
from kefu.kit.errors import Conflict, NotFound
from kefu.kit.i18n import Text
from kefu.shops.hours import Hours
from kefu.shops.models import Shop

# Told over the bus, so that what the bot is about to say stops at once.
SHADOW_BEGUN = "shop.shadow_begun"
FIRST_SHOP: dict[str, Any] = {
    "id": "default",
    "name": {"en": "Our shop", "zh": "本店"},
    "locales": ["en", "zh"],
    "bot_name": {"en": "Assistant", "zh": "智能客服"},
    "description": {"en": "Answers from our help articles", "zh": "根据帮助文章为您解答"},
    "welcome": {"en": "Hello! How can I help you?", "zh": "您好！请问有什么可以帮您？"},
    "suggestions": {"en": [], "zh": []},
    "color": "#0f8f86",
    "is_demo": False,
}


class ShopNotFound(NotFound):
    code = "SHOP_NOT_FOUND"
    text: ClassVar[Text] = {"en": "There is no such shop.", "zh": "找不到该店铺。"}


class HoursChanged(Conflict):
    """Nothing was written. `version` and `hours` are what is there now."""

    code = "HOURS_CHANGED"
    text: ClassVar[Text] = {
        "en": "Somebody else has changed these hours meanwhile.",
        "zh": "工作时间刚刚被其他人修改过。",
    }


def is_auto() -> ColumnElement[bool]:
    """The condition that those who wait in the shop are offered to agents."""
    mode: ColumnElement[str] = Shop.routing["mode"].as_string()
    return mode == "auto"


async def put_shadow(tx: AsyncSession, shop_id: str, *, is_on: bool) -> Shop:
    """From the commit on the bot says nothing in the shop, or speaks again. A repeat changes nothing.

    Raises ShopNotFound.
    """
    shop = (await tx.execute(select(Shop).where(Shop.id == shop_id).with_for_update())).scalar_one_or_none()
    if shop is None:
        raise ShopNotFound(shop=shop_id)
    before = fields(shop, "is_shadow")
    shop.is_shadow = is_on
    audit(tx, "shop.shadow_changed", ("shop", shop.id), before, fields(shop, *before))
    await tx.flush()
    if is_on:
        announce(tx, "tell", Notice(of_shop(shop.id), 0, b"{}", public=False, type=SHADOW_BEGUN))
    return shop


async def put_shop(tx: AsyncSession, **fields: Any) -> Shop:
    """Create the shop with this `id`, or give it these fields. The first shop becomes the default one.

    Safe to repeat.
    """
    shop = await tx.get(Shop, fields["id"])
    if shop is None:
        first = (await tx.execute(select(Shop.id).limit(1))).first() is None
        shop = Shop(**fields, is_default=first, created_at=now_ms())
        tx.add(shop)
    else:
        for name, value in fields.items():
            setattr(shop, name, value)
    await tx.flush()  # so that what the caller writes next may refer to it
    return shop


async def first_shop(tx: AsyncSession) -> None:
    """A fresh installation gets one plain shop, so that a widget works before anybody set one up. Safe to repeat."""
    if (await tx.execute(select(Shop.id).limit(1))).first() is None:
        await put_shop(tx, **FIRST_SHOP)


async def make_default(tx: AsyncSession, shop_id: str) -> None:
    """The shop that answers when a caller names none."""
    for shop in (await tx.execute(select(Shop))).scalars():
        shop.is_default = shop.id == shop_id


async def find_shop(tx: AsyncSession, shop_id: str | None) -> Shop:
    """The shop of that id, or the default one for None. Raises ShopNotFound."""
    query = select(Shop).where(Shop.id == shop_id) if shop_id else select(Shop).where(Shop.is_default)
    shop = (await tx.execute(query.limit(1))).scalar_one_or_none()
    if shop is None:
        raise ShopNotFound(shop=shop_id or "default")
    return shop


async def all_shops(tx: AsyncSession) -> list[Shop]:
    """The default one first."""
    return list(await tx.scalars(select(Shop).order_by(Shop.is_default.desc(), Shop.id)))


def of_shop(shop_id: str) -> str:
    """The stream of notices about the shop."""
    return f"shop/{shop_id}"


async def is_shadow(tx: AsyncSession, shop_id: str, *, hold: bool = False) -> bool:
    """Whether only people answer in the shop. With `hold` nobody changes that until the transaction ends."""
    query = select(Shop.is_shadow).where(Shop.id == shop_id)
    return bool(await tx.scalar(query.with_for_update(read=True) if hold else query))


def hours_of(shop: Shop, otherwise: Hours) -> Hours:
    return Hours.model_validate(shop.hours) if shop.hours else otherwise


async def put_hours(tx: AsyncSession, shop_id: str, hours: Hours | None, mail_to: list[str], version: int) -> Shop:
    """Give the shop these hours (None: those of the settings) and addresses for after-hours messages.

    Raises ShopNotFound, HoursChanged unless `version` is the one that is there. Repeating what stands there already is
    no change, so a lost answer may be asked for again.
    """
    shop = (await tx.execute(select(Shop).where(Shop.id == shop_id).with_for_update())).scalar_one_or_none()
    if shop is None:
        raise ShopNotFound(shop=shop_id)
    wanted = hours.model_dump(mode="json") if hours else None
    if (shop.hours, shop.mail_to) == (wanted, mail_to):
        return shop
    if shop.hours_version != version:
        raise HoursChanged(version=shop.hours_version, hours=shop.hours, mail_to=shop.mail_to)
    before = fields(shop, "hours", "mail_to")
    shop.hours, shop.mail_to, shop.hours_version = wanted, mail_to, version + 1
    audit(tx, "shop.hours_changed", ("shop", shop.id), before, fields(shop, *before))
    await tx.flush()
    return shop
