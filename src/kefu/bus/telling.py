"""What one agent's own tabs are told after a commit. It is in no log: after a reload they ask for what holds then."""

import orjson
from sqlalchemy.ext.asyncio import AsyncSession

from kefu.bus.ports import Notice
from kefu.kit.db import announce

DESK = "desk"
# What the agent may do, or whether they may sign in at all: their open streams are looked at again.
ACCOUNT_CHANGED = "account.changed"


def desk_of(agent_id: str) -> str:
    """The stream of what only this agent's own tabs need to know."""
    return f"{DESK}/{agent_id}"


def tell(tx: AsyncSession, agent_id: str, type_: str, **facts: object) -> None:
    """Send `{"type": type_, …facts}` to the agent's open workbenches after the commit; nobody else sees it."""
    data = orjson.dumps({"type": type_, **facts})
    announce(tx, "tell", Notice(desk_of(agent_id), 0, data, public=False, type=type_))
