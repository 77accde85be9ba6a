"""Mail over HTTP: what a visitor leaves out of hours, and an agent's answer by mail."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from pydantic import StringConstraints

from kefu.accounts.identity import AgentIdentity, SignedIn, allowed
from kefu.kit.addresses import EmailAddress
from kefu.kit.clock import now_ms
from kefu.kit.web import address_of
from kefu.sessions import after_hours
from kefu.sessions import schemas as shapes
from kefu.sessions.access import member, own_visitor

router = APIRouter(tags=["mail"])

Replier = Annotated[AgentIdentity, Depends(allowed("sessions.reply"))]
Text = Annotated[str, StringConstraints(max_length=shapes.TEXT_LIMIT, pattern=r"^[^\x00]*$")]


class LeaveEmail(shapes.Body):
    email: EmailAddress
    message: Text = ""
    client_msg_id: shapes.ClientMessageId


class MailReply(shapes.Body):
    content: shapes.Content
    client_msg_id: shapes.ClientMessageId


@router.post("/api/sessions/{name}/email")
async def leave_email(
    request: Request, name: shapes.NameInPath, body: LeaveEmail, caller: SignedIn
) -> shapes.SessionData:
    """Out of hours the visitor leaves an address; the team gets one mail. A repeated client_msg_id changes nothing."""
    own_visitor(caller, name)
    state = request.app.state
    await state.limits.take("letter", visitor=name, address=address_of(request))
    letter = after_hours.Letter(body.email, body.message.strip(), body.client_msg_id)
    async with state.db.write() as tx:
        in_shift = await after_hours.is_in_shift(tx, name, state.hours, now_ms())
        session = await after_hours.defer(tx, name, letter, in_shift=in_shift)
    return shapes.SessionData(data=shapes.session_out(session, sees_contacts=True))


@router.post("/api/sessions/{name}/mail-reply")
async def reply_by_mail(
    request: Request, name: shapes.NameInPath, body: MailReply, agent: Replier
) -> shapes.ManualStored:
    """An answer that stands in the conversation and goes to the visitor's address; the log says what became of it."""
    await request.app.state.limits.take("mail_reply", agent=agent.id)
    by = member(agent, "sessions.reply_any")
    async with request.app.state.db.write() as tx:
        stored = await after_hours.reply_by_mail(tx, name, by, body.content, body.client_msg_id)
    data = shapes.StoredData(seq=stored.seq, timestamp=stored.at / 1000, client_msg_id=stored.client_msg_id)
    return shapes.ManualStored(data=data)
