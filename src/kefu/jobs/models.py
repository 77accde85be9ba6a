"""The jobs table. A row is work not yet finished; finished work leaves no row."""

from sqlalchemy import BigInteger, Boolean, Index, Integer, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from kefu.kit.db import Big, Table


class Job(Table):
    """`lane`: talk (answers, every app process) or bulk (mail, parsing, export).

    `leased_until`: null or ms; a passed lease may be taken over.

    `is_dead`: gave up after `queue.MAX_ATTEMPTS`; kept with `last_error` to be looked at and retried.

    `key`: names recurring work, of which there is one row that is never finished, only due again.
    """

    __tablename__ = "jobs"
    __table_args__ = (
        Index("ix_jobs_due", "lane", "run_at", sqlite_where=text("is_dead = 0"), postgresql_where=text("NOT is_dead")),
        Index(
            "uq_jobs_key",
            "key",
            unique=True,
            sqlite_where=text("key IS NOT NULL"),
            postgresql_where=text("key IS NOT NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(Big, primary_key=True, autoincrement=True)
    lane: Mapped[str] = mapped_column(String(10))
    kind: Mapped[str] = mapped_column(String(60))
    key: Mapped[str | None] = mapped_column(String(80))
    payload: Mapped[str] = mapped_column(Text)
    run_at: Mapped[int] = mapped_column(BigInteger)
    attempts: Mapped[int] = mapped_column(Integer, default=0, server_default="0")
    leased_until: Mapped[int | None] = mapped_column(BigInteger)
    leased_by: Mapped[str | None] = mapped_column(String(64))
    is_dead: Mapped[bool] = mapped_column(Boolean, default=False, server_default=text("false"))
    last_error: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[int] = mapped_column(BigInteger)
