"""Where the chat was seen and opened, and what became of the sessions begun there."""

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0027"
STAGES = ("first_message_at", "answered_at", "escalated_at", "rated_at", "closed_at")


def upgrade() -> None:
    op.create_table(
        "funnel_pages",
        sa.Column("shop", sa.String(length=40), nullable=False),
        sa.Column("day", sa.String(length=10), nullable=False),
        sa.Column("page", sa.String(length=300), nullable=False),
        sa.Column("referrer", sa.String(length=200), nullable=False),
        sa.Column("impressions", sa.Integer(), nullable=False),
        sa.Column("opens", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("shop", "day", "page", "referrer", name=op.f("pk_funnel_pages")),
    )
    op.create_table(
        "funnel_sessions",
        sa.Column("session", sa.String(length=80), nullable=False),
        sa.Column("shop", sa.String(length=40), nullable=False),
        sa.Column("day", sa.String(length=10), nullable=False),
        sa.Column("page", sa.String(length=300), nullable=False),
        sa.Column("referrer", sa.String(length=200), nullable=False),
        *(sa.Column(stage, sa.BigInteger(), nullable=True) for stage in STAGES),
        sa.ForeignKeyConstraint(
            ["session"], ["sessions.name"], name=op.f("fk_funnel_sessions_session"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("session", name=op.f("pk_funnel_sessions")),
    )
    op.create_index("ix_funnel_sessions_shop_day", "funnel_sessions", ["shop", "day"])
    op.create_index("ix_funnel_sessions_day", "funnel_sessions", ["day"])
