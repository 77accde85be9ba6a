"""Requests to hand a session over, notes with who is named in them, and questions to colleagues."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    is_open = sa.text("status = 'pending'")
    op.create_table(
        "transfer_requests",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("session", sa.String(length=80), nullable=False),
        sa.Column("requested_by", sa.String(length=40), nullable=False),
        sa.Column("from_agent_id", sa.String(length=40), nullable=False),
        sa.Column("from_agent_name", sa.String(length=80), nullable=False),
        sa.Column("to_agent_id", sa.String(length=40), nullable=False),
        sa.Column("to_agent_name", sa.String(length=80), nullable=False),
        sa.Column("reason", sa.String(length=200), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("status", sa.String(length=10), nullable=False),
        sa.Column("is_forced", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("responded_at", sa.BigInteger(), nullable=True),
        sa.Column("response_note", sa.Text(), nullable=False),
        sa.Column("ended_by", sa.String(length=20), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_transfer_requests")),
    )
    op.create_index(
        "uq_transfer_requests_open",
        "transfer_requests",
        ["session"],
        unique=True,
        sqlite_where=is_open,
        postgresql_where=is_open,
    )
    op.create_index("ix_transfer_requests_session_created_at", "transfer_requests", ["session", "created_at"])
    for column in ("to_agent_id", "from_agent_id", "requested_by"):
        op.create_index(f"ix_transfer_requests_{column}", "transfer_requests", [column, "status"])
    op.create_table(
        "notes",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("session", sa.String(length=80), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("author_id", sa.String(length=40), nullable=False),
        sa.Column("author_username", sa.String(length=50), nullable=False),
        sa.Column("author_name", sa.String(length=80), nullable=False),
        sa.Column("mentions", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notes")),
    )
    op.create_index("ix_notes_session_created_at", "notes", ["session", "created_at"])
    op.create_table(
        "mentions",
        sa.Column("note_id", sa.String(length=40), nullable=False),
        sa.Column("agent_id", sa.String(length=40), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("read_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["note_id"], ["notes.id"], name=op.f("fk_mentions_note_id_notes"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("note_id", "agent_id", name=op.f("pk_mentions")),
    )
    op.create_index("ix_mentions_agent_id_at", "mentions", ["agent_id", "at"])
    op.create_table(
        "assists",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("session", sa.String(length=80), nullable=False),
        sa.Column("requester_id", sa.String(length=40), nullable=False),
        sa.Column("requester", sa.String(length=50), nullable=False),
        sa.Column("requester_name", sa.String(length=80), nullable=False),
        sa.Column("assistant_id", sa.String(length=40), nullable=False),
        sa.Column("assistant", sa.String(length=50), nullable=False),
        sa.Column("assistant_name", sa.String(length=80), nullable=False),
        sa.Column("question", sa.Text(), nullable=False),
        sa.Column("answer", sa.Text(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("answered_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_assists")),
    )
    op.create_index("ix_assists_session_created_at", "assists", ["session", "created_at"])
    for column in ("requester_id", "assistant_id"):
        op.create_index(f"ix_assists_{column}_created_at", "assists", [column, "created_at"])
