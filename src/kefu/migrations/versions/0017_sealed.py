"""Room for what is sealed, and a key for each shop's customers.

What stands there stays as it is until `kefu secrets rotate` seals it.
"""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    op.add_column("shops", sa.Column("index_key", sa.Text(), nullable=True))
    if op.get_bind().dialect.name == "postgresql":  # SQLite knows no length
        op.alter_column("sessions", "email", type_=sa.Text(), existing_type=sa.String(length=254))
        op.alter_column("shop_secrets", "sealed", type_=sa.Text(), existing_type=sa.String(length=400))
