"""That a reply was sent from a suggestion, beside it in the log; what became of the suggestion is read from there."""

from sqlalchemy.ext.asyncio import AsyncSession

from kefu.log.log import Actor, Fact
from kefu.sessions.service import locked, record, repeated

TYPE = "suggestion.used"


async def used(tx: AsyncSession, name: str, actor: Actor, suggestion_id: str, message_seq: int) -> None:
    """Call it in the transaction that stores the reply. Safe to repeat."""
    key = f"suggestion/{message_seq}"  # no sender may use a slash
    session = await locked(tx, name)
    if not await repeated(tx, name, key):
        facts = {"suggestion_id": suggestion_id, "message_seq": message_seq}
        await record(tx, session, Fact(TYPE, actor, facts, "internal", key))
