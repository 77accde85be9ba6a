"""Agents who hand sessions to each other, over HTTP."""

from typing import Any

import httpx2
from sqlalchemy import select, update

from actors import Agent, Stage, Visitor, data_of
from kefu.accounts.models import Agent as Row
from kefu.accounts.permissions import Role
from kefu.kit.clock import now_ms
from kefu.kit.db import Database
from kefu.sessions.models import TransferRequest


async def on_duty(db: Database, agent: Agent, **columns: object) -> None:
    """At the desk and ready, from now on."""
    async with db.write() as tx:
        values = {"status": "online", "last_seen_at": now_ms(), **columns}
        await tx.execute(update(Row).where(Row.id == agent.id).values(values))


async def hired(db: Database, stage: Stage, username: str, role: Role = "agent", **columns: object) -> Agent:
    agent = await stage.agent(username, role)
    await on_duty(db, agent, **columns)
    return agent


async def asks(agent: Agent, visitor: Visitor, to: Agent, **facts: object) -> httpx2.Response:
    body = {"to_agent_id": to.id, "reason": "skill", **facts}
    return await agent.post(f"/api/sessions/{visitor.name}/transfer", body)


async def asked(agent: Agent, visitor: Visitor, to: Agent, **facts: object) -> str:
    """The id of the request."""
    request_id: str = data_of(await asks(agent, visitor, to, **facts))["id"]
    return request_id


async def answers(agent: Agent, request_id: str, action: str, note: str = "") -> httpx2.Response:
    return await agent.post(f"/api/transfer-requests/{request_id}/respond", {"action": action, "response_note": note})


async def pending(agent: Agent) -> tuple[list[str], list[str]]:
    """The ids of what the agent is asked, and of what they asked."""
    body = (await agent.get("/api/transfer-requests/pending")).json()
    assert body["total"] == len(body["data"])
    return [one["id"] for one in body["data"]], [one["id"] for one in body["sent"]]


async def history(agent: Agent, visitor: Visitor) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = data_of(await agent.get(f"/api/sessions/{visitor.name}/transfer-history"))
    return found


async def rows(db: Database, visitor: Visitor) -> list[TransferRequest]:
    async with db.read() as tx:
        query = select(TransferRequest).where(TransferRequest.session == visitor.name)
        return list(await tx.scalars(query.order_by(TransferRequest.created_at)))
