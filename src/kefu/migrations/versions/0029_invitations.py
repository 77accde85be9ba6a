"""What a shop says to visitors by itself, and when."""

import sqlalchemy as sa
from alembic import op

revision = "0029"
down_revision = "0028"


def upgrade() -> None:
    op.add_column("shops", sa.Column("invitations", sa.JSON(), nullable=False, server_default="[]"))
    op.add_column("shops", sa.Column("invitations_version", sa.Integer(), nullable=False, server_default="0"))
