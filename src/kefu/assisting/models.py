"""The tables of what messages say, and of what was suggested to answer them."""

from typing import Any, Literal

from sqlalchemy import JSON, BigInteger, Boolean, Float, ForeignKey, Index, Integer, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from kefu.kit.db import Table

Outcome = Literal["adopted", "edited", "rejected"]


class MessageAnalysis(Table):
    """What one message of a visitor says of them; `seq` is its event's.

    `readings`: for each dimension `{label, sure, words, source: {kind, name}}`, by rules, or since then by a model. The
    labels stand beside it, for reports that count them.
    """

    __tablename__ = "message_analysis"
    __table_args__ = (Index("ix_message_analysis_shop_at", "shop", "at"),)

    session: Mapped[str] = mapped_column(String(80), ForeignKey("sessions.name", ondelete="CASCADE"), primary_key=True)
    seq: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    shop: Mapped[str] = mapped_column(String(40))
    at: Mapped[int] = mapped_column(BigInteger)
    sentiment: Mapped[str] = mapped_column(String(10))
    urgency: Mapped[str] = mapped_column(String(10))
    intent: Mapped[str] = mapped_column(String(20))
    wishes: Mapped[bool] = mapped_column(Boolean)
    readings: Mapped[dict[str, Any]] = mapped_column(JSON)


class Suggestion(Table):
    """A reply that was proposed to the agent for the visitor's message `for_seq`, and what became of it.

    `rank`: 0 is the surest; `confidence` 0…1; `sources`: `{kind, id, title, url, score}` of each thing it rests on;
    `made_by`: `{kind, name}`. `outcome` is null while nobody decided; `sent_seq`: the message that was sent of it, and
    `distance`: how many characters were changed before.
    """

    __tablename__ = "suggestions"
    __table_args__ = (
        Index("ix_suggestions_session_at", "session", "at"),
        Index("ix_suggestions_outcome_at", "outcome_at"),
    )

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    session: Mapped[str] = mapped_column(String(80), ForeignKey("sessions.name", ondelete="CASCADE"))
    for_seq: Mapped[int] = mapped_column(BigInteger)
    at: Mapped[int] = mapped_column(BigInteger)
    rank: Mapped[int] = mapped_column(Integer)
    text: Mapped[str] = mapped_column(Text)
    confidence: Mapped[float] = mapped_column(Float)
    sources: Mapped[list[dict[str, Any]]] = mapped_column(JSON)
    made_by: Mapped[dict[str, str]] = mapped_column(JSON)
    outcome: Mapped[Outcome | None] = mapped_column(String(10))
    outcome_by: Mapped[str | None] = mapped_column(String(40))
    outcome_at: Mapped[int | None] = mapped_column(BigInteger)
    sent_seq: Mapped[int | None] = mapped_column(BigInteger)
    distance: Mapped[int | None] = mapped_column(Integer)
