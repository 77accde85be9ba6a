"""How far each reader has read."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

FILL = """
UPDATE sessions SET visitor_message_count = (
    SELECT count(*) FROM events WHERE stream = 'session/' || sessions.name AND type = 'message.posted'
    AND actor LIKE '{"kind":"visitor"%'
)
"""


def upgrade() -> None:
    op.create_table(
        "read_marks",
        sa.Column("session", sa.String(length=80), nullable=False),
        sa.Column("reader", sa.String(length=40), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("read_count", sa.Integer(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("session", "reader", name=op.f("pk_read_marks")),
    )
    op.add_column("sessions", sa.Column("visitor_message_count", sa.Integer(), server_default="0", nullable=False))
    op.execute(sa.text(FILL.replace(":", "\\:")))
