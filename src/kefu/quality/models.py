"""The tables of golden questions, of what they came to, and of what the bot would have said. Times are milliseconds."""

from typing import Any

from sqlalchemy import JSON, BigInteger, Boolean, Float, ForeignKey, Index, Integer, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from kefu.kit.db import Table
from kefu.kit.sealed import SealedText


class GoldenQuestion(Table):
    """A question of the shop's golden set (`golden.Golden`). `articles`: ids; `history`: `{role, content}` each."""

    __tablename__ = "golden_questions"
    __table_args__ = (Index("ix_golden_questions_shop_created_at", "shop", "created_at"),)

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    shop: Mapped[str] = mapped_column(String(40), ForeignKey("shops.id", ondelete="CASCADE"))
    lang: Mapped[str] = mapped_column(String(2))
    kind: Mapped[str] = mapped_column(String(12))
    question: Mapped[str] = mapped_column(Text)
    articles: Mapped[list[str]] = mapped_column(JSON)
    history: Mapped[list[dict[str, str]]] = mapped_column(JSON)
    created_at: Mapped[int] = mapped_column(BigInteger)


class GoldenRun(Table):
    """All golden questions of a shop, asked once.

    `done` of `total` are asked; `finished_at` is null while it runs. `scores`: by language and measure
    (`scoring.Score`); `wrong`: what became of the questions that were not right, with their text. `set_version`:
    `golden.version_of`. `settings`: a digest of what answered, by which a later run knows it again.

    `compared`: what nobody could judge, and why. Of a run that tries other settings of the bot also: `candidate`, these
    as JSON while they wait; `verdict`, what became of them (`settings_gate.Fate`), with what broke in `compared`.
    """

    __tablename__ = "golden_runs"
    __table_args__ = (Index("ix_golden_runs_shop_created_at", "shop", "created_at"),)

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    shop: Mapped[str] = mapped_column(String(40), ForeignKey("shops.id", ondelete="CASCADE"))
    set_version: Mapped[str] = mapped_column(String(12))
    knowledge_version: Mapped[int] = mapped_column(Integer)
    provider: Mapped[str] = mapped_column(String(60))
    total: Mapped[int] = mapped_column(Integer)
    done: Mapped[int] = mapped_column(Integer)
    right: Mapped[int] = mapped_column(Integer)
    settings: Mapped[str] = mapped_column(String(64), default="", server_default="")
    candidate: Mapped[str | None] = mapped_column(SealedText)
    verdict: Mapped[str] = mapped_column(String(12), default="", server_default="")
    compared: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict, server_default="{}")
    scores: Mapped[dict[str, Any]] = mapped_column(JSON)
    wrong: Mapped[list[dict[str, Any]]] = mapped_column(JSON)
    started_by: Mapped[str] = mapped_column(String(80))
    created_at: Mapped[int] = mapped_column(BigInteger)
    finished_at: Mapped[int | None] = mapped_column(BigInteger)


class ShadowDraft(Table):
    """What the bot would have said in place of the reply `seq` of a person; its words stand in the session's log.

    `agreement`: `shadow.agreement`, 0…1. `same_article`: whether the reply names an article that the bot cites; null
    when it names none.
    """

    __tablename__ = "shadow_drafts"
    __table_args__ = (Index("ix_shadow_drafts_shop_at", "shop", "at"),)

    session: Mapped[str] = mapped_column(String(80), primary_key=True)
    seq: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    shop: Mapped[str] = mapped_column(String(40))
    intent: Mapped[str] = mapped_column(String(60))
    answered: Mapped[bool] = mapped_column(Boolean)
    agreement: Mapped[float] = mapped_column(Float)
    same_article: Mapped[bool | None] = mapped_column(Boolean)
    at: Mapped[int] = mapped_column(BigInteger)
