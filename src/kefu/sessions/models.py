"""The tables of sessions and of what is kept beside them: episodes, stints, tags, drafts, how far each has read."""

from typing import Any, Literal

from sqlalchemy import JSON, BigInteger, Boolean, Index, Integer, String, Text, text
from sqlalchemy.dialects.postgresql import TSVECTOR
from sqlalchemy.orm import Mapped, mapped_column

from kefu.kit.db import Big, Table
from kefu.kit.i18n import Locale
from kefu.kit.sealed import SealedFields, SealedText
from kefu.log.private import OF_CUSTOMER
from kefu.sessions.states import Status

Role = Literal["user", "assistant", "agent", "system"]
Severity = Literal["low", "medium", "high"]
MailStatus = Literal["sending", "sent", "failed"]


def stream_of(name: str) -> str:
    """The session's stream in the log."""
    return f"session/{name}"


class Session(Table):
    """A session as it stands now: the fold of its events (`fold.py`), nothing else.

    `epoch` fences what was begun before a takeover, transfer, release or close. `last_visitor_seq` and `answered_seq`
    are the newest message of the visitor and the newest one that the bot answered. `visitor_message_count` of the
    `message_count` messages are the visitor's own. `visitor_id` is the same in all sessions of one visitor's browser.
    `episode` counts how often a person was asked for or stepped in; `replied_at`: when the agent who holds it first
    wrote, None before. While a person is awaited, `agent_id` is to whom it is offered, until `assigned_until`.
    `urgent_words`: those of `priority.WORDS` that the visitor wrote, a bit for each; `reminded`: the minutes of
    waiting of which the team was told last. `email`: what the visitor left out of hours; `mail_status`: what became of
    the last mail. `merged_into`: the session in which this one goes on. `tags`: ids in the order they
    were added; `rating`: the visitor's last one, 1 to 5. `customer`: who the visitor is, as the shop or the visitor
    said (`shops.customers.Customer`). `identity_epoch` is in the visitor's tokens and counts how often the session
    changed hands; older tokens are void.
    """

    __tablename__ = "sessions"
    __table_args__ = (
        Index("ix_sessions_status_updated_at", "status", "updated_at"),
        Index("ix_sessions_agent_id_updated_at", "agent_id", "updated_at"),
        Index("ix_sessions_updated_at", "updated_at"),
        Index("ix_sessions_visitor_id_created_at", "visitor_id", "created_at"),
        Index("ix_sessions_created_at", "created_at"),
        Index("ix_sessions_shop_updated_at", "shop", "updated_at"),
        Index(
            "ix_sessions_vip_updated_at",
            "updated_at",
            sqlite_where=text("is_vip = 1"),
            postgresql_where=text("is_vip"),
        ),
    )

    name: Mapped[str] = mapped_column(String(80), primary_key=True)
    shop: Mapped[str] = mapped_column(String(40))
    status: Mapped[str] = mapped_column(String(20), default=Status.BOT_ACTIVE.value)
    epoch: Mapped[int] = mapped_column(Integer, default=0)
    seq: Mapped[int] = mapped_column(BigInteger, default=0)
    locale: Mapped[Locale] = mapped_column(String(2))
    conversation_id: Mapped[str] = mapped_column(String(40))
    visitor_id: Mapped[str] = mapped_column(String(40), default="", server_default="")
    nickname: Mapped[str | None] = mapped_column(String(80))
    is_vip: Mapped[bool] = mapped_column(Boolean, default=False)
    agent_id: Mapped[str | None] = mapped_column(String(40))
    agent_name: Mapped[str | None] = mapped_column(String(80))
    escalation_reason: Mapped[str | None] = mapped_column(String(20))
    escalation_details: Mapped[str | None] = mapped_column(Text)
    escalation_severity: Mapped[Severity | None] = mapped_column(String(10))
    escalated_at: Mapped[int | None] = mapped_column(BigInteger)
    assigned_until: Mapped[int | None] = mapped_column(BigInteger)
    urgent_words: Mapped[int] = mapped_column(Integer, default=0, server_default="0")
    reminded: Mapped[int] = mapped_column(Integer, default=0, server_default="0")
    escalation_count: Mapped[int] = mapped_column(Integer, default=0)
    episode: Mapped[int] = mapped_column(Integer, default=0, server_default="0")
    replied_at: Mapped[int | None] = mapped_column(BigInteger)
    email: Mapped[str | None] = mapped_column(SealedText)
    mail_status: Mapped[MailStatus | None] = mapped_column(String(10))
    message_count: Mapped[int] = mapped_column(Integer, default=0)
    visitor_message_count: Mapped[int] = mapped_column(Integer, default=0, server_default="0")
    ai_fail_count: Mapped[int] = mapped_column(Integer, default=0)
    last_role: Mapped[Role | None] = mapped_column(String(10))
    last_text: Mapped[str | None] = mapped_column(String(80))
    last_message_at: Mapped[int | None] = mapped_column(BigInteger)
    last_visitor_seq: Mapped[int] = mapped_column(BigInteger, default=0)
    answered_seq: Mapped[int] = mapped_column(BigInteger, default=0)
    created_at: Mapped[int] = mapped_column(BigInteger)
    updated_at: Mapped[int] = mapped_column(BigInteger)
    manual_started_at: Mapped[int | None] = mapped_column(BigInteger)
    manual_ended_at: Mapped[int | None] = mapped_column(BigInteger)
    closed_at: Mapped[int | None] = mapped_column(BigInteger)
    merged_into: Mapped[str | None] = mapped_column(String(80))
    tags: Mapped[list[str]] = mapped_column(JSON, default=list, server_default="[]")
    rating: Mapped[int | None] = mapped_column(Integer)
    customer: Mapped[dict[str, Any] | None] = mapped_column(SealedFields(OF_CUSTOMER))
    identity_epoch: Mapped[int] = mapped_column(Integer, default=0, server_default="0")


