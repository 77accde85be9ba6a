"""Keeps the requests to hand a session over beside its log, in the transaction of the events they follow from.

A request waits for its answer while others go on: a move that takes the session from its holder ends it.
"""

from collections.abc import Sequence
from typing import Literal

import orjson
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from kefu.bus.telling import tell
from kefu.kit.clock import iso
from kefu.log.log import SYSTEM, Actor, Entry, Fact
from kefu.sessions.models import Session, TransferRequest
from kefu.sessions.states import Status

Outcome = Literal["accepted", "declined", "cancelled", "expired"]
REQUESTED = "transfer.requested"
ENDS = {f"transfer.{outcome}" for outcome in ("accepted", "declined", "cancelled", "expired")}


async def open_request(tx: AsyncSession, name: str) -> TransferRequest | None:
    """The request that waits for its answer, also one whose time is up and that nobody has ended yet."""
    query = select(TransferRequest).where(TransferRequest.session == name, TransferRequest.status == "pending")
    return (await tx.execute(query)).scalar_one_or_none()


def ended(request_id: str, outcome: Outcome, actor: Actor, **facts: object) -> Fact:
    """The fact that the request is over. `note`: what was answered; `reason`: what it expired of."""
    return Fact(f"transfer.{outcome}", actor, {"request_id": request_id, **facts}, audience="internal")


async def overtaken(tx: AsyncSession, session: Session, facts: Sequence[Fact]) -> list[Fact]:
    """The end of the open request when one of the facts takes the session from who holds it; nothing otherwise."""
    moves = [fact.type for fact in facts if fact.payload.get("from") == Status.MANUAL_LIVE]
    if not moves or any(fact.type in ENDS for fact in facts):
        return []
    request = await open_request(tx, session.name)
    if request is None:
        return []
    return [ended(request.id, "expired", SYSTEM, reason=moves[0].removeprefix("session."))]


async def keep_requests(tx: AsyncSession, session: Session, entries: Sequence[Entry]) -> None:
    """Follow the events, and tell those whom the request concerns."""
    for event in entries:
        if event.type == REQUESTED:
            request = _requested(session, event)
            tx.add(request)
        elif event.type in ENDS:
            request = await tx.get_one(TransferRequest, event.facts["request_id"])
            _end(request, event)
        else:
            continue
        await tx.flush()
        for agent_id in {request.to_agent_id, request.from_agent_id, request.requested_by}:
            tell(tx, agent_id, "transfer.changed", **told(request))


def _requested(session: Session, event: Entry) -> TransferRequest:
    facts = event.facts
    return TransferRequest(
        id=facts["request_id"],
        session=session.name,
        requested_by=orjson.loads(event.actor)["id"],
        from_agent_id=facts["from_agent"]["id"],
        from_agent_name=facts["from_agent"]["name"],
        to_agent_id=facts["to_agent"]["id"],
        to_agent_name=facts["to_agent"]["name"],
        reason=facts["reason"],
        note=facts["note"],
        status="pending",
        is_forced=facts["forced"],
        created_at=event.at,
        expires_at=event.at + facts["lasts_seconds"] * 1000,
        response_note="",
    )


def _end(request: TransferRequest, event: Entry) -> None:
    request.status = event.type.removeprefix("transfer.")
    request.responded_at = event.at
    request.response_note = event.facts.get("note", "")
    request.ended_by = event.facts.get("reason")


def told(request: TransferRequest) -> dict[str, object]:
    """What the parties' workbenches hear: enough for a line; the rest they ask for."""
    return {
        "request_id": request.id,
        "session": request.session,
        "status": request.status,
        "forced": request.is_forced,
        "from_agent": {"id": request.from_agent_id, "name": request.from_agent_name},
        "to_agent": {"id": request.to_agent_id, "name": request.to_agent_name},
        "note": request.response_note,
        "ended_by": request.ended_by,
        "expires_at": iso(request.expires_at),
    }
