"""What crosses HTTP about sessions.

Session, Summary and Message keep the older shapes: their times are float Unix seconds.
"""

from typing import Annotated, Any, Literal

import orjson
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, ValidationInfo, field_validator

from kefu.files.service import MOST_IN_MESSAGE
from kefu.kit.clock import now_ms, unix_seconds
from kefu.kit.i18n import Locale
from kefu.kit.web import Done
from kefu.log.log import Entry
from kefu.sessions.contacts import customer_of
from kefu.sessions.models import MailStatus, Role, Session, Severity
from kefu.sessions.priority import TIMEOUT_MS, Level, is_repeat, level_of, words_of
from kefu.sessions.reading import Marks
from kefu.sessions.several import Outcome
from kefu.sessions.states import Status
from kefu.shops.customers import Doubt, Proof
from kefu.shops.invitations import InvitationId
from kefu.shops.look import Introduction
from kefu.shops.pages import CameFrom

NAME = r"^[A-Za-z0-9_.\-]{1,80}$"
TEXT_LIMIT = 5000
MAX_SEQ = 2**53
WITHOUT_NUL = AfterValidator(lambda value: value.replace("\x00", ""))


def _something(value: str) -> str:
    """White space alone is not a message; NUL has no meaning in text and PostgreSQL cannot store it."""
    value = value.replace("\x00", "")
    if not value.strip():
        raise ValueError("blank")
    return value


Name = Annotated[str, StringConstraints(pattern=NAME)]
NameInPath = Name
Content = Annotated[str, StringConstraints(min_length=1, max_length=TEXT_LIMIT), AfterValidator(_something)]
ClientMessageId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.:\-]{1,64}$")]
ShopId = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9\-]{0,39}$")]
FileId = Annotated[str, StringConstraints(pattern=r"^file_[0-9a-f]{32}$")]
Reason = Annotated[str, StringConstraints(max_length=200, pattern=r"^[^\x00]*$")]


class Body(BaseModel):
    """A request. Unknown fields are ignored, so that older callers keep working; identity is never read from here."""

    model_config = ConfigDict(strict=True)


class WithFiles(Body):
    """A message. With `files`, ids of what its sender uploaded for it, `content` may be empty."""

    files: Annotated[list[FileId], Field(max_length=MOST_IN_MESSAGE)] = []
    content: Annotated[str, StringConstraints(max_length=TEXT_LIMIT)]

    @field_validator("content")
    @classmethod
    def _something_is_said(cls, value: str, info: ValidationInfo) -> str:
        return value.replace("\x00", "").strip() if info.data.get("files") else _something(value)


class Card(Body):
    """What the visitor looks at on the shop's page: a product, or an order of theirs. So the page says; unchecked."""

    kind: Literal["product", "order"]
    title: Annotated[str, StringConstraints(min_length=1, max_length=200), WITHOUT_NUL]
    url: Annotated[str, StringConstraints(max_length=1000), WITHOUT_NUL] = ""
    detail: Annotated[str, StringConstraints(max_length=500), WITHOUT_NUL] = ""


class ShowPage(Body):
    card: Card | None = Field(description="null: nothing any more")


class OpenConversation(Body):
    """`identity`: who opens it, where the shop's pages say so. `page`: what they look at.

    `came_from`: for the funnel, only of who agreed to be counted. `introduction`: kept as far as the shop asks for it.
    `invitation`: what the shop said by itself and is answered; ignored where the shop has no such one.
    """

    session_id: Name | None = None
    shop: ShopId | None = None
    locale: Locale | None = None
    identity: Proof | None = None
    page: Card | None = None
    came_from: CameFrom | None = None
    introduction: Introduction | None = None
    invitation: InvitationId | None = None


class ConversationOpened(Done):
    session_name: str
    conversation_id: str
    visitor_token: str
    shop: str
    status: Status
    seq: int


class PostMessage(WithFiles):
    client_msg_id: ClientMessageId


class MessageStored(Done):
    """The message is on the disk. A repeat of `client_msg_id` gets the first one's answer."""

    session_name: str
    seq: int
    client_msg_id: str
    at: str
    status: Status