class Episode(Table):
    """One time that a person was asked for, or stepped in unasked: from then until the bot is back or the session ends.

    Times are ms. `started_at`: when the wait began, or the agent stepped in; `taken_at`: when an agent first had it;
    `replied_at`: when one first wrote; `agent_id`: who had it last; `ended_by`: the type of the event that ended it.
    """

    __tablename__ = "episodes"
    __table_args__ = (
        Index("ix_episodes_shop_started_at", "shop", "started_at"),
        Index("ix_episodes_shop_taken_at", "shop", "taken_at"),
    )

    session: Mapped[str] = mapped_column(String(80), primary_key=True)
    number: Mapped[int] = mapped_column(Integer, primary_key=True)
    shop: Mapped[str] = mapped_column(String(40))
    reason: Mapped[str] = mapped_column(String(20))
    started_at: Mapped[int] = mapped_column(BigInteger)
    taken_at: Mapped[int | None] = mapped_column(BigInteger)
    replied_at: Mapped[int | None] = mapped_column(BigInteger)
    agent_id: Mapped[str | None] = mapped_column(String(40))
    ended_at: Mapped[int | None] = mapped_column(BigInteger)
    ended_by: Mapped[str | None] = mapped_column(String(40))
    rating: Mapped[int | None] = mapped_column(Integer)


class Stint(Table):
    """One agent's part of an episode, from having the session to giving it away or ending it.

    `seq`: of the event that gave it to them. Times are ms. `replied_at`: when they first wrote; `ended_by`: the type of
    the event that ended it; `rating`: what the visitor said of the episode, for whoever had it last.
    """

    __tablename__ = "stints"
    __table_args__ = (
        Index("ix_stints_agent_id_ended_at", "agent_id", "ended_at"),
        Index("ix_stints_shop_started_at", "shop", "started_at"),
    )

    session: Mapped[str] = mapped_column(String(80), primary_key=True)
    seq: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    episode: Mapped[int] = mapped_column(Integer)
    shop: Mapped[str] = mapped_column(String(40))
    agent_id: Mapped[str] = mapped_column(String(40))
    started_at: Mapped[int] = mapped_column(BigInteger)
    replied_at: Mapped[int | None] = mapped_column(BigInteger)
    ended_at: Mapped[int | None] = mapped_column(BigInteger)
    ended_by: Mapped[str | None] = mapped_column(String(40))
    rating: Mapped[int | None] = mapped_column(Integer)


IS_OPEN = text("status = 'pending'")


