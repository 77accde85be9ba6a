"""What a shop says to visitors by itself: which words, after how long, on which pages, from which cart on."""

from typing import Annotated, ClassVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints
from pydantic_core import PydanticCustomError
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from kefu.accounts.audit import audit, fields
from kefu.kit.errors import Conflict
from kefu.kit.i18n import Locale, Text
from kefu.kit.ids import new_id
from kefu.kit.web import REASONS
from kefu.shops.models import Shop
from kefu.shops.service import ShopNotFound

MOST = 20
REASONS["same_id"] = {"en": "names one of them twice", "zh": "同一邀请出现了两次"}
REASONS["no_words"] = {"en": "needs words in at least one language", "zh": "至少需要一种语言的文字"}

Line = Annotated[str, StringConstraints(max_length=300, strip_whitespace=True, pattern=r"^[^\x00]*$")]


InvitationId = Annotated[str, StringConstraints(pattern=r"^(inv_[A-Za-z0-9_]{1,40})?$")]


class Words(BaseModel):
    model_config = ConfigDict(extra="forbid")

    en: Line = ""
    zh: Line = ""


def _said(words: Words) -> Words:
    if not words.en and not words.zh:
        raise PydanticCustomError("no_words", "no words")
    return words


class Invitation(BaseModel):
    """Shown once to each visitor, when all of it holds; of several the first one is.

    `id`: "" for a new one. `seconds`: how long the page was in sight. `url`: what the page's address contains, `*` for
    anything in between, "" for every page. `cart`: the least value of the cart that the page has told, null for any.
    """

    model_config = ConfigDict(extra="forbid")

    id: InvitationId = ""
    text: Annotated[Words, AfterValidator(_said)]
    seconds: Annotated[int, Field(ge=0, le=3600)] = 30
    url: Annotated[str, StringConstraints(max_length=200, pattern=r"^[^\x00-\x20]*$")] = ""
    cart: Annotated[float, Field(ge=0, le=1_000_000_000, allow_inf_nan=False)] | None = None
    is_on: bool = True


def _each_once(wanted: list[Invitation]) -> list[Invitation]:
    """Visitors' browsers remember them by their ids."""
    ids = [one.id for one in wanted if one.id]
    if len(ids) > len(set(ids)):
        raise PydanticCustomError("same_id", "same id")
    return wanted


Invitations = Annotated[list[Invitation], Field(max_length=MOST), AfterValidator(_each_once)]


class InvitationsChanged(Conflict):
    """Nothing was written. `version`: of what is there now."""

    code = "INVITATIONS_CHANGED"
    text: ClassVar[Text] = {
        "en": "Somebody else has changed these invitations meanwhile.",
        "zh": "主动邀请刚刚被其他人修改过。",
    }


async def put_invitations(tx: AsyncSession, shop_id: str, wanted: list[Invitation], version: int) -> Shop:
    """Repeating what stands there already is no change, so a lost answer may be asked for again.

    Raises ShopNotFound, InvitationsChanged unless `version` is the one that is there.
    """
    shop = (await tx.execute(select(Shop).where(Shop.id == shop_id).with_for_update())).scalar_one_or_none()
    if shop is None:
        raise ShopNotFound(shop=shop_id)
    if _same(shop.invitations, wanted):
        return shop
    if shop.invitations_version != version:
        raise InvitationsChanged(version=shop.invitations_version)
    before = fields(shop, "invitations")
    shop.invitations = [one.model_dump() | {"id": one.id or new_id("inv")} for one in wanted]
    shop.invitations_version += 1
    audit(tx, "shop.invitations_changed", ("shop", shop.id), before, fields(shop, *before))
    await tx.flush()
    return shop


def _same(stored: list[dict[str, object]], wanted: list[Invitation]) -> bool:
    """A new one has no id yet, but had one when its first answer got lost."""
    if len(stored) != len(wanted):
        return False
    asked = [one.model_dump() for one in wanted]
    return all(there == one | {"id": one["id"] or there["id"]} for there, one in zip(stored, asked, strict=True))


def answered(shop: Shop, invitation_id: str, locale: Locale) -> dict[str, str] | None:
    """`{id, text}`: what the visitor was shown. None for one that the shop does not have, or has no more."""
    for one in invitations_of(shop):
        if one.id == invitation_id:
            text = one.text
            return {"id": one.id, "text": getattr(text, locale) or text.en or text.zh}
    return None


def invitations_of(shop: Shop) -> list[Invitation]:
    return [Invitation.model_validate(one) for one in shop.invitations]
