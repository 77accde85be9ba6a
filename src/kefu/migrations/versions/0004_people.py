"""Episodes and stints of people's service, who a visitor is across sessions, and what agents are known for."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.create_table(
        "episodes",
        sa.Column("session", sa.String(length=80), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("shop", sa.String(length=40), nullable=False),
        sa.Column("reason", sa.String(length=20), nullable=False),
        sa.Column("started_at", sa.BigInteger(), nullable=False),
        sa.Column("taken_at", sa.BigInteger(), nullable=True),
        sa.Column("replied_at", sa.BigInteger(), nullable=True),
        sa.Column("agent_id", sa.String(length=40), nullable=True),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.Column("ended_by", sa.String(length=40), nullable=True),
        sa.Column("rating", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("session", "number", name=op.f("pk_episodes")),
    )
    op.create_index("ix_episodes_shop_started_at", "episodes", ["shop", "started_at"])
    op.create_index("ix_episodes_shop_taken_at", "episodes", ["shop", "taken_at"])
    op.create_table(
        "stints",
        sa.Column("session", sa.String(length=80), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("episode", sa.Integer(), nullable=False),
        sa.Column("shop", sa.String(length=40), nullable=False),
        sa.Column("agent_id", sa.String(length=40), nullable=False),
        sa.Column("started_at", sa.BigInteger(), nullable=False),
        sa.Column("replied_at", sa.BigInteger(), nullable=True),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.Column("ended_by", sa.String(length=40), nullable=True),
        sa.Column("rating", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("session", "seq", name=op.f("pk_stints")),
    )
    op.create_index("ix_stints_agent_id_ended_at", "stints", ["agent_id", "ended_at"])
    op.create_index("ix_stints_shop_started_at", "stints", ["shop", "started_at"])
    op.add_column("sessions", sa.Column("visitor_id", sa.String(length=40), server_default="", nullable=False))
    op.add_column("sessions", sa.Column("episode", sa.Integer(), server_default="0", nullable=False))
    op.add_column("sessions", sa.Column("replied_at", sa.BigInteger(), nullable=True))
    op.create_index("ix_sessions_visitor_id_created_at", "sessions", ["visitor_id", "created_at"])
    op.add_column("agents", sa.Column("status_note", sa.String(length=120), server_default="", nullable=False))
    op.add_column("agents", sa.Column("status_at", sa.BigInteger(), nullable=True))
    op.add_column("agents", sa.Column("last_seen_at", sa.BigInteger(), nullable=True))
    op.add_column("agents", sa.Column("skills", sa.JSON(), server_default="[]", nullable=False))
    op.add_column("agents", sa.Column("languages", sa.JSON(), server_default="[]", nullable=False))
