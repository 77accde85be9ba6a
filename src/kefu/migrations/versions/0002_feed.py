"""The order of the feed, and recurring jobs."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

# What the log calls a transaction. After a restore into another server, whose transactions are counted from the start
# again, `kefu.log.feed.carry_on` puts a number in the place of the 0, so that the order goes on.
FEED_XID = """
CREATE FUNCTION feed_xid(xid8) RETURNS bigint LANGUAGE sql IMMUTABLE PARALLEL SAFE AS 'SELECT $1::text::bigint + 0'
"""


def upgrade() -> None:
    op.add_column("events", sa.Column("xid", sa.BigInteger(), server_default="0", nullable=False))
    if op.get_bind().dialect.name == "postgresql":
        op.execute(FEED_XID)
        op.alter_column("events", "xid", server_default=sa.text("feed_xid(pg_current_xact_id())"))
        op.create_index("ix_events_xid_position", "events", ["xid", "position"])
    op.add_column("jobs", sa.Column("key", sa.String(length=80), nullable=True))
    op.create_index(
        "uq_jobs_key",
        "jobs",
        ["key"],
        unique=True,
        sqlite_where=sa.text("key IS NOT NULL"),
        postgresql_where=sa.text("key IS NOT NULL"),
    )
