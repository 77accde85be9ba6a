"""Transfers over HTTP."""

from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Request

from kefu.accounts.identity import AgentIdentity, allowed
from kefu.sessions.access import in_sight, member
from kefu.sessions.queries import find
from kefu.sessions.schemas import NameInPath, session_out
from kefu.sessions.service import SessionNotFound
from kefu.transfers import queries, service
from kefu.transfers import schemas as shapes

router = APIRouter(tags=["transfers"], dependencies=[Depends(in_sight)])

RequestId = Annotated[str, Path(pattern=r"^[A-Za-z0-9_]{1,40}$")]
Holder = Annotated[AgentIdentity, Depends(allowed("sessions.transfer"))]
Taker = Annotated[AgentIdentity, Depends(allowed("sessions.takeover"))]
Reader = Annotated[AgentIdentity, Depends(allowed("sessions.read"))]


@router.post("/api/sessions/{name}/transfer")
async def transfer(request: Request, name: NameInPath, body: shapes.AskTransfer, agent: Holder) -> shapes.TransferData:
    """Ask a colleague to take the session over, or, with `force`, hand it to them at once."""
    if not body.reason:
        raise service.ReasonRequired(fields=[])
    state = request.app.state
    await state.limits.take("transfer", agent=agent.id)
    lasts = timedelta(seconds=state.settings.transfer_expire_seconds)
    wish = service.Wish(body.to_agent_id, body.reason, body.note, lasts, body.force, body.epoch)
    async with state.db.write() as tx:
        asked = await service.request_transfer(tx, name, member(agent, "sessions.transfer_any"), wish)
    return shapes.TransferData(data=shapes.TransferOut.of(asked))


@router.get("/api/transfer-requests/pending")
async def pending_transfers(request: Request, agent: Reader) -> shapes.PendingData:
    """What waits for an answer, of the caller or of a colleague; `transfer.changed` on the desk's stream says when."""
    async with request.app.state.db.read() as tx:
        received, sent = await queries.pending(tx, agent.id)
    data = [shapes.TransferOut.of(one) for one in received]
    return shapes.PendingData(data=data, total=len(data), sent=[shapes.TransferOut.of(one) for one in sent])


@router.post("/api/transfer-requests/{request_id}/respond")
async def respond_to_transfer(
    request: Request, request_id: RequestId, body: shapes.Respond, agent: Taker
) -> shapes.RespondedData:
    """Accept or decline what one is asked. The same answer may be repeated."""
    answer: service.Answer = "accepted" if body.action == "accept" else "declined"
    me = member(agent, "sessions.transfer_any")
    async with request.app.state.db.write() as tx:
        session = await service.respond(tx, request_id, me, answer, body.response_note)
    return shapes.RespondedData(data=session_out(session))


@router.post("/api/transfer-requests/{request_id}/cancel")
async def cancel_transfer(request: Request, request_id: RequestId, agent: Holder) -> shapes.TransferData:
    """Take the request back."""
    async with request.app.state.db.write() as tx:
        cancelled = await service.cancel(tx, request_id, member(agent, "sessions.transfer_any"))
    return shapes.TransferData(data=shapes.TransferOut.of(cancelled))


@router.get("/api/sessions/{name}/transfer-history")
async def transfer_history(request: Request, name: NameInPath, _: Reader) -> shapes.HistoryData:
    async with request.app.state.db.read() as tx:
        if await find(tx, name) is None:
            raise SessionNotFound(session_name=name)
        found, total = await queries.history(tx, name)
    return shapes.HistoryData(data=[shapes.TransferRecord.of(one) for one in found], total=total)
