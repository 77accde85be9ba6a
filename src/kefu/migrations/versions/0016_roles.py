"""Roles of the team's own, and agents who sign in at a provider."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    op.create_table(
        "roles",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("name_en", sa.String(length=40), nullable=False),
        sa.Column("name_zh", sa.String(length=40), nullable=False),
        sa.Column("permissions", sa.JSON(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_roles")),
        sa.UniqueConstraint("name_en", name=op.f("uq_roles_name_en")),
        sa.UniqueConstraint("name_zh", name=op.f("uq_roles_name_zh")),
    )
    op.add_column("agents", sa.Column("oidc_subject", sa.String(length=255), nullable=True))
    op.add_column("agents", sa.Column("is_invited", sa.Boolean(), server_default=sa.text("false"), nullable=False))
    # An index: a constraint has SQLite make the table anew, and the sign-ins that hang on its rows go with the old one.
    op.create_index(op.f("ix_agents_oidc_subject"), "agents", ["oidc_subject"], unique=True)
