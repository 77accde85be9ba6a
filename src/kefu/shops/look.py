"""How a shop's chat looks and what it says before the first word: in the loader, in the widget, in the workbench."""

from typing import Annotated, Any, ClassVar, Final, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints
from pydantic_core import PydanticCustomError
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from kefu.accounts.audit import audit, fields
from kefu.kit.addresses import EmailAddress
from kefu.kit.errors import Conflict, Invalid
from kefu.kit.i18n import Locale, Text
from kefu.shops.colors import AA, Palette, contrast, palette_of
from kefu.shops.models import Shop
from kefu.shops.service import ShopNotFound

Icon = Literal["bubble", "question", "headset", "heart"]
Asked = Literal["off", "optional", "required"]
# Strokes in a square of 24, as the loader and the widget draw them.
ICONS: Final[dict[Icon, str]] = {
    "bubble": (
        "M12 3.5c4.9 0 8.5 3.2 8.5 7.6s-3.6 7.6-8.5 7.6c-1 0-2-.1-2.9-.4L4.8 20.5l.9-3.7C4.3 15.3 3.5 13.3 3.5 11.1 "
        "3.5 6.7 7.1 3.5 12 3.5Z M8.5 11.2h.01 M12 11.2h.01 M15.5 11.2h.01"
    ),
    "question": (
        "M12 20.5a8.5 8.5 0 1 0 0-17 8.5 8.5 0 0 0 0 17Z M9.3 9.6a2.7 2.7 0 1 1 4.1 2.3c-.9.5-1.4 1-1.4 2 M12 16.9h.01"
    ),
    "headset": (
        "M4.5 15v-3a7.5 7.5 0 0 1 15 0v3 M4.5 13h2a1 1 0 0 1 1 1v3.5a1 1 0 0 1-1 1h-1a1 1 0 0 1-1-1Z "
        "M19.5 13h-2a1 1 0 0 0-1 1v3.5a1 1 0 0 0 1 1h1a1 1 0 0 0 1-1Z M19.5 17.5c0 2-1.5 3-4 3H13"
    ),
    "heart": "M12 20C6.5 16 3.5 12.9 3.5 9.3A4.3 4.3 0 0 1 12 7.8a4.3 4.3 0 0 1 8.5 1.5c0 3.6-3 6.7-8.5 10.7Z",
}


def _both(texts: dict[Locale, Any]) -> dict[Locale, Any]:
    if set(texts) != {"zh", "en"}:
        raise PydanticCustomError("missing", "both languages are needed")
    return texts


Both = AfterValidator(_both)
NoNul = r"^[^\x00]*$"
Color = Annotated[str, StringConstraints(pattern=r"^#[0-9a-fA-F]{6}$", to_lower=True)]
Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=40, pattern=NoNul)]
Question = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=120, pattern=NoNul)]
Welcome = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=1000, pattern=NoNul)]
Line = Annotated[str, StringConstraints(strip_whitespace=True, max_length=300, pattern=NoNul)]
Link = Annotated[str, StringConstraints(pattern=r"^(https://[^\s\x00-\x1f\"<>\\]+)?$", max_length=500)]


class Asks(BaseModel):
    """What a visitor is asked before the first word."""

    name: Asked = "off"
    email: Asked = "off"


class Consent(BaseModel):
    """`line`: said beside the chat; `ask`: to be agreed to before the first word. `link`: "" for none."""

    mode: Literal["off", "line", "ask"] = "off"
    text: Annotated[dict[Locale, Line], Both] = {"zh": "", "en": ""}
    link: Annotated[dict[Locale, Link], Both] = {"zh": "", "en": ""}


def _has_words(consent: Consent) -> Consent:
    if consent.mode != "off" and not all(consent.text.values()):
        raise PydanticCustomError("missing", "the words are needed in both languages")
    return consent


class Look(BaseModel):
    """`on_color`: of words and icons upon `color`. `hours_notice`: said while nobody serves; "" for none."""

    name: Annotated[dict[Locale, Name], Both]
    welcome: Annotated[dict[Locale, Welcome], Both]
    suggestions: Annotated[dict[Locale, Annotated[list[Question], Field(max_length=6)]], Both]
    color: Color = "#0f766e"
    on_color: Color = "#ffffff"
    position: Literal["bottom-right", "bottom-left"] = "bottom-right"
    icon: Icon = "bubble"
    avatar: Literal["robot", "letter", "icon"] = "robot"
    asks: Asks = Asks()
    consent: Annotated[Consent, AfterValidator(_has_words)] = Consent()
    hours_notice: Annotated[dict[Locale, Line], Both] = {"zh": "", "en": ""}


