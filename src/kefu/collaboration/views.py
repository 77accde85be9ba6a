"""Saved views: what an agent looks at in the list of sessions, under names of their own."""

from typing import ClassVar

from sqlalchemy import delete, func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession

from kefu.collaboration.models import SavedView
from kefu.kit.clock import now_ms
from kefu.kit.db import is_sqlite
from kefu.kit.errors import Conflict
from kefu.kit.i18n import Text
from kefu.kit.ids import new_id

PER_AGENT = 30


class TooManyViews(Conflict):
    """`most`: how many there may be."""

    code = "TOO_MANY_VIEWS"
    text: ClassVar[Text] = {"en": "There may be at most {most} saved views.", "zh": "保存的视图最多 {most} 个。"}


async def views_of(tx: AsyncSession, agent_id: str) -> list[SavedView]:
    """By name."""
    query = select(SavedView).where(SavedView.agent_id == agent_id).order_by(SavedView.name, SavedView.id)
    return list(await tx.scalars(query))


async def save_view(tx: AsyncSession, agent_id: str, name: str, shown: dict[str, str]) -> list[SavedView]:
    """Keep it; one of the same name is replaced. Safe to repeat. Returns all there are. Raises TooManyViews."""
    insert = sqlite.insert(SavedView) if is_sqlite(tx) else postgresql.insert(SavedView)
    row = {"id": new_id("view"), "agent_id": agent_id, "name": name, "shown": shown, "saved_at": now_ms()}
    kept = insert.values(row).on_conflict_do_update(
        index_elements=("agent_id", "name"), set_={"shown": insert.excluded.shown, "saved_at": insert.excluded.saved_at}
    )
    await tx.execute(kept)
    count = select(func.count()).select_from(SavedView).where(SavedView.agent_id == agent_id)
    if (await tx.execute(count)).scalar_one() > PER_AGENT:
        raise TooManyViews(most=PER_AGENT)
    return await views_of(tx, agent_id)


async def drop_view(tx: AsyncSession, agent_id: str, view_id: str) -> list[SavedView]:
    """Let the agent's own go. Safe to repeat. Returns what is left."""
    await tx.execute(delete(SavedView).where(SavedView.agent_id == agent_id, SavedView.id == view_id))
    return await views_of(tx, agent_id)
