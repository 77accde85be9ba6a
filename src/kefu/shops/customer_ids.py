"""By which id the sessions of a shop's customer are found together, without telling who it is (docs/adr/0020)."""

import hashlib
import hmac
from typing import ClassVar

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from kefu.kit.errors import Unavailable
from kefu.kit.i18n import Text
from kefu.kit.sealed import UNREADABLE
from kefu.shops.models import Shop


class CustomersUnknown(Unavailable):
    """The shop's `index_key` is sealed with a key that is not here; a new secret of the shop makes a new one."""

    code = "CUSTOMERS_UNKNOWN"
    text: ClassVar[Text] = {
        "en": "Signed-in customers cannot be told apart at this moment. Please try again later.",
        "zh": "暂时无法识别已登录的客户，请稍后再试。",
    }


async def visitor_id_of(tx: AsyncSession, shop: str, customer_id: str) -> str:
    """The same for one verified customer on whatever device. Raises CustomersUnknown."""
    key = (await tx.execute(select(Shop.index_key).where(Shop.id == shop))).scalar_one()
    if key == UNREADABLE:
        raise CustomersUnknown
    both = f"{shop}/{customer_id}".encode()  # no shop's id has a slash
    index = hmac.new(key.encode(), both, "sha256") if key else hashlib.sha256(both)
    return f"customer_{index.hexdigest()[:30]}"
