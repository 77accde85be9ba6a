"""What each shop pays for its models, which calls had no price, and whether a model reads what visitors write."""

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"


def upgrade() -> None:
    op.add_column("bot_settings", sa.Column("prices", sa.JSON(), nullable=False, server_default="[]"))
    op.add_column(
        "bot_settings", sa.Column("reads_messages", sa.Boolean(), server_default=sa.text("false"), nullable=False)
    )
    op.add_column("model_usage", sa.Column("unpriced", sa.Integer(), nullable=False, server_default="0"))
    # A model of unknown price was booked with 0 until now.
    op.execute("UPDATE model_usage SET unpriced = calls WHERE cost = 0 AND tokens_in + tokens_out > 0")
