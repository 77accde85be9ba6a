"""The hours of a shop, and the e-mail address and mail of a session after hours."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.add_column("shops", sa.Column("hours", sa.JSON(none_as_null=True), nullable=True))
    op.add_column("shops", sa.Column("hours_version", sa.Integer(), server_default="0", nullable=False))
    op.add_column("shops", sa.Column("mail_to", sa.JSON(), server_default="[]", nullable=False))
    op.add_column("sessions", sa.Column("email", sa.String(length=254), nullable=True))
    op.add_column("sessions", sa.Column("mail_status", sa.String(length=10), nullable=True))
