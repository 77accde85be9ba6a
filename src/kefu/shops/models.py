"""The shops table."""

from typing import Any

from sqlalchemy import JSON, BigInteger, Boolean, String
from sqlalchemy.orm import Mapped, mapped_column

from kefu.kit.db import Table
from kefu.kit.i18n import Text


class Shop(Table):
    """A shop.

    Texts are `{"zh": …, "en": …}`; `suggestions` is a list of first questions per language; `color` is `#rrggbb`.
    `routing`: how those who wait come to an agent (`routing.rules.Routing`); `crowded_at`: since when
    so many wait that the team was told, None otherwise.
    """

    __tablename__ = "shops"

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    name: Mapped[Text] = mapped_column(JSON)
    locales: Mapped[list[str]] = mapped_column(JSON)
    bot_name: Mapped[Text] = mapped_column(JSON)
    description: Mapped[Text] = mapped_column(JSON)
    welcome: Mapped[Text] = mapped_column(JSON)
    suggestions: Mapped[dict[str, list[str]]] = mapped_column(JSON)
    color: Mapped[str] = mapped_column(String(7))
    is_demo: Mapped[bool] = mapped_column(Boolean)
    is_default: Mapped[bool] = mapped_column(Boolean)
    routing: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict, server_default="{}")
    crowded_at: Mapped[int | None] = mapped_column(BigInteger)
    created_at: Mapped[int] = mapped_column(BigInteger)
