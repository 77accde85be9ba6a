"""What the list of sessions and the desk show of each: a summary. Times are float Unix seconds, as in `schemas`."""

from typing import Annotated, Literal

from pydantic import BaseModel, Field, StringConstraints

from kefu.kit.clock import now_ms
from kefu.sessions.models import Role, Session
from kefu.sessions.schemas import AgentRef, Priority, UserProfile, agent_of, priority_of, profile_of, seconds
from kefu.sessions.states import Status

PREVIEW = 50


class ListQuery(BaseModel):
    """`agent`: all, mine, unassigned, or an agent's id. `tag`: only sessions that carry it."""

    status: Literal["all", "bot_active", "pending_manual", "manual_live", "after_hours_email", "closed"] = "all"
    agent: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_\-]{1,60}$")] = "all"
    tag: Annotated[str, StringConstraints(pattern=r"^[a-z0-9_]{0,40}$")] = ""
    keyword: Annotated[str, StringConstraints(max_length=100, pattern=r"^[^\x00]*$")] = ""
    sort: Literal["default", "newest", "oldest", "waitTime"] = "default"
    cursor: Annotated[str, StringConstraints(max_length=400)] = ""
    limit: Annotated[int, Field(ge=1, le=100)] = 50


class Preview(BaseModel):
    role: Role
    content: str
    timestamp: float


class Waiting(BaseModel):
    reason: str
    trigger_at: float
    waiting_seconds: float


class Summary(BaseModel):
    """`tags`: ids, in the order they were added. `rating`: the visitor's last one."""

    session_name: str
    shop: str
    status: Status
    seq: int
    epoch: int
    locale: str
    user_profile: UserProfile
    priority: Priority
    last_message_preview: Preview | None
    escalation: Waiting | None
    assigned_agent: AgentRef | None
    message_count: int
    visitor_message_count: int
    tags: list[str]
    rating: int | None
    created_at: float
    updated_at: float


class ListedSession(Summary):
    """`unread`: messages of the visitor that the caller has not read."""

    unread: int


class SessionList(BaseModel):
    sessions: list[ListedSession]
    total: int
    counts: dict[Status, int]
    next_cursor: str | None
    has_more: bool
    limit: int


class SessionListData(BaseModel):
    success: Literal[True] = True
    data: SessionList


class SessionStats(BaseModel):
    """`waiting` for a person; `oldest_wait_seconds` is null when nobody waits."""

    counts: dict[Status, int]
    total: int
    waiting: int
    oldest_wait_seconds: float | None


class SessionStatsData(BaseModel):
    success: Literal[True] = True
    data: SessionStats


def summary_of(session: Session) -> Summary:
    now = now_ms()
    preview = waiting = None
    if session.last_message_at is not None and session.last_role is not None:
        text = session.last_text or ""
        shown = text if len(text) <= PREVIEW else text[: PREVIEW - 1] + "…"
        preview = Preview(role=session.last_role, content=shown, timestamp=seconds(session.last_message_at))
    if session.escalated_at is not None:
        priority = priority_of(session, now)
        waiting = Waiting(
            reason=session.escalation_reason or "",
            trigger_at=seconds(session.escalated_at),
            waiting_seconds=priority.wait_time_seconds,
        )
    return Summary(
        session_name=session.name,
        shop=session.shop,
        status=Status(session.status),
        seq=session.seq,
        epoch=session.epoch,
        locale=session.locale,
        user_profile=profile_of(session),
        priority=priority_of(session, now),
        last_message_preview=preview,
        escalation=waiting,
        assigned_agent=agent_of(session),
        message_count=session.message_count,
        visitor_message_count=session.visitor_message_count,
        tags=session.tags,
        rating=session.rating,
        created_at=seconds(session.created_at),
        updated_at=seconds(session.updated_at),
    )


def listed(session: Session, unread: int) -> ListedSession:
    return ListedSession(**dict(summary_of(session)), unread=unread)
