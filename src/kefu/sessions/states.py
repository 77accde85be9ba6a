"""The states of a session and the moves between them: one table (spec S1). `docs/states.svg` is drawn from it."""

from enum import StrEnum
from typing import ClassVar

from kefu.kit.errors import Conflict
from kefu.kit.i18n import Text


class Status(StrEnum):
    BOT_ACTIVE = "bot_active"
    PENDING_MANUAL = "pending_manual"
    MANUAL_LIVE = "manual_live"
    AFTER_HOURS_EMAIL = "after_hours_email"
    CLOSED = "closed"


class Move(StrEnum):
    """What can be done to a session. The value is the type of the event it leaves in the log."""

    ESCALATE = "session.escalated"
    TAKE_OVER = "session.taken_over"
    TRANSFER = "session.transferred"
    LOSE_AGENT = "session.agent_lost"
    RELEASE = "session.released"
    RETURN = "session.returned"
    DEFER = "session.deferred"
    CLOSE = "session.closed"
    REOPEN = "session.reopened"


MOVES: dict[tuple[Status, Move], Status] = {
    (Status.BOT_ACTIVE, Move.ESCALATE): Status.PENDING_MANUAL,
    (Status.BOT_ACTIVE, Move.DEFER): Status.AFTER_HOURS_EMAIL,
    (Status.BOT_ACTIVE, Move.TAKE_OVER): Status.MANUAL_LIVE,
    (Status.BOT_ACTIVE, Move.CLOSE): Status.CLOSED,
    (Status.PENDING_MANUAL, Move.TAKE_OVER): Status.MANUAL_LIVE,
    (Status.PENDING_MANUAL, Move.RETURN): Status.BOT_ACTIVE,
    (Status.PENDING_MANUAL, Move.DEFER): Status.AFTER_HOURS_EMAIL,
    (Status.PENDING_MANUAL, Move.CLOSE): Status.CLOSED,
    (Status.MANUAL_LIVE, Move.TRANSFER): Status.MANUAL_LIVE,
    (Status.MANUAL_LIVE, Move.LOSE_AGENT): Status.PENDING_MANUAL,
    (Status.MANUAL_LIVE, Move.RELEASE): Status.BOT_ACTIVE,
    (Status.MANUAL_LIVE, Move.CLOSE): Status.CLOSED,
    (Status.AFTER_HOURS_EMAIL, Move.TAKE_OVER): Status.MANUAL_LIVE,
    (Status.AFTER_HOURS_EMAIL, Move.RETURN): Status.BOT_ACTIVE,
    (Status.AFTER_HOURS_EMAIL, Move.CLOSE): Status.CLOSED,
    (Status.CLOSED, Move.REOPEN): Status.BOT_ACTIVE,
}

# What makes everything begun before it stale (spec S4).
RAISES_EPOCH = {Move.TAKE_OVER, Move.TRANSFER, Move.RELEASE, Move.CLOSE}


class InvalidStatus(Conflict):
    """`status`: where the session stands; `move`: what was asked of it."""

    code = "INVALID_STATUS"
    text: ClassVar[Text] = {
        "en": "This is not possible while the conversation is {status}.",
        "zh": "会话当前状态为 {status}，无法执行此操作。",
    }


def move(status: Status, what: Move) -> Status:
    """The next state. Raises InvalidStatus for a pair that is not in the table."""
    try:
        return MOVES[status, what]
    except KeyError:
        raise InvalidStatus(status=status.value, move=what.value) from None
