"""The index of the search also knows each message's shop; the worker fills it anew."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    op.execute(sa.text("DELETE FROM feed_marks WHERE follower = 'message-search'"))
    is_postgresql = op.get_bind().dialect.name == "postgresql"
    op.execute(sa.text("TRUNCATE indexed_messages" if is_postgresql else "DELETE FROM indexed_messages"))