class TransferRequest(Table):
    """An agent asks that a colleague take a session over from who holds it (`transfers.py`).

    Times are ms. `requested_by`: who asked, the holder (`from_agent_id`) or a lead. `status`: pending, accepted,
    declined, cancelled or expired; `ended_by`: what it expired of, `timeout` or the move that overtook it.
    `is_forced`: a lead handed the session over without asking.
    """

    __tablename__ = "transfer_requests"
    __table_args__ = (
        Index("uq_transfer_requests_open", "session", unique=True, sqlite_where=IS_OPEN, postgresql_where=IS_OPEN),
        Index("ix_transfer_requests_session_created_at", "session", "created_at"),
        Index("ix_transfer_requests_to_agent_id", "to_agent_id", "status"),
        Index("ix_transfer_requests_from_agent_id", "from_agent_id", "status"),
        Index("ix_transfer_requests_requested_by", "requested_by", "status"),
    )

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    session: Mapped[str] = mapped_column(String(80))
    requested_by: Mapped[str] = mapped_column(String(40))
    from_agent_id: Mapped[str] = mapped_column(String(40))
    from_agent_name: Mapped[str] = mapped_column(String(80))
    to_agent_id: Mapped[str] = mapped_column(String(40))
    to_agent_name: Mapped[str] = mapped_column(String(80))
    reason: Mapped[str] = mapped_column(String(200))
    note: Mapped[str] = mapped_column(Text)
    status: Mapped[str] = mapped_column(String(10))
    is_forced: Mapped[bool] = mapped_column(Boolean)
    created_at: Mapped[int] = mapped_column(BigInteger)
    expires_at: Mapped[int] = mapped_column(BigInteger)
    responded_at: Mapped[int | None] = mapped_column(BigInteger)
    response_note: Mapped[str] = mapped_column(Text, default="")
    ended_by: Mapped[str | None] = mapped_column(String(20))


class ReadMark(Table):
    """How far one reader has read a session; it only moves forward.

    `reader`: `visitor`, or an agent's id. `read_count`: how many messages of the other side stand up to `seq`, so that
    what is unread is a subtraction.
    """

    __tablename__ = "read_marks"

    session: Mapped[str] = mapped_column(String(80), primary_key=True)
    reader: Mapped[str] = mapped_column(String(40), primary_key=True)
    seq: Mapped[int] = mapped_column(BigInteger)
    read_count: Mapped[int] = mapped_column(Integer)
    at: Mapped[int] = mapped_column(BigInteger)


class SessionGuest(Table):
    """An agent who may read a session that somebody else holds, until then (ms), and why."""

    __tablename__ = "session_guests"
    __table_args__ = (Index("ix_session_guests_agent_id_until", "agent_id", "until"),)

    session: Mapped[str] = mapped_column(String(80), primary_key=True)
    agent_id: Mapped[str] = mapped_column(String(40), primary_key=True)
    reason: Mapped[str] = mapped_column(String(20))
    until: Mapped[int] = mapped_column(BigInteger)


class IndexedMessage(Table):
    """The words of one message or note for the search; `position` and `seq` are its event's.

    `words` are its terms as a tsvector on PostgreSQL; on SQLite as text, beside a full-text table that triggers keep
    (`search_ddl.py`). A job fills it (`indexing.py`); it can be made anew from the log at any time.
    """

    __tablename__ = "indexed_messages"

    position: Mapped[int] = mapped_column(Big, primary_key=True, autoincrement=False)
    session: Mapped[str] = mapped_column(String(80), index=True)
    seq: Mapped[int] = mapped_column(BigInteger)
    words: Mapped[str] = mapped_column(Text().with_variant(TSVECTOR(), "postgresql"))


class FeedMark(Table):
    """How far something that follows the whole log has come: a place in the feed (`log/feed.py`)."""

    __tablename__ = "feed_marks"

    follower: Mapped[str] = mapped_column(String(40), primary_key=True)
    xid: Mapped[int] = mapped_column(BigInteger)
    position: Mapped[int] = mapped_column(BigInteger)


class SessionTag(Table):
    """A tag that a session carries now: `Session.tags` turned round, for asking which sessions have one.

    `by`: who added it, as JSON text; `is_auto`: a rule did.
    """

    __tablename__ = "session_tags"
    __table_args__ = (Index("ix_session_tags_tag_at", "tag", "at", "session"),)

    session: Mapped[str] = mapped_column(String(80), primary_key=True)
    tag: Mapped[str] = mapped_column(String(40), primary_key=True)
    by: Mapped[str] = mapped_column(Text)
    at: Mapped[int] = mapped_column(BigInteger)
    is_auto: Mapped[bool] = mapped_column(Boolean)


class Draft(Table):
    """What an agent has written in a session and not sent. One that was sent stays as an empty one.

    `revision`: the writer's own count, so that a save that comes late is known for what it is.
    """

    __tablename__ = "drafts"

    session: Mapped[str] = mapped_column(String(80), primary_key=True)
    agent_id: Mapped[str] = mapped_column(String(40), primary_key=True)
    content: Mapped[str] = mapped_column(Text)
    revision: Mapped[int] = mapped_column(BigInteger)
    at: Mapped[int] = mapped_column(BigInteger)
