"""Asking a colleague over HTTP."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Request

from kefu.accounts.identity import AgentIdentity, allowed
from kefu.collaboration import assists
from kefu.collaboration import schemas as shapes
from kefu.sessions.access import member, reader_of
from kefu.sessions.visibility import check_seen

router = APIRouter(tags=["collaboration"])

AssistId = Annotated[str, Path(pattern=r"^[A-Za-z0-9_]{1,40}$")]
Annotator = Annotated[AgentIdentity, Depends(allowed("sessions.annotate"))]


@router.post("/api/assist-requests")
async def ask_colleague(request: Request, body: shapes.AskAssist, agent: Annotator) -> shapes.AssistData:
    """Ask a colleague about a session without giving it away."""
    await request.app.state.limits.take("assist", agent=agent.id)
    question = assists.Question(body.session_name, body.assistant, body.question, body.client_msg_id)
    async with request.app.state.db.write() as tx:
        await check_seen(tx, reader_of(agent), body.session_name)
        asked = await assists.ask(tx, member(agent, "sessions.reply_any"), agent.username, question)
    return shapes.AssistData(data=shapes.AssistOut.of(asked))


@router.get("/api/assist-requests")
async def list_assists(
    request: Request, agent: Annotator, query: Annotated[shapes.AssistQuery, Query()]
) -> shapes.AssistsData:
    """What the caller is asked and has asked; `assist.changed` on the desk's stream says when that changes."""
    async with request.app.state.db.read() as tx:
        found = await assists.assists_of(tx, agent.id, query.status)
    return shapes.AssistsData(data=shapes.AssistLists.of(found))


@router.post("/api/assist-requests/{assist_id}/answer")
async def answer_colleague(
    request: Request, assist_id: AssistId, body: shapes.AnswerAssist, agent: Annotator
) -> shapes.AssistData:
    """Who was asked, once."""
    async with request.app.state.db.write() as tx:
        answered = await assists.answer(tx, assist_id, member(agent, "sessions.reply_any"), body.answer)
    return shapes.AssistData(data=shapes.AssistOut.of(answered))
