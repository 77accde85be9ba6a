"""The tables of notes, mentions and assists, and of what the team works with: its tags and its quick replies."""

from typing import Any

from sqlalchemy import JSON, BigInteger, Boolean, ForeignKey, Index, Integer, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from kefu.kit.db import Table
from kefu.kit.i18n import Text as Words


class Note(Table):
    """What agents wrote beside a session, as it stands now; the log has how it came to be. Times are ms.

    `mentions`: `{id, username, name}` of each colleague it names.
    """

    __tablename__ = "notes"
    __table_args__ = (Index("ix_notes_session_created_at", "session", "created_at"),)

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    session: Mapped[str] = mapped_column(String(80))
    content: Mapped[str] = mapped_column(Text)
    author_id: Mapped[str] = mapped_column(String(40))
    author_username: Mapped[str] = mapped_column(String(50))
    author_name: Mapped[str] = mapped_column(String(80))
    mentions: Mapped[list[dict[str, str]]] = mapped_column(JSON)
    created_at: Mapped[int] = mapped_column(BigInteger)
    updated_at: Mapped[int] = mapped_column(BigInteger)


class Mention(Table):
    """An agent is named in a note. Times are ms; `read_at` is null until they have read it."""

    __tablename__ = "mentions"
    __table_args__ = (Index("ix_mentions_agent_id_at", "agent_id", "at"),)

    note_id: Mapped[str] = mapped_column(String(40), ForeignKey("notes.id", ondelete="CASCADE"), primary_key=True)
    agent_id: Mapped[str] = mapped_column(String(40), primary_key=True)
    at: Mapped[int] = mapped_column(BigInteger)
    read_at: Mapped[int | None] = mapped_column(BigInteger)


class Assist(Table):
    """A question to a colleague about a session that stays where it is. Times are ms; no `answered_at`: it is open."""

    __tablename__ = "assists"
    __table_args__ = (
        Index("ix_assists_session_created_at", "session", "created_at"),
        Index("ix_assists_requester_id_created_at", "requester_id", "created_at"),
        Index("ix_assists_assistant_id_created_at", "assistant_id", "created_at"),
    )

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    session: Mapped[str] = mapped_column(String(80))
    requester_id: Mapped[str] = mapped_column(String(40))
    requester: Mapped[str] = mapped_column(String(50))
    requester_name: Mapped[str] = mapped_column(String(80))
    assistant_id: Mapped[str] = mapped_column(String(40))
    assistant: Mapped[str] = mapped_column(String(50))
    assistant_name: Mapped[str] = mapped_column(String(80))
    question: Mapped[str] = mapped_column(Text)
    answer: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[int] = mapped_column(BigInteger)
    answered_at: Mapped[int | None] = mapped_column(BigInteger)


class Tag(Table):
    """A tag of the team's own, or a preset as the team changed it; presets nobody changed have no row (`tags.py`).

    `name_key` makes names unique whatever their case. `color` is `#rrggbb`. `rules`: any of them gives it to a session.
    """

    __tablename__ = "tags"

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    name: Mapped[Words] = mapped_column(JSON)
    name_key: Mapped[str] = mapped_column(String(80), unique=True)
    group: Mapped[str] = mapped_column(String(20))
    color: Mapped[str] = mapped_column(String(7))
    icon: Mapped[str] = mapped_column(String(16))
    description: Mapped[str] = mapped_column(String(200))
    rules: Mapped[list[dict[str, Any]]] = mapped_column(JSON)
    is_archived: Mapped[bool] = mapped_column(Boolean)
    created_at: Mapped[int] = mapped_column(BigInteger)


class QuickReply(Table):
    """A text to answer with. `owner`: whose it is, an agent's id, or empty when it is the whole team's.

    `shortcut`: 1 to 9, unique for its owner. `words`: title and content as they are searched.
    """

    __tablename__ = "quick_replies"
    __table_args__ = (
        UniqueConstraint("owner", "shortcut"),
        Index("ix_quick_replies_owner_usage", "owner", "usage_count", "id"),
    )

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    owner: Mapped[str] = mapped_column(String(40))
    created_by: Mapped[str] = mapped_column(String(40))
    category: Mapped[str] = mapped_column(String(20))
    title: Mapped[str] = mapped_column(String(50))
    content: Mapped[str] = mapped_column(Text)
    words: Mapped[str] = mapped_column(Text)
    shortcut: Mapped[int | None] = mapped_column(Integer)
    usage_count: Mapped[int] = mapped_column(Integer, default=0)
    used_at: Mapped[int | None] = mapped_column(BigInteger)
    created_at: Mapped[int] = mapped_column(BigInteger)
    updated_at: Mapped[int] = mapped_column(BigInteger)

    @property
    def is_shared(self) -> bool:
        return not self.owner


class SavedView(Table):
    """What an agent looks at in the list of sessions, under a name of their own. `shown`: `views.Shown` as JSON."""

    __tablename__ = "saved_views"
    __table_args__ = (UniqueConstraint("agent_id", "name"),)

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    agent_id: Mapped[str] = mapped_column(String(40))
    name: Mapped[str] = mapped_column(String(40))
    shown: Mapped[dict[str, str]] = mapped_column(JSON)
    saved_at: Mapped[int] = mapped_column(BigInteger)
