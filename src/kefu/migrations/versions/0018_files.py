"""Files that are sent with messages."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
IS_UNSENT = sa.text("seq IS NULL")


def upgrade() -> None:
    op.create_table(
        "files",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("session", sa.String(length=80), nullable=False),
        sa.Column("owner", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("media_type", sa.String(length=100), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("width", sa.Integer(), nullable=True),
        sa.Column("height", sa.Integer(), nullable=True),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["session"], ["sessions.name"], name=op.f("fk_files_session"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_files")),
    )
    op.create_index("ix_files_session_owner", "files", ["session", "owner"])
    op.create_index("ix_files_sha256", "files", ["sha256"])
    op.create_index("ix_files_unsent", "files", ["created_at"], sqlite_where=IS_UNSENT, postgresql_where=IS_UNSENT)
