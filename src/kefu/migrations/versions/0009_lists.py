"""Lists by index, who may look into a session, and the search over messages."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from kefu.sessions import search_ddl

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    op.create_table(
        "session_guests",
        sa.Column("session", sa.String(length=80), nullable=False),
        sa.Column("agent_id", sa.String(length=40), nullable=False),
        sa.Column("reason", sa.String(length=20), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("session", "agent_id", name=op.f("pk_session_guests")),
    )
    op.create_index("ix_session_guests_agent_id_until", "session_guests", ["agent_id", "until"])
    op.create_table(
        "feed_marks",
        sa.Column("follower", sa.String(length=40), nullable=False),
        sa.Column("xid", sa.BigInteger(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("follower", name=op.f("pk_feed_marks")),
    )
    op.create_table(
        "indexed_messages",
        sa.Column(
            "position", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False
        ),
        sa.Column("session", sa.String(length=80), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("words", sa.Text().with_variant(postgresql.TSVECTOR(), "postgresql"), nullable=False),
        sa.PrimaryKeyConstraint("position", name=op.f("pk_indexed_messages")),
    )
    op.create_index(op.f("ix_indexed_messages_session"), "indexed_messages", ["session"])
    search_ddl.create(op.get_bind())
    op.create_index("ix_sessions_created_at", "sessions", ["created_at"])
    op.create_index("ix_sessions_shop_updated_at", "sessions", ["shop", "updated_at"])
    op.create_index(
        "ix_sessions_vip_updated_at",
        "sessions",
        ["updated_at"],
        sqlite_where=sa.text("is_vip = 1"),
        postgresql_where=sa.text("is_vip"),
    )
