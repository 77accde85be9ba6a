"""A session's log from its end backwards, so that a long conversation opens at what was said last."""

from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field
from sqlalchemy import case, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from kefu.log.log import COLUMNS, Entry, acted
from kefu.log.models import Event
from kefu.sessions.models import stream_of
from kefu.sessions.schemas import MAX_SEQ

SAID = "message.posted"
# Of these there are as many as messages. All else tells how the session stands, and is read whole.
LEFT_OUT = (SAID, "answer.evidenced")


class StretchQuery(BaseModel):
    """`before`: a seq, without it the end of the log; `limit`: messages."""

    before: Annotated[int, Field(ge=1, le=MAX_SEQ)] | None = None
    limit: Annotated[int, Field(ge=1, le=500)] = 200


class StretchOut(BaseModel):
    """Everything from the seq `first` on, as far as was asked for.

    With the end of the log also what came before, but messages and their evidence. `messages`, and `theirs` of the
    visitor among them, are how many stand before `first`.
    """

    events: list[dict[str, Any]]
    first: int
    messages: int
    theirs: int


class StretchData(BaseModel):
    success: Literal[True] = True
    data: StretchOut


@dataclass(frozen=True, slots=True)
class Stretch:
    """`messages` and `theirs` (the visitor's) stand before `first`."""

    entries: list[Entry]
    first: int
    messages: int
    theirs: int


async def stretch(tx: AsyncSession, name: str, before: int | None, limit: int) -> Stretch:
    """The last `limit` messages before the seq `before`, with all that happened between them, oldest first.

    With the end of the log (`before` is None) also what happened earlier and was not said.
    """
    of_session = Event.stream == stream_of(name)
    until = [] if before is None else [Event.seq < before]
    earliest = select(Event.seq).where(of_session, Event.type == SAID, *until).order_by(Event.seq.desc())
    first = (await tx.execute(earliest.offset(limit - 1).limit(1))).scalar_one_or_none() or 1
    is_wanted = Event.seq >= first
    if before is None:
        is_wanted |= Event.type.not_in(LEFT_OUT)
    rows = await tx.execute(select(*COLUMNS).where(of_session, *until, is_wanted).order_by(Event.seq))
    count = func.count(), func.coalesce(func.sum(case((acted("visitor"), 1), else_=0)), 0)
    earlier = select(*count).where(of_session, Event.type == SAID, Event.seq < first)
    messages, theirs = (await tx.execute(earlier)).one()
    return Stretch([Entry(*row) for row in rows], first, messages, int(theirs))
