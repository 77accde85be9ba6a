"""Documents, the review of articles, and questions nobody answered."""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
roles = sa.table("roles", sa.column("id", sa.String), sa.column("permissions", sa.JSON))


def upgrade() -> None:
    op.add_column("articles", sa.Column("public_version", sa.Integer(), nullable=True))
    op.add_column("articles", sa.Column("author", sa.String(length=40), server_default="", nullable=False))
    op.add_column("articles", sa.Column("note", sa.String(length=500), server_default="", nullable=False))
    op.execute("UPDATE articles SET public_version = version WHERE status = 'published'")
    op.add_column("article_versions", sa.Column("author", sa.String(length=40), server_default="", nullable=False))
    op.add_column("passages", sa.Column("part", sa.Integer(), server_default="0", nullable=False))
    op.add_column("passages", sa.Column("is_page", sa.Boolean(), server_default=sa.false(), nullable=False))
    _documents()
    _questions()
    _who_wrote_publishes()


def _documents() -> None:
    op.create_table(
        "knowledge_documents",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("shop", sa.String(length=64), nullable=False),
        sa.Column("article_id", sa.String(length=40), nullable=True),
        sa.Column("article_version", sa.Integer(), nullable=True),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("media_type", sa.String(length=100), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("status", sa.String(length=10), nullable=False),
        sa.Column("done", sa.BigInteger(), nullable=False),
        sa.Column("total", sa.BigInteger(), nullable=False),
        sa.Column("code", sa.String(length=40), nullable=True),
        sa.Column("uploaded_by", sa.String(length=40), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["article_id"], ["articles.id"], name=op.f("fk_knowledge_documents_article_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_knowledge_documents")),
        sa.UniqueConstraint("shop", "sha256", name=op.f("uq_knowledge_documents_shop_sha256")),
    )
    op.create_index("ix_knowledge_documents_sha256", "knowledge_documents", ["sha256"])
    op.create_index("ix_knowledge_documents_created_at", "knowledge_documents", ["shop", "created_at", "id"])
    op.create_index("ix_knowledge_documents_article_id", "knowledge_documents", ["article_id"])


def _questions() -> None:
    op.create_table(
        "unanswered_questions",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("shop", sa.String(length=64), nullable=False),
        sa.Column("lang", sa.String(length=2), nullable=False),
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("asked", sa.String(length=500), nullable=False),
        sa.Column("times", sa.Integer(), nullable=False),
        sa.Column("examples", sa.JSON(), nullable=False),
        sa.Column("status", sa.String(length=10), nullable=False),
        sa.Column("article_id", sa.String(length=40), nullable=True),
        sa.Column("first_at", sa.BigInteger(), nullable=False),
        sa.Column("last_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["article_id"], ["articles.id"], name=op.f("fk_unanswered_questions_article_id"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_unanswered_questions")),
        sa.UniqueConstraint("shop", "lang", "key", name=op.f("uq_unanswered_questions_shop_lang_key")),
    )
    op.create_index("ix_unanswered_questions_list", "unanswered_questions", ["shop", "status", "times", "id"])


def _who_wrote_publishes() -> None:
    """Whoever could write could publish until now: the team's own roles keep that."""
    connection = op.get_bind()
    for role_id, permissions in connection.execute(sa.select(roles.c.id, roles.c.permissions)).all():
        if "knowledge.write" in permissions and "knowledge.publish" not in permissions:
            wider = [*permissions, "knowledge.publish"]
            connection.execute(sa.update(roles).where(roles.c.id == role_id).values(permissions=wider))
