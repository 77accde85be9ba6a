"""The table of what each shop has chosen for its bot."""

from typing import Any

from sqlalchemy import JSON, BigInteger, Boolean, ForeignKey, Integer, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from kefu.kit.db import Table
from kefu.kit.sealed import SealedText


class BotSettings(Table):
    """What a shop has chosen for its bot; a shop without a row has chosen nothing.

    `provider`: None where the settings of the installation decide, with all that belongs to it. `key`: the provider's,
    for `url` alone; for coze a private key (PEM). `coze`: app_id, workflow_id, client_id, public_key_id. `persona`: who
    the bot is in the prompt, `prompt`: what the shop adds to it. `budgets`: `bot_settings.Budgets`. `version` counts
    the changes; who made them and what was there before stands in the audit log.
    """

    __tablename__ = "bot_settings"

    shop: Mapped[str] = mapped_column(String(40), ForeignKey("shops.id", ondelete="CASCADE"), primary_key=True)
    provider: Mapped[str | None] = mapped_column(String(20))
    url: Mapped[str] = mapped_column(String(400), default="", server_default="")
    key: Mapped[str | None] = mapped_column(SealedText)
    model: Mapped[str] = mapped_column(String(200), default="", server_default="")
    cheaper_model: Mapped[str] = mapped_column(String(200), default="", server_default="")
    embedding_model: Mapped[str] = mapped_column(String(200), default="", server_default="")
    deployment: Mapped[str] = mapped_column(String(200), default="", server_default="")
    api_version: Mapped[str] = mapped_column(String(40), default="", server_default="")
    coze: Mapped[dict[str, str]] = mapped_column(JSON, default=dict, server_default="{}")
    persona: Mapped[str] = mapped_column(String(80), default="", server_default="")
    prompt: Mapped[str] = mapped_column(Text, default="", server_default="")
    mask_pii: Mapped[bool] = mapped_column(Boolean, default=True, server_default=text("true"))
    budgets: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict, server_default="{}")
    version: Mapped[int] = mapped_column(Integer, default=0, server_default="0")
    updated_at: Mapped[int] = mapped_column(BigInteger)
    updated_by: Mapped[str] = mapped_column(String(40))
