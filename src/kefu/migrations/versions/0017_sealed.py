"""Room for what is sealed. What stands there stays as it is until `kefu secrets rotate` seals it."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":  # SQLite knows no length
        op.alter_column("sessions", "email", type_=sa.Text(), existing_type=sa.String(length=254))
        op.alter_column("shop_secrets", "sealed", type_=sa.Text(), existing_type=sa.String(length=400))
