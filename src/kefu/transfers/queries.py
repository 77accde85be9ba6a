"""Questions about transfers."""

from sqlalchemy import func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from kefu.kit.clock import now_ms
from kefu.sessions.models import TransferRequest

HISTORY = 100


async def pending(tx: AsyncSession, agent_id: str) -> tuple[list[TransferRequest], list[TransferRequest]]:
    """What the agent is asked, and what was asked by them or for a session of theirs; the newest first."""
    is_open = (TransferRequest.status == "pending", TransferRequest.expires_at > now_ms())
    is_sent = or_(TransferRequest.requested_by == agent_id, TransferRequest.from_agent_id == agent_id)
    query = select(TransferRequest).where(*is_open, or_(TransferRequest.to_agent_id == agent_id, is_sent))
    found = list(await tx.scalars(query.order_by(TransferRequest.created_at.desc(), TransferRequest.id)))
    received = [one for one in found if one.to_agent_id == agent_id]
    return received, [one for one in found if one.to_agent_id != agent_id]


async def history(tx: AsyncSession, name: str) -> tuple[list[TransferRequest], int]:
    """The newest requests of the session, the newest first, and how many there are."""
    of_session = TransferRequest.session == name
    query = select(TransferRequest).where(of_session)
    rows = await tx.scalars(query.order_by(TransferRequest.created_at.desc(), TransferRequest.id).limit(HISTORY))
    total: int = (await tx.execute(select(func.count()).select_from(TransferRequest).where(of_session))).scalar_one()
    return list(rows), total
