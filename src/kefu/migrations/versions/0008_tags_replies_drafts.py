"""Tags and what carries them, quick replies, agents' drafts, and the visitor's rating in the session's row."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    op.add_column("sessions", sa.Column("tags", sa.JSON(), server_default="[]", nullable=False))
    op.add_column("sessions", sa.Column("rating", sa.Integer(), nullable=True))
    op.create_table(
        "session_tags",
        sa.Column("session", sa.String(length=80), nullable=False),
        sa.Column("tag", sa.String(length=40), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("is_auto", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("session", "tag", name=op.f("pk_session_tags")),
    )
    op.create_index("ix_session_tags_tag_at", "session_tags", ["tag", "at", "session"])
    op.create_table(
        "tags",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("name", sa.JSON(), nullable=False),
        sa.Column("name_key", sa.String(length=80), nullable=False),
        sa.Column("group", sa.String(length=20), nullable=False),
        sa.Column("color", sa.String(length=7), nullable=False),
        sa.Column("icon", sa.String(length=16), nullable=False),
        sa.Column("description", sa.String(length=200), nullable=False),
        sa.Column("rules", sa.JSON(), nullable=False),
        sa.Column("is_archived", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tags")),
        sa.UniqueConstraint("name_key", name=op.f("uq_tags_name_key")),
    )
    op.create_table(
        "quick_replies",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("owner", sa.String(length=40), nullable=False),
        sa.Column("created_by", sa.String(length=40), nullable=False),
        sa.Column("category", sa.String(length=20), nullable=False),
        sa.Column("title", sa.String(length=50), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("shortcut", sa.Integer(), nullable=True),
        sa.Column("usage_count", sa.Integer(), nullable=False),
        sa.Column("used_at", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_quick_replies")),
        sa.UniqueConstraint("owner", "shortcut", name=op.f("uq_quick_replies_owner")),
    )
    op.create_index("ix_quick_replies_owner_usage", "quick_replies", ["owner", "usage_count", "id"])
    op.create_table(
        "drafts",
        sa.Column("session", sa.String(length=80), nullable=False),
        sa.Column("agent_id", sa.String(length=40), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("session", "agent_id", name=op.f("pk_drafts")),
    )
