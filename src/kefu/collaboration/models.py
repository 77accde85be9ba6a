"""The tables of notes, mentions and assists: what the internal events of sessions leave, for lists and rights."""

from sqlalchemy import JSON, BigInteger, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from kefu.kit.db import Table


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
