"""What crosses HTTP about histories. New shapes: times are ISO 8601."""

from datetime import UTC, tzinfo
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, Field, StringConstraints

from kefu.histories.transcripts import Format
from kefu.kit.clock import iso
from kefu.kit.i18n import Locale
from kefu.kit.web import Done
from kefu.log.log import Entry
from kefu.sessions.models import Role, Session
from kefu.sessions.schemas import MAX_SEQ, AgentRef, Body, Name, SessionOut, agent_of
from kefu.sessions.states import Status

Cursor = Annotated[str, StringConstraints(max_length=400)]
Limit = Annotated[int, Field(ge=1, le=100)]


def zone(name: str) -> tzinfo:
    """Raises ValueError for a time zone that this machine does not know."""
    try:
        return UTC if name == "UTC" else ZoneInfo(name)
    except (KeyError, OSError):
        raise ValueError("unknown time zone") from None


def _known_zone(name: str) -> str:
    zone(name)
    return name


Zone = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_+\-/]{1,64}$"), AfterValidator(_known_zone)]


class PageQuery(BaseModel):
    cursor: Cursor = ""
    limit: Limit = 20


class MessagesQuery(BaseModel):
    """`after`: the `next_cursor` of the page before. `others`: only what merges and splits brought."""

    after: Cursor = ""
    limit: Limit = 100
    others: bool = False


class TranscriptQuery(BaseModel):
    """`tz`: the time zone of the times in text and PDF. JSON has its times in UTC."""

    format: Format = "txt"
    locale: Locale | None = None
    tz: Zone = "UTC"
    include: Literal["internal"] | None = None


class LastWords(BaseModel):
    role: Role
    content: str
    at: str


class PastSession(BaseModel):
    """`rating`: the last one that the visitor gave, 1 to 5. `merged_into`: the session in which this one goes on."""

    session_name: str
    shop: str
    status: Status
    created_at: str
    updated_at: str
    last_message: LastWords | None
    agent: AgentRef | None
    rating: int | None
    merged_into: str | None


class PastSessions(BaseModel):
    sessions: list[PastSession]
    next_cursor: str | None


class PastSessionsData(Done):
    data: PastSessions


class SaidMessages(BaseModel):
    messages: list[dict[str, Any]] = Field(description="Events `message.posted`, each with its `session_name`")
    next_cursor: str | None


class SaidMessagesData(Done):
    data: SaidMessages


class MergeInto(Body):
    into: Name


class SplitFrom(Body):
    from_seq: Annotated[int, Field(ge=1, le=MAX_SEQ)]


class JoinedData(Done):
    """The session in which it goes on."""

    data: SessionOut


def past(session: Session, rating: int | None) -> PastSession:
    last = None
    if session.last_role is not None and session.last_message_at is not None:
        last = LastWords(role=session.last_role, content=session.last_text or "", at=iso(session.last_message_at))
    return PastSession(
        session_name=session.name,
        shop=session.shop,
        status=Status(session.status),
        created_at=iso(session.created_at),
        updated_at=iso(session.updated_at),
        last_message=last,
        agent=agent_of(session),
        rating=rating,
        merged_into=session.merged_into,
    )


def said(name: str, entry: Entry) -> dict[str, Any]:
    return {"session_name": name, **entry.shown}
