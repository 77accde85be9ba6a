"""What providers call our conversations, kept so that every process goes on with the same one."""

from hashlib import sha256

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite

from kefu.ai.models import ProviderConversation
from kefu.kit.clock import now_ms
from kefu.kit.db import Database


class Conversations:
    """`place`: who the provider is and for whom, in whatever words."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def find(self, place: str, conversation: str) -> str | None:
        async with self._db.read() as tx:
            row = await tx.get(ProviderConversation, (_digest(place), conversation))
        return row.name if row else None

    async def keep(self, place: str, conversation: str, name: str) -> str:
        """The name that holds from now on: that of whoever was first."""
        insert = sqlite.insert if self._db.is_sqlite else postgresql.insert
        row = {"place": _digest(place), "conversation": conversation, "name": name, "created_at": now_ms()}
        kept = select(ProviderConversation.name).where(
            ProviderConversation.place == row["place"], ProviderConversation.conversation == conversation
        )
        async with self._db.write() as tx:
            await tx.execute(insert(ProviderConversation).values(row).on_conflict_do_nothing())
            return (await tx.execute(kept)).scalar_one()


def _digest(place: str) -> str:
    return sha256(place.encode()).hexdigest()
