"""What one agent's own tabs are told after a commit. It is in no log: after a reload they ask for what holds then.

It is written with the change it tells of and kept for a minute, for the processes that no bus reaches.
"""

import orjson
from sqlalchemy import delete
from sqlalchemy.ext.asyncio import AsyncSession

from kefu.bus.models import Telling
from kefu.bus.ports import Notice
from kefu.kit.clock import now_ms
from kefu.kit.db import Database, announce
from kefu.kit.ids import new_id

DESK = "desk"
KEPT_MS = 60_000
LIMIT = 5_000
TOLD = "SELECT id, agent_id, type, data FROM tellings WHERE at >= $1 AND at <= $2 ORDER BY at, id LIMIT $3"


def desk_of(agent_id: str) -> str:
    """The stream of what only this agent's own tabs need to know."""
    return f"{DESK}/{agent_id}"


def tell(tx: AsyncSession, agent_id: str, type_: str, **facts: object) -> None:
    """Send `{"type": type_, "id": …, …facts}` to the agent's open workbenches after the commit; nobody else sees it."""
    id_ = new_id("told")
    data = orjson.dumps({"type": type_, "id": id_, **facts})
    tx.add(Telling(id=id_, agent_id=agent_id, type=type_, data=data.decode(), at=now_ms()))
    announce(tx, "tell", _notice(agent_id, type_, data))


async def told(db: Database, since: int, until: int) -> dict[str, Notice]:
    """What was told in that time (ms, both included), by its id, oldest first. Raises Busy."""
    rows = await db.fetch(TOLD, since, until, LIMIT)
    return {id_: _notice(agent_id, type_, data.encode()) for id_, agent_id, type_, data in rows}


async def forget_told(tx: AsyncSession) -> None:
    """Who was to be told of it has been."""
    await tx.execute(delete(Telling).where(Telling.at < now_ms() - KEPT_MS))


def _notice(agent_id: str, type_: str, data: bytes) -> Notice:
    return Notice(desk_of(agent_id), 0, data, public=False, type=type_)
