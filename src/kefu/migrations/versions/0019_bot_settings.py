"""What shops choose for their bot, and the conversations that providers keep."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"


def upgrade() -> None:
    op.create_table(
        "bot_settings",
        sa.Column("shop", sa.String(length=40), nullable=False),
        sa.Column("provider", sa.String(length=20), nullable=True),
        sa.Column("url", sa.String(length=400), server_default="", nullable=False),
        sa.Column("key", sa.Text(), nullable=True),
        sa.Column("model", sa.String(length=200), server_default="", nullable=False),
        sa.Column("cheaper_model", sa.String(length=200), server_default="", nullable=False),
        sa.Column("deployment", sa.String(length=200), server_default="", nullable=False),
        sa.Column("api_version", sa.String(length=40), server_default="", nullable=False),
        sa.Column("coze", sa.JSON(), server_default="{}", nullable=False),
        sa.Column("persona", sa.String(length=80), server_default="", nullable=False),
        sa.Column("prompt", sa.Text(), server_default="", nullable=False),
        sa.Column("mask_pii", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("budgets", sa.JSON(), server_default="{}", nullable=False),
        sa.Column("version", sa.Integer(), server_default="0", nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_by", sa.String(length=40), nullable=False),
        sa.ForeignKeyConstraint(["shop"], ["shops.id"], name=op.f("fk_bot_settings_shop"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("shop", name=op.f("pk_bot_settings")),
    )
    op.create_table(
        "provider_conversations",
        sa.Column("place", sa.String(length=64), nullable=False),
        sa.Column("conversation", sa.String(length=80), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("place", "conversation", name=op.f("pk_provider_conversations")),
    )
