"""What a shop chooses for its bot: read, changed, and the provider that follows from it."""

from typing import ClassVar

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from kefu.accounts.audit import audit, fields
from kefu.ai.catalog import API_VERSION, DEFAULT_URLS, EMBEDS, PROVIDERS, Choice, Price
from kefu.answering.bot_shapes import BotChoice, BotFields
from kefu.answering.models import BotSettings
from kefu.kit.clock import now_ms
from kefu.kit.config import Settings
from kefu.kit.errors import Conflict, Invalid
from kefu.kit.i18n import Text
from kefu.kit.model_settings import prices
from kefu.kit.sealed import UNREADABLE
from kefu.shops.models import Shop
from kefu.shops.service import find_shop

PLAIN = (
    "provider",
    "url",
    "model",
    "cheaper_model",
    "embedding_model",
    "deployment",
    "api_version",
    "coze",
    "persona",
    "prompt",
    "mask_pii",
    "budgets",
)


class BotChanged(Conflict):
    """Nothing was written. `version`: of what is there now."""

    code = "BOT_CHANGED"
    text: ClassVar[Text] = {
        "en": "Somebody else has changed these settings meanwhile.",
        "zh": "这些设置刚刚被其他人修改过。",
    }


class BotIncomplete(Invalid):
    """A key is for one address: who changes provider or address gives the key again."""

    code = "BOT_INCOMPLETE"
    text: ClassVar[Text] = {
        "en": "This provider needs more than was given. A key is kept only for the address it was given for.",
        "zh": "该服务商还缺少必填项。更换服务商或地址后需要重新填写密钥。",
    }


async def find_bot(tx: AsyncSession, shop_id: str) -> BotSettings:
    """The shop's row, or one that says what holds without; that one is not written. Raises ShopNotFound."""
    row = await tx.get(BotSettings, shop_id)
    if row is None:
        await find_shop(tx, shop_id)
    return row or _untouched(shop_id)


async def put_bot(tx: AsyncSession, shop_id: str, wanted: BotChoice, by: str) -> BotSettings:
    """Repeating what stands there already is no change, so a lost answer may be asked for again.

    Raises ShopNotFound, BotIncomplete, BotChanged unless `wanted.version` is the one that is there.
    """
    await find_shop(tx, shop_id)
    await tx.execute(select(Shop.id).where(Shop.id == shop_id).with_for_update())  # the row may not be there to lock
    row = await tx.get(BotSettings, shop_id)
    new = merged(row, shop_id, wanted)
    now = row or _untouched(shop_id)
    is_new_key = new.key != now.key
    before, after = fields(now, *PLAIN), fields(new, *PLAIN)
    if before == after and not is_new_key:
        return now
    if now.version != wanted.version:
        raise BotChanged(version=now.version)
    before |= {"has_key": now.key is not None, "given_anew": False}
    audit(tx, "bot.changed", ("shop", shop_id), before, after | {"has_key": bool(new.key), "given_anew": is_new_key})
    new.version, new.updated_at, new.updated_by = now.version + 1, now_ms(), by
    row = await tx.merge(new)
    await tx.flush()
    return row


def merged(row: BotSettings | None, shop_id: str, wanted: BotChoice) -> BotSettings:
    """What the shop would have then; it is not written. Raises BotIncomplete."""
    new = _untouched(shop_id)
    for name, value in wanted.model_dump(exclude={"key", "version"}).items():
        setattr(new, name, value)
    new.url = wanted.url or DEFAULT_URLS.get(wanted.provider, "") if wanted.provider in PROVIDERS else ""
    if wanted.provider not in EMBEDS:
        new.embedding_model = ""
    is_same_place = row is not None and (row.provider, row.url) == (new.provider, new.url)
    new.key = wanted.key or (row.key if row is not None and is_same_place else None)
    if new.key == UNREADABLE:
        new.key = None
    choice = own_choice(new)
    if choice is not None and (lacks := choice.lacks()):
        raise BotIncomplete(fields=[{"field": _field(name), "reason": "required"} for name in lacks])
    return new


def _field(name: str) -> str:
    return name.replace("coze_", "coze.")


def _untouched(shop_id: str) -> BotSettings:
    values = BotFields().model_dump()
    return BotSettings(shop=shop_id, **values, version=0, updated_by="")


def own_choice(row: BotSettings) -> Choice | None:
    """The provider that the shop itself has chosen, if it needs one."""
    provider = next((one for one in PROVIDERS if one == row.provider), None)
    if provider is None:
        return None
    return Choice(
        provider,
        row.url,
        row.key or "",
        row.model,
        row.cheaper_model,
        row.deployment,
        row.api_version or API_VERSION,
        embedding_model=row.embedding_model,
        **{f"coze_{name}": value for name, value in row.coze.items()},
    )


def choice_of(row: BotSettings, settings: Settings) -> Choice | None:
    """The provider that answers for the shop; None where the knowledge alone does."""
    if row.provider is not None:
        return own_choice(row)
    provider = next((one for one in PROVIDERS if one == settings.ai_provider), None)
    if provider is None:
        return None
    if provider == "coze":
        ids = {name: getattr(settings, name) for name in ("coze_app_id", "coze_workflow_id")}
        ids |= {name: getattr(settings, name) for name in ("coze_client_id", "coze_public_key_id")}
        return Choice(provider, settings.coze_url, settings.coze_key(), **ids)
    return Choice(
        provider,
        settings.ai_url or DEFAULT_URLS.get(provider, ""),
        settings.ai_key.get_secret_value(),
        settings.ai_model,
        settings.ai_cheaper_model,
        settings.ai_deployment,
        settings.ai_api_version,
        embedding_model=settings.ai_embedding_model,
    )


def own_prices(settings: Settings) -> dict[str, Price]:
    """Those of AI_PRICES, for `ai.catalog.price_of`."""
    return {model: Price(*price) for model, price in prices(settings.ai_prices).items()}
