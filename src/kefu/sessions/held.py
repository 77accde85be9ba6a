"""What agents have: whom they serve, and who is offered to them."""

from sqlalchemy import Subquery, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from kefu.sessions.models import Session, Stint
from kefu.sessions.states import Status

# Where a person is awaited, or serves.
PEOPLE = (Status.PENDING_MANUAL.value, Status.MANUAL_LIVE.value)


def loads() -> Subquery:
    """For each agent who has any, how many sessions they are `serving`, and how many more are `offered` to them."""
    serving = func.count().filter(Session.status == Status.MANUAL_LIVE.value)
    offered = func.count().filter(Session.status == Status.PENDING_MANUAL.value)
    query = select(Session.agent_id, serving.label("serving"), offered.label("offered"))
    return query.where(Session.agent_id.is_not(None)).group_by(Session.agent_id).subquery()


async def holders(tx: AsyncSession) -> list[str]:
    """The ids of all who have any."""
    had = select(Session.agent_id).where(Session.status.in_(PEOPLE), Session.agent_id.is_not(None)).distinct()
    return [agent_id for agent_id in await tx.scalars(had) if agent_id]


async def lock_held(tx: AsyncSession, agent_id: str, status: Status, limit: int) -> list[Session]:
    """The first of the agent's sessions in that state, locked until the transaction ends."""
    held = select(Session).where(Session.agent_id == agent_id, Session.status == status.value)
    return list(await tx.scalars(held.order_by(Session.name).limit(limit).with_for_update()))


async def last_agent(tx: AsyncSession, visitor_id: str) -> str | None:
    """Who served this visitor last, in whichever session."""
    served = select(Stint.agent_id).join(Session, Session.name == Stint.session)
    served = served.where(Session.visitor_id == visitor_id, Session.visitor_id != "")
    return await tx.scalar(served.order_by(Stint.started_at.desc()).limit(1))
