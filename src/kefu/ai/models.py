"""The table of conversations that providers keep of their own."""

from sqlalchemy import BigInteger, String
from sqlalchemy.orm import Mapped, mapped_column

from kefu.kit.db import Table


class ProviderConversation(Table):
    """What a provider calls one of our conversations. `place`: a digest of who the provider is and for whom."""

    __tablename__ = "provider_conversations"

    place: Mapped[str] = mapped_column(String(64), primary_key=True)
    conversation: Mapped[str] = mapped_column(String(80), primary_key=True)
    name: Mapped[str] = mapped_column(String(100))
    created_at: Mapped[int] = mapped_column(BigInteger)
