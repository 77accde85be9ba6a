"""What single agents were told, for a minute: so the processes that no bus reaches find it too."""

from sqlalchemy import BigInteger, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from kefu.kit.db import Table


class Telling(Table):
    """`data`: the JSON object as it is sent, with this row's `id` in it; `at`: when it was told, ms."""

    __tablename__ = "tellings"
    __table_args__ = (Index("ix_tellings_at", "at"),)

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    agent_id: Mapped[str] = mapped_column(String(40))
    type: Mapped[str] = mapped_column(String(60))
    data: Mapped[str] = mapped_column(Text)
    at: Mapped[int] = mapped_column(BigInteger)
