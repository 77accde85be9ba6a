"""The variables of quick replies: `{customer_name}` and the like, filled with what is known of a session.

What is filled in is data: it is never looked at for variables again, and means nothing in any markup.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from zoneinfo import ZoneInfo

from kefu.kit.i18n import Text

Variable = Literal[
    "customer_name",
    "agent_name",
    "order_id",
    "order_status",
    "tracking_number",
    "product_name",
    "current_time",
    "current_date",
]
VARIABLES: dict[Variable, tuple[Text, Text]] = {
    "customer_name": ({"en": "The customer's name", "zh": "客户姓名"}, {"en": "Visitor 3f2a", "zh": "访客 3f2a"}),
    "agent_name": ({"en": "Your own name", "zh": "客服姓名"}, {"en": "Lena", "zh": "小丽"}),
    "order_id": ({"en": "The order's number", "zh": "订单号"}, {"en": "NV-20418", "zh": "NV-20418"}),
    "order_status": ({"en": "The order's state", "zh": "订单状态"}, {"en": "on its way", "zh": "运输中"}),
    "tracking_number": ({"en": "The parcel's number", "zh": "物流单号"}, {"en": "JD0146…", "zh": "JD0146…"}),
    "product_name": ({"en": "The product", "zh": "产品名称"}, {"en": "T3 Trekking", "zh": "T3 Trekking"}),
    "current_time": ({"en": "The time at the shop", "zh": "当前时间"}, {"en": "14:05", "zh": "14:05"}),
    "current_date": ({"en": "The date at the shop", "zh": "当前日期"}, {"en": "2026-11-27", "zh": "2026-11-27"}),
}
PLACEHOLDER = re.compile(r"\{([A-Za-z_]\w{0,39})\}")


@dataclass(frozen=True, slots=True)
class Filled:
    """`missing`: variables with no value, left standing as they were; `unknown`: names in braces that are none."""

    text: str
    missing: list[str]
    unknown: list[str]


def names_in(content: str) -> list[str]:
    """What stands in braces, in the order of its first appearance."""
    return list(dict.fromkeys(PLACEHOLDER.findall(content)))


def known(names: list[str]) -> list[Variable]:
    return [name for name in VARIABLES if name in names]


def fill(content: str, values: Mapping[str, str]) -> Filled:
    """Put the values in; an empty one counts as missing."""
    names = names_in(content)
    text = PLACEHOLDER.sub(lambda found: values.get(found[1]) or found[0], content)
    missing = [name for name in known(names) if not values.get(name)]
    return Filled(text, [*missing], [name for name in names if name not in VARIABLES])


def times_at(now: int, zone: str) -> dict[str, str]:
    """`current_time` and `current_date` of that moment (ms) in that time zone."""
    local = datetime.fromtimestamp(now / 1000, ZoneInfo(zone))
    return {"current_time": local.strftime("%H:%M"), "current_date": local.strftime("%Y-%m-%d")}
