"""The tables of knowledge. Lists of words are JSON; times are milliseconds."""

from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Text,
    UniqueConstraint,
    false,
)
from sqlalchemy.orm import Mapped, mapped_column

from kefu.kit.db import Big, Table


class Article(Table):
    """An article, a question with its answer (`kind` qa), or what a file says (`document`).

    `questions` are other wordings of what it answers. `version` counts changes of the content from 1; moves of `status`
    (see `states`) leave it alone. `public_version` is the one that visitors and search see, null when they see none;
    `status` is that of the newest. `author`: the id of who wrote the newest, empty for the system. `note`: why it was
    sent back. The `body` of a document is parted into its pages by form feeds.
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
    public_version: Mapped[int | None] = mapped_column(Integer)
    author: Mapped[str] = mapped_column(String(40), default="", server_default="")
    note: Mapped[str] = mapped_column(String(500), default="", server_default="")


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
    author: Mapped[str] = mapped_column(String(40), default="", server_default="")


class Passage(Table):
    """A piece of a published article, as search returns it. Other articles have none.

    `text_hash` is the sha256 of `text` in hex. `tokens` and `title_tokens` are `words.terms` joined by blanks,
    `asked_tokens` what `wordings.wording_tokens` makes of the article's questions.
    `sense_hash` is sha256 in hex of what says what it means (`passages.sense`): under it stand its vectors.
    `part`: which part of a document it is in, from 1, as its page shows it; 0 in an article. `is_page`: parts are the
    pages of the file. `number` orders passages and is the row id of SQLite's full-text table.
    """

    __tablename__ = "passages"
    __table_args__ = (
        Index("ix_passages_article_id", "article_id"),
        Index("ix_passages_shop_lang", "shop", "lang"),
        Index("ix_passages_sense_hash", "sense_hash"),
    )

    number: Mapped[int] = mapped_column(Big, primary_key=True, autoincrement=True)
    id: Mapped[str] = mapped_column(String(60), unique=True)
    article_id: Mapped[str] = mapped_column(ForeignKey("articles.id", ondelete="CASCADE"))
    version: Mapped[int] = mapped_column(Integer)
    shop: Mapped[str] = mapped_column(String(64))
    lang: Mapped[str] = mapped_column(String(2))
    ordinal: Mapped[int] = mapped_column(Integer)
    part: Mapped[int] = mapped_column(Integer, default=0, server_default="0")
    is_page: Mapped[bool] = mapped_column(Boolean, default=False, server_default=false())
    heading: Mapped[str] = mapped_column(String(200))
    text: Mapped[str] = mapped_column(Text)
    text_hash: Mapped[str] = mapped_column(String(64))
    sense_hash: Mapped[str] = mapped_column(String(64), default="", server_default="")
    tokens: Mapped[str] = mapped_column(Text)
    title_tokens: Mapped[str] = mapped_column(Text)
    asked_tokens: Mapped[str] = mapped_column(Text)


class PassageVector(Table):
    """Where a passage stands by what it means, for one model: float32 little endian, of length one.

    It goes in the transaction that takes the last passage with this `sense_hash` from the shop (`index.reindex`).
    """

    __tablename__ = "passage_vectors"

    shop: Mapped[str] = mapped_column(String(64), primary_key=True)
    sense_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    model: Mapped[str] = mapped_column(String(240), primary_key=True)
    vector: Mapped[bytes] = mapped_column(LargeBinary)


class VectorState(Table):
    """How far the vectors of a shop have come: `done` of `total` passages have one of `model`.

    `stamp`: of the knowledge whose passages all were asked for, empty while some are not. `reason`: why some have none
    (`ai.ports.Failing`).
    """

    __tablename__ = "vector_states"

    shop: Mapped[str] = mapped_column(String(64), primary_key=True)
    model: Mapped[str] = mapped_column(String(240))
    stamp: Mapped[str] = mapped_column(String(40))
    done: Mapped[int] = mapped_column(Integer)
    total: Mapped[int] = mapped_column(Integer)
    reason: Mapped[str] = mapped_column(String(20))
    updated_at: Mapped[int] = mapped_column(BigInteger)


class Term(Table):
    """In how many passages of a shop and language a term occurs."""

    __tablename__ = "knowledge_terms"

    shop: Mapped[str] = mapped_column(String(64), primary_key=True)
    lang: Mapped[str] = mapped_column(String(2), primary_key=True)
    term: Mapped[str] = mapped_column(String(80), primary_key=True)
    passages: Mapped[int] = mapped_column(Integer)


class Document(Table):
    """A file that was given to a shop's knowledge; its content lies in `files.store` under `sha256`.

    `status`: waiting, reading, read or refused, then `code` names the reason (`documents.refusals`). `done` of `total`:
    pages, or bytes where a format has none. `article_id`: what it became, or what it is a new version of;
    `article_version`: that version, null until it is read.
    """

    __tablename__ = "knowledge_documents"
    __table_args__ = (
        UniqueConstraint("shop", "sha256"),
        Index("ix_knowledge_documents_sha256", "sha256"),
        Index("ix_knowledge_documents_created_at", "shop", "created_at", "id"),
        Index("ix_knowledge_documents_article_id", "article_id"),
    )

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    shop: Mapped[str] = mapped_column(String(64))
    article_id: Mapped[str | None] = mapped_column(ForeignKey("articles.id", ondelete="CASCADE"))
    article_version: Mapped[int | None] = mapped_column(Integer)
    name: Mapped[str] = mapped_column(String(120))
    media_type: Mapped[str] = mapped_column(String(100))
    size: Mapped[int] = mapped_column(BigInteger)
    sha256: Mapped[str] = mapped_column(String(64))
    status: Mapped[str] = mapped_column(String(10))
    done: Mapped[int] = mapped_column(BigInteger)
    total: Mapped[int] = mapped_column(BigInteger)
    code: Mapped[str | None] = mapped_column(String(40))
    uploaded_by: Mapped[str] = mapped_column(String(40))
    created_at: Mapped[int] = mapped_column(BigInteger)
    updated_at: Mapped[int] = mapped_column(BigInteger)


class UnansweredQuestion(Table):
    """What visitors asked and the bot did not know, told together by its words.

    `key`: SHA-256 of the words it asks by. `asked` is the newest wording. `status`: open, dismissed or linked, then
    `article_id` says where the answer is. `examples`: the newest of the sessions, as `{session, seq, at}`.
    """

    __tablename__ = "unanswered_questions"
    __table_args__ = (
        UniqueConstraint("shop", "lang", "key"),
        Index("ix_unanswered_questions_list", "shop", "status", "times", "id"),
    )

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    shop: Mapped[str] = mapped_column(String(64))
    lang: Mapped[str] = mapped_column(String(2))
    key: Mapped[str] = mapped_column(String(64))
    asked: Mapped[str] = mapped_column(String(500))
    times: Mapped[int] = mapped_column(Integer)
    examples: Mapped[list[dict[str, Any]]] = mapped_column(JSON)
    status: Mapped[str] = mapped_column(String(10))
    article_id: Mapped[str | None] = mapped_column(ForeignKey("articles.id", ondelete="SET NULL"))
    first_at: Mapped[int] = mapped_column(BigInteger)
    last_at: Mapped[int] = mapped_column(BigInteger)


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
