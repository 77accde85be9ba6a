"""Who a visitor is, and what each shop demands: identity, secrets, allowed origins."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    op.add_column("sessions", sa.Column("customer", sa.JSON(), nullable=True))
    op.add_column("sessions", sa.Column("identity_epoch", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("shops", sa.Column("identity_mode", sa.String(length=10), nullable=False, server_default="off"))
    op.add_column(
        "shops", sa.Column("identity_required", sa.Boolean(), nullable=False, server_default=sa.text("false"))
    )
    op.add_column("shops", sa.Column("origins", sa.JSON(), nullable=True))
    op.add_column("shops", sa.Column("security_version", sa.Integer(), nullable=False, server_default="0"))
    op.create_table(
        "shop_secrets",
        sa.Column("id", sa.String(length=40), primary_key=True),
        sa.Column("shop", sa.String(length=40), sa.ForeignKey("shops.id", ondelete="CASCADE"), nullable=False),
        sa.Column("sealed", sa.String(length=400), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("retired_at", sa.BigInteger(), nullable=True),
    )
    op.create_index("ix_shop_secrets_shop", "shop_secrets", ["shop"])
