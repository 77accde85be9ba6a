"""A shop's invitations over HTTP, for those who write them. Visitors get them with the script that shows them."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Request
from pydantic import BaseModel, ConfigDict, Field

from kefu.accounts.identity import AgentIdentity, allowed
from kefu.kit.web import Done
from kefu.shops.invitations import Invitation, Invitations, invitations_of, put_invitations
from kefu.shops.models import SHOP_ID, Shop
from kefu.shops.service import find_shop

router = APIRouter(tags=["shops"])

ShopInPath = Annotated[str, Path(pattern=SHOP_ID)]
Reader = Annotated[AgentIdentity, Depends(allowed("shops.read"))]
Writer = Annotated[AgentIdentity, Depends(allowed("shops.write"))]


class InvitationsOut(BaseModel):
    shop: str
    invitations: list[Invitation]
    version: int


class InvitationsData(Done):
    data: InvitationsOut


class PutInvitations(BaseModel):
    """`version`: of what the writer saw."""

    model_config = ConfigDict(extra="ignore")

    invitations: Invitations
    version: Annotated[int, Field(ge=0, le=2**31 - 1)]


@router.get("/api/shops/{shop_id}/invitations")
async def read_invitations(request: Request, shop_id: ShopInPath, _: Reader) -> InvitationsData:
    """In the order in which they are tried."""
    async with request.app.state.db.read() as tx:
        shop = await find_shop(tx, shop_id)
    return _data(shop)


@router.put("/api/shops/{shop_id}/invitations")
async def write_invitations(request: Request, shop_id: ShopInPath, body: PutInvitations, _: Writer) -> InvitationsData:
    """All of them. Of two who change them at once one is told so: 409 INVITATIONS_CHANGED."""
    async with request.app.state.db.write() as tx:
        shop = await put_invitations(tx, shop_id, body.invitations, body.version)
    return _data(shop)


def _data(shop: Shop) -> InvitationsData:
    found = InvitationsOut(shop=shop.id, invitations=invitations_of(shop), version=shop.invitations_version)
    return InvitationsData(data=found)
