"""Work that a session asks for. Others do it: `main` maps each to its handler."""

from dataclasses import dataclass
from typing import ClassVar

from kefu.jobs.queue import Lane, Work


@dataclass(frozen=True, slots=True)
class AnswerVisitor(Work):
    """The bot's turn for the visitor's message `seq`, begun in `epoch`."""

    kind: ClassVar[str] = "answer_visitor"
    lane: ClassVar[Lane] = "talk"

    session: str
    seq: int
    epoch: int


@dataclass(frozen=True, slots=True)
class TagByRules(Work):
    """Give the session the tags whose rules fit it: a person's part in it ended, or it was rated."""

    kind: ClassVar[str] = "tag_by_rules"
    lane: ClassVar[Lane] = "bulk"

    session: str


@dataclass(frozen=True, slots=True)
class CloseIdle(Work):
    """Close the sessions in which nothing has happened for long. Recurring."""

    kind: ClassVar[str] = "close_idle"
    lane: ClassVar[Lane] = "bulk"
