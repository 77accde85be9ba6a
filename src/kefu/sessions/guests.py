"""Letting an agent look into a session that somebody else holds: they are to take it, to help, or were mentioned."""

from datetime import timedelta

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from kefu.kit.clock import now_ms

STAY = timedelta(days=1)
LET_IN = text(
    "INSERT INTO session_guests (session, agent_id, reason, until) VALUES (:session, :agent_id, :reason, :until) "
    "ON CONFLICT (session, agent_id) DO UPDATE SET reason = excluded.reason, until = excluded.until "
    "WHERE excluded.until > session_guests.until"
)


async def let_in(tx: AsyncSession, name: str, agent_id: str, reason: str, stay: timedelta = STAY) -> None:
    """The agent may read the session for so long, whoever holds it; the event that lets them in shows it on their desk.

    `reason`: a word of at most 20 characters (transfer, assist, mention). A repeat never makes the stay shorter.
    """
    until = now_ms() + int(stay.total_seconds() * 1000)
    await tx.execute(LET_IN, {"session": name, "agent_id": agent_id, "reason": reason, "until": until})
