"""The tables of shops and of their secrets."""

from typing import Any, Literal

from sqlalchemy import JSON, BigInteger, Boolean, ForeignKey, Integer, String, text
from sqlalchemy.orm import Mapped, mapped_column

from kefu.kit.db import Table
from kefu.kit.i18n import Text
from kefu.kit.sealed import SealedText, Token

SHOP_ID = r"^[a-z0-9][a-z0-9\-]{0,39}$"
IdentityMode = Literal["off", "report", "enforce"]


class Shop(Table):
    """A shop.

    Texts are `{"zh": …, "en": …}`; `suggestions` is a list of first questions per language; `color` is `#rrggbb`.
    `hours` is a `shops.hours.Hours`, None where the settings decide; `hours_version` counts the changes of it and of
    `mail_to`, the addresses that hear of after-hours messages instead of EMAIL_RECIPIENTS.
    `routing`: how those who wait come to an agent (`routing.rules.Routing`); `crowded_at`: since when
    so many wait that the team was told, None otherwise.
    `identity_mode`: what is done with an identity that a visitor claims; with `identity_required` nobody opens a
    session without one. `origins`: the sites of the shop's pages, None for those of the settings.
    `security_version` counts the changes of these three. `index_key`: makes the ids of customers' visits
    (`customer_ids.py`), None for a shop that had secrets before there was one. `is_shadow`: people answer, and the bot
    only notes what it would have said. `look`: a `shops.look.Look`, None for what the shop was made with;
    `look_version` counts its changes. `invitations`: a list of `shops.invitations.Invitation`;
    `invitations_version` counts its changes.
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
    hours: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    hours_version: Mapped[int] = mapped_column(Integer, default=0, server_default="0")
    mail_to: Mapped[list[str]] = mapped_column(JSON, default=list, server_default="[]")
    routing: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict, server_default="{}")
    crowded_at: Mapped[int | None] = mapped_column(BigInteger)
    identity_mode: Mapped[IdentityMode] = mapped_column(String(10), default="off", server_default="off")
    identity_required: Mapped[bool] = mapped_column(Boolean, default=False, server_default=text("false"))
    origins: Mapped[list[str] | None] = mapped_column(JSON(none_as_null=True))
    index_key: Mapped[str | None] = mapped_column(SealedText)
    security_version: Mapped[int] = mapped_column(Integer, default=0, server_default="0")
    is_shadow: Mapped[bool] = mapped_column(Boolean, default=False, server_default=text("false"))
    look: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    look_version: Mapped[int] = mapped_column(Integer, default=0, server_default="0")
    invitations: Mapped[list[dict[str, Any]]] = mapped_column(JSON, default=list, server_default="[]")
    invitations_version: Mapped[int] = mapped_column(Integer, default=0, server_default="0")
    created_at: Mapped[int] = mapped_column(BigInteger)


class ShopSecret(Table):
    """With what a shop's server signs who its customer is. `sealed` (`kit.secrets.Sealer`); retired ones are void."""

    __tablename__ = "shop_secrets"

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    shop: Mapped[str] = mapped_column(String(40), ForeignKey("shops.id", ondelete="CASCADE"), index=True)
    sealed: Mapped[str] = mapped_column(Token)
    created_at: Mapped[int] = mapped_column(BigInteger)
    retired_at: Mapped[int | None] = mapped_column(BigInteger)
