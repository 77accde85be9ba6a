"""The tables of the visitor funnel: pages that were looked at, and what became of the sessions begun there.

A page is `https://shop.example/bikes`, without query; a referrer is the site before it, "" for none; both are "" where
the visitor did not let them be counted. A day (`2026-11-27`) is one of the installation's time zone.
"""

from sqlalchemy import BigInteger, ForeignKey, Index, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from kefu.kit.db import Table


class FunnelPage(Table):
    """How often the chat was seen and opened on a page on a day, as browsers tell."""

    __tablename__ = "funnel_pages"

    shop: Mapped[str] = mapped_column(String(40), primary_key=True)
    day: Mapped[str] = mapped_column(String(10), primary_key=True)
    page: Mapped[str] = mapped_column(String(300), primary_key=True)
    referrer: Mapped[str] = mapped_column(String(200), primary_key=True)
    impressions: Mapped[int] = mapped_column(Integer)
    opens: Mapped[int] = mapped_column(Integer)


class FunnelSession(Table):
    """What became of a session, from its log: when each thing happened first (ms), null while it has not.

    `day`: on which it was opened, so that the stages of one row belong together however long they take.
    """

    __tablename__ = "funnel_sessions"
    __table_args__ = (Index("ix_funnel_sessions_shop_day", "shop", "day"), Index("ix_funnel_sessions_day", "day"))

    session: Mapped[str] = mapped_column(String(80), ForeignKey("sessions.name", ondelete="CASCADE"), primary_key=True)
    shop: Mapped[str] = mapped_column(String(40))
    day: Mapped[str] = mapped_column(String(10))
    page: Mapped[str] = mapped_column(String(300))
    referrer: Mapped[str] = mapped_column(String(200))
    first_message_at: Mapped[int | None] = mapped_column(BigInteger)
    answered_at: Mapped[int | None] = mapped_column(BigInteger)
    escalated_at: Mapped[int | None] = mapped_column(BigInteger)
    rated_at: Mapped[int | None] = mapped_column(BigInteger)
    closed_at: Mapped[int | None] = mapped_column(BigInteger)
