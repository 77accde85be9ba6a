"""The events table."""

from sqlalchemy import BigInteger, Index, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from kefu.kit.db import Big, Table
from kefu.kit.sealed import OpenedText


class Event(Table):
    """One thing that happened. Rows are never changed, but for the key that seals something in them.

    `stream` is `session/<name>` and the like; `seq` is gapless per stream from 1; `position` identifies the row. On
    SQLite it is also the order of the commits; on PostgreSQL it is not, and `xid`, the transaction that wrote the row,
    tells what is complete (`feed.py`); there alone `xid` has a default of its own and an index (migration 0002).

    `audience` is `public` or `internal`: what a visitor reads is filtered on it. `actor` and `payload` are JSON text,
    kept as written so that a frame is made without parsing; what `private.PRIVATE` names is sealed in the payload.
    """

    __tablename__ = "events"
    __table_args__ = (
        UniqueConstraint("stream", "seq"),
        Index(
            "uq_events_stream_client_msg_id",
            "stream",
            "client_msg_id",
            unique=True,
            sqlite_where=text("client_msg_id IS NOT NULL"),
            postgresql_where=text("client_msg_id IS NOT NULL"),
        ),
    )

    position: Mapped[int] = mapped_column(Big, primary_key=True, autoincrement=True)
    stream: Mapped[str] = mapped_column(String(120))
    seq: Mapped[int] = mapped_column(BigInteger)
    type: Mapped[str] = mapped_column(String(60))
    audience: Mapped[str] = mapped_column(String(10))
    actor: Mapped[str] = mapped_column(Text)
    payload: Mapped[str] = mapped_column(OpenedText)
    client_msg_id: Mapped[str | None] = mapped_column(String(64))
    at: Mapped[int] = mapped_column(BigInteger)
    xid: Mapped[int] = mapped_column(BigInteger, server_default="0")
