"""How the chat of each shop looks, and what it asks before the first word."""

import sqlalchemy as sa
from alembic import op

revision = "0030"
down_revision = "0029"


def upgrade() -> None:
    op.add_column("shops", sa.Column("look", sa.JSON(), nullable=True))
    op.add_column("shops", sa.Column("look_version", sa.Integer(), server_default="0", nullable=False))
