"""What models have cost, by shop, day and provider."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from kefu.ai.books import MICROS, ModelUsage
from kefu.kit.i18n import Locale, Text
from kefu.kit.spreadsheets import BOM, csv_row

GROUPS = (ModelUsage.shop, ModelUsage.day, ModelUsage.provider, ModelUsage.model, ModelUsage.purpose)
HEADS: tuple[Text, ...] = (
    {"en": "Shop", "zh": "店铺"},
    {"en": "Day", "zh": "日期"},
    {"en": "Provider", "zh": "服务商"},
    {"en": "Model", "zh": "模型"},
    {"en": "Purpose", "zh": "用途"},
    {"en": "Calls", "zh": "调用次数"},
    {"en": "Tokens in", "zh": "输入 Token"},
    {"en": "Tokens out", "zh": "输出 Token"},
    {"en": "Cost (USD)", "zh": "费用（美元）"},
    {"en": "Calls without a price", "zh": "未设单价的调用"},
)


@dataclass(frozen=True, slots=True)
class Used:
    """`cost` in US dollars, without the calls that are `unpriced`; None when it is of those alone."""

    shop: str
    day: str
    provider: str
    model: str
    purpose: str
    calls: int
    tokens_in: int
    tokens_out: int
    cost: float | None
    unpriced: int


async def costs(tx: AsyncSession, shop: str, first: str, last: str) -> list[Used]:
    """From the `first` day to the `last`, in order; of one shop, or of all for an empty one."""
    numbers = (ModelUsage.calls, ModelUsage.tokens_in, ModelUsage.tokens_out, ModelUsage.cost, ModelUsage.unpriced)
    sums = [func.sum(one) for one in numbers]
    query = select(*GROUPS, *sums).where(ModelUsage.day.between(first, last)).group_by(*GROUPS)
    if shop:
        query = query.where(ModelUsage.shop == shop)
    rows = await tx.execute(query.order_by(ModelUsage.day, *GROUPS))
    return [_used(row) for row in rows]


def _used(row: Sequence[Any]) -> Used:
    of_shop, day, provider, model, purpose, *sums = row
    calls, tokens_in, tokens_out, micros, unpriced = map(int, sums)
    cost = None if unpriced and not micros else micros / MICROS
    return Used(of_shop, day, provider, model, purpose, calls, tokens_in, tokens_out, cost, unpriced)


async def csv_of(found: Sequence[Used], locale: Locale) -> AsyncIterator[str]:
    yield BOM + csv_row([head[locale] for head in HEADS])
    for one in found:
        yield csv_row(list((asdict(one) | {"cost": "" if one.cost is None else f"{one.cost:.6f}"}).values()))
