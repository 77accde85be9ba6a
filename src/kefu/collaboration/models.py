"""The tables of what the team works with: its tags and its quick replies."""

from typing import Any

from sqlalchemy import JSON, BigInteger, Boolean, Index, Integer, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from kefu.kit.db import Table
from kefu.kit.i18n import Text as Words


class Tag(Table):
    """A tag of the team's own, or a preset as the team changed it; presets nobody changed have no row (`tags.py`).

    `name_key` makes names unique whatever their case. `color` is `#rrggbb`. `rules`: any of them gives it to a session.
    """

    __tablename__ = "tags"

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    name: Mapped[Words] = mapped_column(JSON)
    name_key: Mapped[str] = mapped_column(String(80), unique=True)
    group: Mapped[str] = mapped_column(String(20))
    color: Mapped[str] = mapped_column(String(7))
    icon: Mapped[str] = mapped_column(String(16))
    description: Mapped[str] = mapped_column(String(200))
    rules: Mapped[list[dict[str, Any]]] = mapped_column(JSON)
    is_archived: Mapped[bool] = mapped_column(Boolean)
    created_at: Mapped[int] = mapped_column(BigInteger)


class QuickReply(Table):
    """A text to answer with. `owner`: whose it is, an agent's id, or empty when it is the whole team's.

    `shortcut`: 1 to 9, unique for its owner. `words`: title and content as they are searched.
    """

    __tablename__ = "quick_replies"
    __table_args__ = (
        UniqueConstraint("owner", "shortcut"),
        Index("ix_quick_replies_owner_usage", "owner", "usage_count", "id"),
    )

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    owner: Mapped[str] = mapped_column(String(40))
    created_by: Mapped[str] = mapped_column(String(40))
    category: Mapped[str] = mapped_column(String(20))
    title: Mapped[str] = mapped_column(String(50))
    content: Mapped[str] = mapped_column(Text)
    words: Mapped[str] = mapped_column(Text)
    shortcut: Mapped[int | None] = mapped_column(Integer)
    usage_count: Mapped[int] = mapped_column(Integer, default=0)
    used_at: Mapped[int | None] = mapped_column(BigInteger)
    created_at: Mapped[int] = mapped_column(BigInteger)
    updated_at: Mapped[int] = mapped_column(BigInteger)

    @property
    def is_shared(self) -> bool:
        return not self.owner