class Escalate(Body):
    session_name: Name
    reason: Literal["manual", "user_request", "keyword", "fail_loop", "sentiment", "vip", "policy"] = "manual"
    details: Reason = ""


class ManualMessage(WithFiles):
    """`seen_seq`: how far an agent has read. With it a reply is refused when others wrote since, unless `force`.

    `draft_revision`: of the agent's draft that is sent with it, and so is no draft any more. `suggestion_id`: of the
    suggestion that it was made from.
    """

    session_name: Name
    role: Literal["agent", "user"]
    client_msg_id: ClientMessageId | None = None
    seen_seq: Annotated[int, Field(ge=0, le=MAX_SEQ)] | None = None
    force: bool = False
    draft_revision: Annotated[int, Field(ge=1, le=MAX_SEQ)] | None = None
    suggestion_id: Annotated[str, StringConstraints(pattern=r"^sug_[0-9a-f]{20}$")] | None = None


class StoredData(BaseModel):
    seq: int
    timestamp: float
    client_msg_id: str | None


class ManualStored(Done):
    data: StoredData


class WithReason(Body):
    reason: Reason = "resolved"


class UserProfile(BaseModel):
    nickname: str | None
    vip: bool
    language: str


class AgentRef(BaseModel):
    id: str
    name: str


class Escalation(BaseModel):
    reason: str
    details: str
    severity: Severity
    trigger_at: float


class Priority(BaseModel):
    """`wait_time_seconds` runs while a person is awaited; `is_timeout` after five minutes of it.

    `reminded_minutes`: the minutes of waiting of which the team was told last, 0 before.
    """

    level: Level
    is_vip: bool
    wait_time_seconds: float
    is_timeout: bool
    is_repeat: bool
    urgent_keywords: list[str]
    reminded_minutes: int


class CustomerOut(BaseModel):
    """`verified_by`: token, hash, or null for what was only claimed; then `doubt` says why it was not believed.

    A hash vouches for the id alone.
    """

    id: str
    name: str | None
    email: str | None
    phone: str | None
    verified_by: Literal["token", "hash"] | None
    doubt: Doubt | None


class SessionOut(BaseModel):
    """While a person is awaited `assigned_agent` is to whom it is offered, until `assigned_until`.

    `email` is null where there is none, for who may not see contact data, and in what commands answer to agents.
    """

    session_name: str
    shop: str
    status: Status
    epoch: int
    seq: int
    conversation_id: str
    visitor_id: str
    locale: str
    user_profile: UserProfile
    customer: CustomerOut | None
    assigned_agent: AgentRef | None
    assigned_until: float | None
    escalation: Escalation | None
    priority: Priority
    email: str | None
    mail_status: MailStatus | None
    message_count: int
    visitor_message_count: int
    ai_fail_count: int
    tags: list[str]
    rating: int | None
    created_at: float
    updated_at: float
    manual_start_at: float | None
    last_manual_end_at: float | None


class FileOut(BaseModel):
    """A file of a message; its content is at `/api/files/{id}`. `width`, `height`: of a picture, in pixels."""

    id: str
    name: str
    media_type: str
    size: int
    width: int | None = None
    height: int | None = None


class Message(BaseModel):
    seq: int
    role: Role
    content: str
    timestamp: float
    client_msg_id: str | None
    agent_id: str | None
    agent_name: str | None
    sources: list[dict[str, Any]]
    files: list[FileOut]


class ReadMarks(BaseModel):
    """The seq up to which the visitor, and the agent who is furthest, have read; 0: nothing."""

    visitor: int
    agents: int


class SessionWithHistory(SessionOut):
    """`unread`: messages of the other side that the caller has not read."""

    history: list[Message]
    unread: int
    read_marks: ReadMarks


class OneSession(BaseModel):
    session: SessionWithHistory
    audit_trail: list[dict[str, Any]] = Field(description="Moves between states, as events; empty for a visitor")


class SessionData(Done):
    data: SessionOut


