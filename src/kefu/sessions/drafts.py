"""What agents have written and not sent, each their own: kept here, so that it is there on any device."""

from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from kefu.kit.clock import now_ms
from kefu.sessions.models import Draft

# Two devices may race, and a save may come after a later one: only a higher revision is taken.
SAVE = text(
    "INSERT INTO drafts (session, agent_id, content, revision, at) VALUES (:session, :agent_id, :content, :revision, "
    ":at) ON CONFLICT (session, agent_id) DO UPDATE SET content = excluded.content, revision = excluded.revision, "
    "at = excluded.at WHERE excluded.revision > drafts.revision RETURNING revision"
)
# A draft that was sent is emptied unless its writer went on. The row stays: a save of it that comes late finds it.
EMPTY = text(
    "INSERT INTO drafts (session, agent_id, content, revision, at) VALUES (:session, :agent_id, '', :revision, :at) "
    "ON CONFLICT (session, agent_id) DO UPDATE SET content = '', revision = excluded.revision, at = excluded.at "
    "WHERE excluded.revision >= drafts.revision"
)


@dataclass(frozen=True, slots=True)
class Saved:
    """What stands now. `is_ours`: it is what was to be saved, not a later one. `at`: ms, 0 when there is none."""

    content: str = ""
    revision: int = 0
    at: int = 0
    is_ours: bool = True


async def draft_of(tx: AsyncSession, session: str, agent_id: str) -> Saved:
    """The agent's draft; an empty one of revision 0 when there was never any."""
    row = await tx.get(Draft, (session, agent_id))
    return Saved() if row is None else Saved(row.content, row.revision, row.at)


async def save(tx: AsyncSession, session: str, agent_id: str, content: str, revision: int) -> Saved:
    """Keep the draft unless a later revision, or another text of this one, stands. Safe to repeat."""
    now = now_ms()
    key = {"session": session, "agent_id": agent_id}
    if (await tx.execute(SAVE, {**key, "content": content, "revision": revision, "at": now})).first() is not None:
        return Saved(content, revision, now)
    stands = await draft_of(tx, session, agent_id)
    is_ours = (stands.content, stands.revision) == (content, revision)
    return Saved(stands.content, stands.revision, stands.at, is_ours=is_ours)


async def used(tx: AsyncSession, session: str, agent_id: str, revision: int) -> None:
    """This revision was sent: call it in the transaction that stores the reply. A later draft stays. Safe to repeat."""
    await tx.execute(EMPTY, {"session": session, "agent_id": agent_id, "revision": revision, "at": now_ms()})
