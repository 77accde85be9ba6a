"""Where a session goes on that was merged into another."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    op.add_column("sessions", sa.Column("merged_into", sa.String(length=80), nullable=True))
