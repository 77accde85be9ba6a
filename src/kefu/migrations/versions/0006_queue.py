"""How urgent a wait is and to whom it is offered, how shops assign, and what agents do by themselves."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.add_column("sessions", sa.Column("assigned_until", sa.BigInteger(), nullable=True))
    op.add_column("sessions", sa.Column("urgent_words", sa.Integer(), server_default="0", nullable=False))
    op.add_column("sessions", sa.Column("reminded", sa.Integer(), server_default="0", nullable=False))
    op.add_column("shops", sa.Column("routing", sa.JSON(), server_default="{}", nullable=False))
    op.add_column("shops", sa.Column("crowded_at", sa.BigInteger(), nullable=True))
    op.add_column("agents", sa.Column("is_auto", sa.Boolean(), server_default=sa.text("false"), nullable=False))
    op.add_column("agents", sa.Column("active_at", sa.BigInteger(), nullable=True))
