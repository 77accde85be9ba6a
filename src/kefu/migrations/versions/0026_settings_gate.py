"""Settings of the bot that wait until the golden questions were asked with them."""

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"


def upgrade() -> None:
    op.add_column("golden_runs", sa.Column("settings", sa.String(length=64), server_default="", nullable=False))
    op.add_column("golden_runs", sa.Column("candidate", sa.Text(), nullable=True))
    op.add_column("golden_runs", sa.Column("verdict", sa.String(length=12), server_default="", nullable=False))
    op.add_column("golden_runs", sa.Column("compared", sa.JSON(), server_default="{}", nullable=False))