class Introduction(BaseModel):
    """What the visitor wrote before the first word, where the shop asks for it; unchecked.

    `agreed`: the words that were shown and agreed to; true for those that the shop has now.
    """

    model_config = ConfigDict(strict=True)

    name: Annotated[str, StringConstraints(strip_whitespace=True, max_length=80, pattern=r"^[^\x00-\x1f\x7f]*$")] = ""
    email: EmailAddress | None = None
    agreed: bool | Annotated[str, StringConstraints(max_length=300, pattern=NoNul)] = False


class IntroductionRequired(Invalid):
    """Nothing was opened. `missing`: of `name`, `email` and `agreed`, what the shop asks for and was not said."""

    code = "INTRODUCTION_REQUIRED"
    text: ClassVar[Text] = {
        "en": "Before the first word this shop asks who you are, or for your consent.",
        "zh": "开始咨询之前，请先填写店铺要求的信息并同意其说明。",
    }


class LookChanged(Conflict):
    """Nothing was written. `version`: of what is there now."""

    code = "LOOK_CHANGED"
    text: ClassVar[Text] = {
        "en": "Somebody else has changed the widget meanwhile.",
        "zh": "聊天窗口的设置刚刚被其他人修改过。",
    }


class ContrastTooLow(Invalid):
    code = "CONTRAST_TOO_LOW"
    text: ClassVar[Text] = {
        "en": "{on_color} on {color} has a contrast of {contrast}:1, too low to be read; it must be {least}:1 or more.",
        "zh": "{color} 上的 {on_color} 对比度仅 {contrast}:1，难以辨认；至少需要 {least}:1。",
    }


def look_of(shop: Shop) -> Look:
    """What was chosen, else what the shop was made with."""
    if shop.look is not None:
        return Look.model_validate(shop.look)
    made: dict[str, Any] = {"name": shop.bot_name, "welcome": shop.welcome, "suggestions": shop.suggestions}
    return Look.model_construct(**made)


def palette_for(shop: Shop) -> Palette | None:
    """None where the shop has chosen none: then the product's own colours hold."""
    return palette_of(shop.look["color"], shop.look["on_color"]) if shop.look else None


def for_loader(shop: Shop) -> dict[str, str]:
    """What the launcher on the shop's pages is drawn with; nothing where the shop has chosen nothing."""
    palette = palette_for(shop)
    if palette is None:
        return {}
    look = look_of(shop)
    css = (
        f".launcher{{background:{palette.color};color:{palette.on_color}}}.launcher:hover{{background:{palette.hover}}}"
    )
    return {"position": look.position, "css": css, "icon": ICONS[look.icon]}


def asked_of(shop: Shop) -> dict[str, Asked]:
    """What the shop asks before the first word, without what it does not ask."""
    look = look_of(shop)
    agreed: Asked = "required" if look.consent.mode == "ask" else "off"
    asked: dict[str, Asked] = {"name": look.asks.name, "email": look.asks.email, "agreed": agreed}
    return {what: how for what, how in asked.items() if how != "off"}


def told(
    shop: Shop, locale: Locale, said: Introduction, before: dict[str, Any], *, is_known: bool
) -> dict[str, Any] | None:
    """What is kept of it: only what the shop asks. None for nothing. `agreed` is kept as the words agreed to.

    `before`: what was kept of the same visitor's earlier conversation. It need not be said again, but for a consent to
    other words than the shop's now. `is_known`: who they are need not be said at all.

    Raises IntroductionRequired.
    """
    asked, words = asked_of(shop), look_of(shop).consent.text
    agreed = words[locale] if said.agreed is True else said.agreed or before.get("agreed")
    given = {
        "name": said.name or before.get("name"),
        "email": said.email or before.get("email"),
        "agreed": agreed if agreed in words.values() else None,
    }
    facts = {what: given[what] for what in asked if given[what]}
    needed = {what for what, how in asked.items() if how == "required"} - ({"name", "email"} if is_known else set())
    if missing := [what for what in asked if what in needed and what not in facts]:
        raise IntroductionRequired(missing=missing)
    return facts or None


async def put_look(tx: AsyncSession, shop_id: str, look: Look, version: int) -> Shop:
    """Repeating what stands there already is no change, so a lost answer may be asked for again.

    Raises ContrastTooLow, ShopNotFound, LookChanged unless `version` is the one that is there.
    """
    found = contrast(look.on_color, look.color)
    if found < AA:
        shown = int(found * 100) / 100  # never rounded up to what is enough
        raise ContrastTooLow(color=look.color, on_color=look.on_color, contrast=shown, least=AA)
    shop = (await tx.execute(select(Shop).where(Shop.id == shop_id).with_for_update())).scalar_one_or_none()
    if shop is None:
        raise ShopNotFound(shop=shop_id)
    wanted = look.model_dump(mode="json")
    if shop.look == wanted:
        return shop
    if shop.look_version != version:
        raise LookChanged(version=shop.look_version)
    before = fields(shop, "look")
    shop.look, shop.look_version = wanted, version + 1
    audit(tx, "shop.look_changed", ("shop", shop.id), before, fields(shop, *before))
    await tx.flush()
    return shop
