"""The tables of knowledge. Lists of words are JSON; times are milliseconds."""

from sqlalchemy import JSON, BigInteger, ForeignKey, Index, Integer, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from kefu.kit.db import Big, Table


class Article(Table):
    """An article, or a question with its answer (`kind` qa). `questions` are other wordings of what it answers.

    `version` counts changes of the content from 1; moves of `status` (see `states`) leave it alone.
    """

    __tablename__ = "articles"
    __table_args__ = (
        UniqueConstraint("shop", "lang", "slug"),
        Index("ix_articles_shop_updated_at", "shop", "updated_at", "id"),
    )

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    shop: Mapped[str] = mapped_column(String(64))
    lang: Mapped[str] = mapped_column(String(2))
    kind: Mapped[str] = mapped_column(String(10))
    slug: Mapped[str] = mapped_column(String(80))
    title: Mapped[str] = mapped_column(String(200))
    body: Mapped[str] = mapped_column(Text)
    questions: Mapped[list[str]] = mapped_column(JSON)
    category: Mapped[str] = mapped_column(String(60))
    tags: Mapped[list[str]] = mapped_column(JSON)
    status: Mapped[str] = mapped_column(String(10))
    version: Mapped[int] = mapped_column(Integer)
    created_at: Mapped[int] = mapped_column(BigInteger)
    updated_at: Mapped[int] = mapped_column(BigInteger)
    published_at: Mapped[int | None] = mapped_column(BigInteger)


class ArticleVersion(Table):
    """What an article said, so that a source link shows what was quoted.

    `public_at` is null while no visitor could have seen it.
    """

    __tablename__ = "article_versions"

    article_id: Mapped[str] = mapped_column(ForeignKey("articles.id", ondelete="CASCADE"), primary_key=True)
    version: Mapped[int] = mapped_column(Integer, primary_key=True)
    title: Mapped[str] = mapped_column(String(200))
    body: Mapped[str] = mapped_column(Text)
    at: Mapped[int] = mapped_column(BigInteger)
    public_at: Mapped[int | None] = mapped_column(BigInteger)


class Passage(Table):
    """A piece of a published article, as search returns it. Other articles have none.

    `text_hash` is the sha256 of `text` in hex. `tokens` and `title_tokens` are `words.terms` joined by blanks,
    `asked_tokens` what `wordings.wording_tokens` makes of the article's questions.
    `number` orders passages and is the row id of SQLite's full-text table.
    """

    __tablename__ = "passages"
    __table_args__ = (Index("ix_passages_article_id", "article_id"), Index("ix_passages_shop_lang", "shop", "lang"))

    number: Mapped[int] = mapped_column(Big, primary_key=True, autoincrement=True)
    id: Mapped[str] = mapped_column(String(60), unique=True)
    article_id: Mapped[str] = mapped_column(ForeignKey("articles.id", ondelete="CASCADE"))
    version: Mapped[int] = mapped_column(Integer)
    shop: Mapped[str] = mapped_column(String(64))
    lang: Mapped[str] = mapped_column(String(2))
    ordinal: Mapped[int] = mapped_column(Integer)
    heading: Mapped[str] = mapped_column(String(200))
    text: Mapped[str] = mapped_column(Text)
    text_hash: Mapped[str] = mapped_column(String(64))
    tokens: Mapped[str] = mapped_column(Text)
    title_tokens: Mapped[str] = mapped_column(Text)
    asked_tokens: Mapped[str] = mapped_column(Text)


class Term(Table):
    """In how many passages of a shop and language a term occurs."""

    __tablename__ = "knowledge_terms"

    shop: Mapped[str] = mapped_column(String(64), primary_key=True)
    lang: Mapped[str] = mapped_column(String(2), primary_key=True)
    term: Mapped[str] = mapped_column(String(80), primary_key=True)
    passages: Mapped[int] = mapped_column(Integer)


class KnowledgeState(Table):
    """One row per shop, locked by whoever changes its knowledge.

    `version` counts the changes. `stamp` is drawn anew at each, so that a cache never takes another database's same
    number for its own.
    """

    __tablename__ = "knowledge_states"

    shop: Mapped[str] = mapped_column(String(64), primary_key=True)
    version: Mapped[int] = mapped_column(Integer)
    stamp: Mapped[str] = mapped_column(String(40))
    updated_at: Mapped[int] = mapped_column(BigInteger)