class EscalatedData(SessionData):
    """Out of hours (`is_in_shift` false) nothing changed: offer the visitor to leave an e-mail address."""

    email_sent: bool
    is_in_shift: bool


class OneSessionData(Done):
    data: OneSession


class Several(Body):
    session_names: Annotated[list[Name], Field(min_length=1, max_length=100)]


class OutcomeData(Done):
    data: Outcome


def seconds(at: int) -> float:
    return at / 1000


def priority_of(session: Session, now: int) -> Priority:
    waits = session.status == Status.PENDING_MANUAL and session.escalated_at is not None
    waited = max(0, now - (session.escalated_at or now)) if waits else 0
    otherwise: Level = "urgent" if session.is_vip else "normal"
    return Priority(
        level=level_of(session, now) if waits else otherwise,
        is_vip=session.is_vip,
        wait_time_seconds=waited / 1000,
        is_timeout=waited > TIMEOUT_MS,
        is_repeat=is_repeat(session),
        urgent_keywords=words_of(session.urgent_words),
        reminded_minutes=session.reminded if waits else 0,
    )


def profile_of(session: Session) -> UserProfile:
    return UserProfile(nickname=session.nickname, vip=session.is_vip, language=session.locale)


def agent_of(session: Session) -> AgentRef | None:
    return AgentRef(id=session.agent_id, name=session.agent_name or "") if session.agent_id else None


def session_out(session: Session, *, sees_all: bool = True, sees_contacts: bool = False) -> SessionOut:
    """`sees_all`: not for a visitor, from whom what the team notes is kept."""
    return SessionOut(**_session_fields(session, sees_all=sees_all, sees_contacts=sees_contacts))


def session_with_history(
    session: Session, history: list[Entry], marks: Marks, unread: int, *, sees_all: bool, sees_contacts: bool
) -> SessionWithHistory:
    return SessionWithHistory(
        **_session_fields(session, sees_all=sees_all, sees_contacts=sees_contacts),
        history=[message_out(one) for one in history],
        unread=unread,
        read_marks=ReadMarks(visitor=marks.visitor, agents=marks.agents),
    )


def _session_fields(session: Session, *, sees_all: bool, sees_contacts: bool) -> dict[str, Any]:
    escalation = None
    if session.escalated_at is not None:
        escalation = Escalation(
            reason=session.escalation_reason or "",
            details=session.escalation_details or "",
            severity=session.escalation_severity or "low",
            trigger_at=seconds(session.escalated_at),
        )
    return {
        "session_name": session.name,
        "shop": session.shop,
        "status": Status(session.status),
        "epoch": session.epoch,
        "seq": session.seq,
        "conversation_id": session.conversation_id,
        "visitor_id": session.visitor_id,
        "locale": session.locale,
        "user_profile": profile_of(session),
        "customer": customer_of(session, sees_contacts=sees_contacts),
        "email": session.email if sees_contacts else None,
        "assigned_agent": agent_of(session),
        "assigned_until": unix_seconds(session.assigned_until),
        "escalation": escalation,
        "priority": priority_of(session, now_ms()),
        "mail_status": session.mail_status,
        "message_count": session.message_count,
        "visitor_message_count": session.visitor_message_count,
        "ai_fail_count": session.ai_fail_count,
        "tags": session.tags if sees_all else [],
        "rating": session.rating,
        "created_at": seconds(session.created_at),
        "updated_at": seconds(session.updated_at),
        "manual_start_at": unix_seconds(session.manual_started_at),
        "last_manual_end_at": unix_seconds(session.manual_ended_at),
    }


def message_out(one: Entry) -> Message:
    facts = one.facts
    actor = orjson.loads(one.actor)
    is_agent = actor["kind"] == "agent"
    return Message(
        seq=one.seq,
        role=facts["role"],
        content=facts["content"],
        timestamp=seconds(one.at),
        client_msg_id=one.client_msg_id,
        agent_id=actor.get("id") if is_agent else None,
        agent_name=actor.get("name") if is_agent else None,
        sources=facts.get("sources", []),
        files=[FileOut(**one) for one in facts.get("files", [])],
    )
