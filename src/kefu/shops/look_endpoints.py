"""A shop's look over HTTP: for those who may change the shop."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Request
from pydantic import ConfigDict, Field

from kefu.accounts.identity import AgentIdentity, allowed
from kefu.kit.web import Done
from kefu.shops import look
from kefu.shops.models import SHOP_ID, Shop
from kefu.shops.service import find_shop

router = APIRouter(tags=["shops"])

Writer = Annotated[AgentIdentity, Depends(allowed("shops.write"))]
ShopInPath = Annotated[str, Path(pattern=SHOP_ID)]


class LookOut(look.Look):
    """`icons`: the strokes of each that may be chosen. `is_default`: nothing was chosen yet."""

    shop: str
    version: int
    is_default: bool
    icons: dict[look.Icon, str]


class LookData(Done):
    data: LookOut


class PutLook(look.Look):
    """`version`: of what the writer saw."""

    model_config = ConfigDict(extra="ignore")

    version: Annotated[int, Field(ge=0, le=2**31 - 1)]


@router.get("/api/shops/{shop_id}/look")
async def read_look(request: Request, shop_id: ShopInPath, _: Writer) -> LookData:
    """The colours, the words and the questions of the shop's widget, in both languages."""
    async with request.app.state.db.read() as tx:
        shop = await find_shop(tx, shop_id)
    return _look_data(shop)


@router.put("/api/shops/{shop_id}/look")
async def put_look(request: Request, shop_id: ShopInPath, body: PutLook, _: Writer) -> LookData:
    """The widget has it when it is next loaded, the launcher within five minutes.

    422 CONTRAST_TOO_LOW for colours that cannot be read; of two who change what they saw one gets 409 LOOK_CHANGED.
    """
    wanted = look.Look.model_validate(body.model_dump(exclude={"version"}))
    async with request.app.state.db.write() as tx:
        shop = await look.put_look(tx, shop_id, wanted, body.version)
    return _look_data(shop)


def _look_data(shop: Shop) -> LookData:
    about: dict[str, Any] = {
        "shop": shop.id,
        "version": shop.look_version,
        "is_default": shop.look is None,
        "icons": look.ICONS,
    }
    return LookData(data=LookOut.model_construct(**dict(look.look_of(shop)), **about))
