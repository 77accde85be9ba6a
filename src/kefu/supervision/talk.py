"""What the policies know of a session: a fold of its log, the same whether it is read live or years later."""

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from kefu.log.log import Entry
from kefu.sessions.queries import MOVE_TYPES
from kefu.sessions.states import Status

DECIDED, WITHHELD = "policy.decided", "answer.withheld"
# What costs stands beside each answer, with the passages: it is read only where a policy asks for it.
EVIDENCED = "answer.evidenced"
WATCHED = ("session.opened", "message.posted", WITHHELD, DECIDED, *MOVE_TYPES)
# As many as any policy may ask for in a row.
REMEMBERED = 20


@dataclass(frozen=True, slots=True)
class Step:
    """An event, parsed once."""

    seq: int
    type: str
    at: int
    facts: dict[str, Any]


def step(event: Entry) -> Step:
    return Step(event.seq, event.type, event.at, event.facts)


@dataclass(slots=True)
class Talk:
    """The session up to some step. Times are ms; `since` and `written` count from when the bot last came in.

    `said`: the visitor's newest messages; `answers`: the bot's newest, none from before a person's part; `fired`: when
    each policy last hit, by its id; `settled`: the message up to which nothing is left to be judged;
    `closed_about`: the newest message on which a hit found nobody there; `cost` in US dollars, of models with a price.
    """

    since: int = 0
    written: int = 0
    cost: float = 0.0
    settled: int = 0
    closed_about: int = 0
    said: deque[Step] = field(default_factory=lambda: deque(maxlen=REMEMBERED))
    answers: deque[Step] = field(default_factory=lambda: deque(maxlen=REMEMBERED))
    fired: dict[str, int] = field(default_factory=dict)

    def take(self, one: Step) -> None:
        self.since = self.since or one.at  # of a long log the beginning is not looked at
        if one.type == "message.posted":
            self._heard(one)
        elif one.type == WITHHELD:
            self._answered(one)
        elif one.type == EVIDENCED:
            self.cost += one.facts["cost"] or 0.0
        elif one.facts.get("to") == Status.BOT_ACTIVE or one.type == "session.opened":
            self.since, self.written, self.settled = one.at, 0, one.seq
            self.answers.clear()

    def _heard(self, one: Step) -> None:
        role = one.facts["role"]
        if role == "user":
            self.said.append(one)
            self.written += 1
        elif role == "assistant":
            self._answered(one)
        else:
            self.answers.clear()

    def _answered(self, one: Step) -> None:
        self.answers.append(one)
        self.cost += (one.facts["cost"] or 0.0) if one.type == WITHHELD else 0
        self.settled = max(self.settled, one.facts["reply_to"])

    def decided(self, facts: dict[str, Any]) -> None:
        """A hit that is in the log, or would be."""
        self.fired[facts["policy"]] = facts["moment"]
        if facts["effect"] == "closed":
            self.closed_about = facts["about"]


def unjudged(steps: Iterable[Step]) -> Iterator[tuple[Step, Talk]]:
    """Each message of the visitor that is still to be judged, with the talk up to it.

    One that was hit is judged; so is whatever the bot answered, or came before it was the bot's turn again.
    """
    known = list(steps)
    whole = told(known)
    judged = (one.facts["about"] for one in known if one.type == DECIDED and one.facts["point"] == "question")
    settled = max(whole.settled, *judged, 0)
    talk = Talk(fired=whole.fired)
    for one in known:
        talk.take(one)
        if one.type == "message.posted" and one.facts["role"] == "user" and one.seq > settled:
            yield one, talk


def told(steps: Iterable[Step]) -> Talk:
    """The whole of it, with its hits."""
    talk = Talk()
    for one in steps:
        talk.take(one)
        if one.type == DECIDED:
            talk.decided(one.facts)
    return talk
