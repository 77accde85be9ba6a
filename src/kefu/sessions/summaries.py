"""What the list of sessions and the desk show of each: a summary. Times are float Unix seconds, as in `schemas`."""

from typing import Annotated, Literal

import orjson
from pydantic import BaseModel, BeforeValidator, Field, StringConstraints

from kefu.files.service import in_words
from kefu.kit.clock import iso, now_ms, unix_seconds
from kefu.sessions.listing import ALL, WAITING, CustomerType, Narrow, Sort
from kefu.sessions.models import MailStatus, Role, Session
from kefu.sessions.schemas import AgentRef, Priority, UserProfile, agent_of, priority_of, profile_of, seconds
from kefu.sessions.search import Hit, Wanted, excerpt
from kefu.sessions.states import Status

PREVIEW = 50


StatusIn = Literal["all", "bot_active", "pending_manual", "manual_live", "after_hours_email", "closed"]
# Float Unix seconds; up to the year 9999.
Time = Annotated[float, Field(ge=0, le=253_402_300_799, allow_inf_nan=False)]


def _parted(given: object) -> object:
    """`a,b` is the same as `a` and `b`."""
    if isinstance(given, str):
        given = [given]
    if not isinstance(given, list):
        return given
    return [part for one in given for part in (one.split(",") if isinstance(one, str) else [one])]


class SessionFilter(BaseModel):
    """`status`: several are allowed, with commas or repeated. `agent`: all, mine, unassigned, or an agent's id.

    `time_start`, `time_end`: when the session began, Unix seconds, inclusive. `customer_type`: `old` had an earlier
    session, `new` had none.
    """

    status: Annotated[list[StatusIn], BeforeValidator(_parted), Field(max_length=6)] = ["all"]
    agent: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_\-]{1,60}$")] = "all"
    customer_type: CustomerType = "all"
    shop: Annotated[str, StringConstraints(pattern=r"^([a-z0-9][a-z0-9\-]{0,39})?$")] = ""
    tag: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_\-]{0,60}$")] = ""
    time_start: Time | None = None
    time_end: Time | None = None

    @property
    def narrow(self) -> Narrow:
        statuses = ALL if "all" in self.status else frozenset(Status(one) for one in self.status)
        if self.agent == "unassigned":
            statuses &= WAITING
        since, until = (None if at is None else int(at * 1000) for at in (self.time_start, self.time_end))
        return Narrow(statuses, self.agent, self.customer_type, self.shop, since, until, self.tag)


class ListQuery(SessionFilter):
    """`keyword`: whole words of any message, or part of the names and last words of the newest sessions."""

    keyword: Annotated[str, StringConstraints(max_length=100, pattern=r"^[^\x00]*$")] = ""
    sort: Sort = "default"
    cursor: Annotated[str, StringConstraints(max_length=400)] = ""
    limit: Annotated[int, Field(ge=1, le=100)] = 50


class SearchQuery(SessionFilter):
    """`q`: words that must all be in the message; `session`: in which alone.

    `time_start`, `time_end`: when it was written.
    """

    q: Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[^\x00]*$")]
    session: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.\-]{0,80}$")] = ""
    cursor: Annotated[str, StringConstraints(max_length=400)] = ""
    limit: Annotated[int, Field(ge=1, le=50)] = 20


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
    mail_status: MailStatus | None
    assigned_until: float | None
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
    """Counting stops at 1000: a `total`, or one of the `counts` by status, of 1000 stands for that many or more.

    So with `mine`, those that the caller serves, and `unassigned`, those that wait and were offered to nobody.
    """

    sessions: list[ListedSession]
    total: int
    counts: dict[Status, int]
    mine: int
    unassigned: int
    next_cursor: str | None
    has_more: bool
    limit: int


class SessionListData(BaseModel):
    success: Literal[True] = True
    data: SessionList


class Piece(BaseModel):
    text: str
    is_hit: bool


class SearchHit(BaseModel):
    """A message, or a note of the team (`audience` internal), with the part of its text that was looked for."""

    session_name: str
    seq: int
    at: str
    type: str
    audience: str
    role: str | None
    author: str | None
    excerpt: list[Piece]
    session_status: Status
    shop: str
    user_profile: UserProfile


class SearchPage(BaseModel):
    """Newest first."""

    hits: list[SearchHit]
    next_cursor: str | None
    has_more: bool


class SearchData(BaseModel):
    success: Literal[True] = True
    data: SearchPage


def cut(text: str) -> str:
    return text if len(text) <= PREVIEW else text[: PREVIEW - 1] + "…"


def summary_of(session: Session) -> Summary:
    now = now_ms()
    preview = waiting = None
    if session.last_message_at is not None and session.last_role is not None:
        shown = cut(session.last_text or "")
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
        mail_status=session.mail_status,
        assigned_until=unix_seconds(session.assigned_until),
        message_count=session.message_count,
        visitor_message_count=session.visitor_message_count,
        tags=session.tags,
        rating=session.rating,
        created_at=seconds(session.created_at),
        updated_at=seconds(session.updated_at),
    )


def listed(session: Session, unread: int) -> ListedSession:
    return ListedSession(**dict(summary_of(session)), unread=unread)


def hit_out(hit: Hit, wanted: Wanted) -> SearchHit:
    facts, actor = hit.entry.facts, orjson.loads(hit.entry.actor)
    return SearchHit(
        session_name=hit.session.name,
        seq=hit.entry.seq,
        at=iso(hit.entry.at),
        type=hit.entry.type,
        audience=hit.entry.audience,
        role=facts.get("role"),
        author=actor.get("name"),
        excerpt=[Piece(text=text, is_hit=is_hit) for text, is_hit in excerpt(in_words(facts), wanted)],
        session_status=Status(hit.session.status),
        shop=hit.session.shop,
        user_profile=profile_of(hit.session),
    )
