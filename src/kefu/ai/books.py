"""What models have cost: by shop, day, provider, model and purpose, and call by call where a budget asks for it.

Money is in millionths of a US dollar. A day is one of the installation's time zone.
"""

from sqlalchemy import BigInteger, Index, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from kefu.kit.db import Table

MICROS = 1_000_000


class ModelUsage(Table):
    """What a shop used of a model on a day (`2026-11-27`) for a purpose. `calls` that failed count too.

    `cost` is by the prices of the time of each call; `unpriced` of the calls are not in it, for nobody had named one.
    """

    __tablename__ = "model_usage"

    shop: Mapped[str] = mapped_column(String(40), primary_key=True)
    day: Mapped[str] = mapped_column(String(10), primary_key=True)
    provider: Mapped[str] = mapped_column(String(40), primary_key=True)
    model: Mapped[str] = mapped_column(String(200), primary_key=True)
    purpose: Mapped[str] = mapped_column(String(40), primary_key=True)
    calls: Mapped[int] = mapped_column(Integer)
    unpriced: Mapped[int] = mapped_column(Integer, default=0, server_default="0")
    tokens_in: Mapped[int] = mapped_column(BigInteger)
    tokens_out: Mapped[int] = mapped_column(BigInteger)
    cost: Mapped[int] = mapped_column(BigInteger)


class ModelCall(Table):
    """A call that counts against a budget: what it is thought to cost until `expires_at`, then what it did cost (null).

    One whose process died expires, and is nobody's any more.
    """

    __tablename__ = "model_calls"
    __table_args__ = (
        Index("ix_model_calls_session", "session"),
        Index("ix_model_calls_visitor_day", "visitor", "day"),
        Index("ix_model_calls_shop_expires_at", "shop", "expires_at"),
        Index("ix_model_calls_at", "at"),
    )

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    shop: Mapped[str] = mapped_column(String(40))
    session: Mapped[str] = mapped_column(String(80))
    visitor: Mapped[str] = mapped_column(String(40))
    day: Mapped[str] = mapped_column(String(10))
    at: Mapped[int] = mapped_column(BigInteger)
    expires_at: Mapped[int | None] = mapped_column(BigInteger)
    tokens: Mapped[int] = mapped_column(BigInteger)
    cost: Mapped[int] = mapped_column(BigInteger)
