"""What the visitor looks at on the shop's page, as the page says: for the bot and the agents."""

from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from kefu.log.log import read_last
from kefu.sessions.models import stream_of
from kefu.sessions.service import check_epoch, locked, page_shown, record, refuse_merged


async def show_page(tx: AsyncSession, name: str, identity_epoch: int, card: dict[str, Any] | None) -> None:
    """The visitor looks at another page now. The same one again changes nothing.

    Raises SessionNotFound, IdentityChanged, SessionMerged.
    """
    session = await locked(tx, name)
    check_epoch(session, identity_epoch)
    refuse_merged(session)
    if await page_of(tx, name) != card:
        await record(tx, session, page_shown(card))


async def page_of(tx: AsyncSession, name: str) -> dict[str, Any] | None:
    """What the visitor looks at, as the shop's page says."""
    shown = await read_last(tx, stream_of(name), 1, types=("page.shown",), public_only=False)
    card: dict[str, Any] | None = shown[0].facts["card"] if shown else None
    return card
