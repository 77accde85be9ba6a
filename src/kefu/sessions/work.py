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
class AssignWaiting(Work):
    """Offer those who wait to agents with room, in shops that are set to it. Repeating it offers nothing twice."""

    kind: ClassVar[str] = "assign_waiting"
    lane: ClassVar[Lane] = "talk"


@dataclass(frozen=True, slots=True)
class DraftInShadow(Work):
    """Note what the bot would have said in place of the agent's message `seq`."""

    kind: ClassVar[str] = "draft_in_shadow"
    lane: ClassVar[Lane] = "bulk"

    session: str
    seq: int


@dataclass(frozen=True, slots=True)
class IndexMessages(Work):
    """Bring the search up to the end of the log. Recurring."""

    kind: ClassVar[str] = "index_messages"
    lane: ClassVar[Lane] = "bulk"


@dataclass(frozen=True, slots=True)
class CollectQuestions(Work):
    """Gather what the bot did not know, up to the end of the log. Recurring."""

    kind: ClassVar[str] = "collect_questions"
    lane: ClassVar[Lane] = "bulk"


@dataclass(frozen=True, slots=True)
class FollowFunnel(Work):
    """Bring the visitor funnel up to the end of the log. Recurring."""

    kind: ClassVar[str] = "follow_funnel"
    lane: ClassVar[Lane] = "bulk"


@dataclass(frozen=True, slots=True)
class SendAfterHoursMail(Work):
    """Tell the team by mail what the visitor left in this episode."""

    kind: ClassVar[str] = "send_after_hours_mail"
    lane: ClassVar[Lane] = "bulk"

    session: str
    episode: int


@dataclass(frozen=True, slots=True)
class SendMailReply(Work):
    """Send the agent's message `seq` to the visitor by mail."""

    kind: ClassVar[str] = "send_mail_reply"
    lane: ClassVar[Lane] = "bulk"

    session: str
    seq: int


@dataclass(frozen=True, slots=True)
class TagByRules(Work):
    """Give the session the tags whose rules fit it: a person's part in it ended, or it was rated."""

    kind: ClassVar[str] = "tag_by_rules"
    lane: ClassVar[Lane] = "bulk"

    session: str


@dataclass(frozen=True, slots=True)
class WritePacket(Work):
    """Sum up for whoever takes over why a person was asked for in this episode. Nobody's answer holds it up."""

    kind: ClassVar[str] = "write_packet"
    lane: ClassVar[Lane] = "desk"

    session: str
    episode: int


@dataclass(frozen=True, slots=True)
class CloseIdle(Work):
    """Close the sessions in which nothing has happened for long. Recurring."""

    kind: ClassVar[str] = "close_idle"
    lane: ClassVar[Lane] = "bulk"
