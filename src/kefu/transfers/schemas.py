"""What crosses HTTP about transfers. Times are float Unix seconds, as in the other shapes of sessions."""

from typing import Annotated, Literal

from pydantic import BaseModel, Field, StringConstraints

from kefu.kit.clock import unix_seconds
from kefu.kit.web import Done
from kefu.sessions.models import TransferRequest
from kefu.sessions.schemas import Body, SessionOut

Line = Annotated[str, StringConstraints(strip_whitespace=True, max_length=200, pattern=r"^[^\x00]*$")]
NoteText = Annotated[str, StringConstraints(strip_whitespace=True, max_length=1000, pattern=r"^[^\x00]*$")]
Id = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_\-]{1,60}$")]
Status = Literal["pending", "accepted", "declined", "cancelled", "expired"]


class AskTransfer(Body):
    """`reason`: skill, language, workload, customer, other, or words of one's own. `force`: leads only.

    `epoch`: of the session as the caller saw it; with it nothing happens to one that has moved on.
    """

    to_agent_id: Id
    reason: Line = ""
    note: NoteText = ""
    force: bool = False
    epoch: Annotated[int, Field(ge=0, le=2**31 - 1)] | None = None


class Respond(Body):
    action: Literal["accept", "decline"]
    response_note: NoteText = ""


class TransferOut(BaseModel):
    """`ended_by`: what an expired one ended of, `timeout` or the move that overtook it (released, closed, …)."""

    id: str
    session_name: str
    requested_by: str
    from_agent_id: str
    from_agent_name: str
    to_agent_id: str
    to_agent_name: str
    reason: str
    note: str
    status: Status
    forced: bool
    created_at: float
    expires_at: float
    responded_at: float | None
    response_note: str
    ended_by: str | None

    @classmethod
    def of(cls, request: TransferRequest) -> "TransferOut":
        return cls.model_validate(_fields(request))


class TransferRecord(BaseModel):
    """`transferred_at`: when it was asked for."""

    id: str
    session_name: str
    from_agent: str
    from_agent_name: str
    to_agent: str
    to_agent_name: str
    reason: str
    note: str
    transferred_at: float
    accepted: bool
    decision: Status
    forced: bool
    responded_at: float | None
    response_note: str
    ended_by: str | None

    @classmethod
    def of(cls, request: TransferRequest) -> "TransferRecord":
        fields = _fields(request)
        renamed = {
            "from_agent": request.from_agent_id,
            "to_agent": request.to_agent_id,
            "transferred_at": fields["created_at"],
            "accepted": request.status == "accepted",
            "decision": request.status,
        }
        return cls.model_validate(fields | renamed)


def _fields(request: TransferRequest) -> dict[str, object]:
    columns = {column.name: getattr(request, column.name) for column in TransferRequest.__table__.columns}
    times = {name: unix_seconds(columns[name]) for name in ("created_at", "expires_at", "responded_at")}
    return {**columns, **times, "session_name": request.session, "forced": request.is_forced}


class TransferData(Done):
    data: TransferOut


class RespondedData(Done):
    data: SessionOut


class PendingData(Done):
    """`data`: what the caller is asked; `sent`: what was asked by them, or by a lead for a session of theirs."""

    data: list[TransferOut]
    total: int
    sent: list[TransferOut]


class HistoryData(Done):
    data: list[TransferRecord]
    total: int = Field(description="All of them; `data` has the newest 100")
