"""Vectors of passages, and what a shop's embedder is called."""

import sqlalchemy as sa
from alembic import op

from kefu.knowledge.passages import sense_hash

revision = "0025"
down_revision = "0024"
CHUNK = 500
passages = sa.table(
    "passages", *(sa.column(name) for name in ("number", "article_id", "version", "heading", "text", "sense_hash"))
)
versions = sa.table("article_versions", *(sa.column(name) for name in ("article_id", "version", "title")))


def upgrade() -> None:
    op.add_column(
        "bot_settings", sa.Column("embedding_model", sa.String(length=200), server_default="", nullable=False)
    )
    op.add_column("passages", sa.Column("sense_hash", sa.String(length=64), server_default="", nullable=False))
    op.create_index("ix_passages_sense_hash", "passages", ["sense_hash"])
    op.create_table(
        "passage_vectors",
        sa.Column("shop", sa.String(length=64), nullable=False),
        sa.Column("sense_hash", sa.String(length=64), nullable=False),
        sa.Column("model", sa.String(length=240), nullable=False),
        sa.Column("vector", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("shop", "sense_hash", "model", name=op.f("pk_passage_vectors")),
    )
    op.create_table(
        "vector_states",
        sa.Column("shop", sa.String(length=64), nullable=False),
        sa.Column("model", sa.String(length=240), nullable=False),
        sa.Column("stamp", sa.String(length=40), nullable=False),
        sa.Column("done", sa.Integer(), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("reason", sa.String(length=20), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("shop", name=op.f("pk_vector_states")),
    )
    _say_what_is_there()


def _say_what_is_there() -> None:
    connection, reached = op.get_bind(), 0
    is_its = sa.and_(versions.c.article_id == passages.c.article_id, versions.c.version == passages.c.version)
    columns = (passages.c.number, versions.c.title, passages.c.heading, passages.c.text)
    query = sa.select(*columns).join(versions, is_its).order_by(passages.c.number).limit(CHUNK)
    while rows := connection.execute(query.where(passages.c.number > reached)).all():
        for number, *said in rows:
            change = sa.update(passages).where(passages.c.number == number)
            connection.execute(change.values(sense_hash=sense_hash(*said)))
        reached = rows[-1].number
