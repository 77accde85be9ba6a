"""What the visitor looks at on the shop's page: an event, of which the newest holds."""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, StringConstraints
from sqlalchemy.ext.asyncio import AsyncSession

from kefu.log.log import VISITOR, Fact, read_last
from kefu.sessions.models import stream_of
from kefu.sessions.service import check_epoch, locked, record, refuse_merged


def _without_nul(value: str) -> str:
    return value.replace("\x00", "")


class Card(BaseModel):
    """A product, or an order of the visitor's. So the shop's page says; nobody has checked it."""

    model_config = ConfigDict(strict=True)

    kind: Literal["product", "order"]
    title: Annotated[str, StringConstraints(min_length=1, max_length=200), AfterValidator(_without_nul)]
    url: Annotated[str, StringConstraints(max_length=1000), AfterValidator(_without_nul)] = ""
    detail: Annotated[str, StringConstraints(max_length=500), AfterValidator(_without_nul)] = ""


async def show_page(tx: AsyncSession, name: str, identity_epoch: int, card: dict[str, Any] | None) -> None:
    """The visitor looks at this now. The same again changes nothing.

    Raises SessionNotFound, IdentityChanged, SessionMerged.
    """
    session = await locked(tx, name)
    check_epoch(session, identity_epoch)
    refuse_merged(session)
    if await page_of(tx, name) != card:
        await record(tx, session, Fact("page.shown", VISITOR, {"card": card}, audience="internal"))


async def page_of(tx: AsyncSession, name: str) -> dict[str, Any] | None:
    shown = await read_last(tx, stream_of(name), 1, types=("page.shown",), public_only=False)
    card: dict[str, Any] | None = shown[0].facts["card"] if shown else None
    return card
