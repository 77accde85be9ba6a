"""What becomes of a question where the bot would have answered, had the shop not turned shadow mode on."""

from sqlalchemy.ext.asyncio import AsyncSession

from kefu.log.log import SYSTEM
from kefu.sessions.service import locked, may_answer, moved, record
from kefu.sessions.states import Move
from kefu.sessions.work import AnswerVisitor
from kefu.shops.service import is_shadow


async def leave_to_people(tx: AsyncSession, work: AnswerVisitor) -> bool:
    """In a shop in shadow mode ask for a person where the bot would have answered `work`, whatever the shop's hours.

    False when the bot has to answer after all.
    """
    session = await locked(tx, work.session)
    if not may_answer(session, work):
        return True
    if not await is_shadow(tx, session.shop):
        return False
    await record(tx, session, moved(session, Move.ESCALATE, SYSTEM, reason="shadow", details="", severity="low"))
    return True
