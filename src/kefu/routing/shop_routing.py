"""How a shop brings those who wait to an agent, as a lead sets it."""

from typing import ClassVar

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from kefu.accounts.audit import audit
from kefu.kit.errors import Conflict
from kefu.kit.i18n import Text
from kefu.routing.duty import wake_assigner
from kefu.routing.rules import Routing
from kefu.shops.models import Shop
from kefu.shops.service import ShopNotFound


class RoutingChanged(Conflict):
    """Nothing was written. `routing` is what is there now."""

    code = "ROUTING_CHANGED"
    text: ClassVar[Text] = {
        "en": "Somebody else has changed how this shop assigns meanwhile.",
        "zh": "该店铺的分配方式刚刚被其他人修改过。",
    }


async def put_routing(tx: AsyncSession, shop_id: str, wanted: Routing, seen: Routing | None) -> None:
    """Repeating what stands there already is no change, so a lost answer may be asked for again.

    Raises ShopNotFound, RoutingChanged unless `seen` (where it is given) is what is there.
    """
    shop = (await tx.execute(select(Shop).where(Shop.id == shop_id).with_for_update())).scalar_one_or_none()
    if shop is None:
        raise ShopNotFound(shop=shop_id)
    now = Routing.model_validate(shop.routing)
    if seen is not None and now not in (seen, wanted):
        raise RoutingChanged(routing=now.model_dump())
    shop.routing = wanted.model_dump()
    audit(tx, "shop.routing_changed", ("shop", shop.id), now.model_dump(), shop.routing)
    await tx.flush()
    await wake_assigner(tx)
