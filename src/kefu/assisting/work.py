"""Work that stands beside the people who serve. `main` maps each to its handler."""

from dataclasses import dataclass
from typing import ClassVar

from kefu.jobs.queue import Lane, Work


@dataclass(frozen=True, slots=True)
class ReadMessages(Work):
    """Read what visitors wrote, and what became of suggestions, up to the end of the log. Recurring."""

    kind: ClassVar[str] = "read_messages"
    lane: ClassVar[Lane] = "bulk"


@dataclass(frozen=True, slots=True)
class PrepareHelp(Work):
    """Have suggestions ready for the visitor's message `seq`; void when there is a newer one."""

    kind: ClassVar[str] = "prepare_help"
    lane: ClassVar[Lane] = "bulk"

    session: str
    seq: int
