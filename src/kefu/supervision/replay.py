"""A version of the policies run over the log of a session that is past: what would have hit, and what people did."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal
from zoneinfo import ZoneInfo

from kefu.log.log import Actor, Entry
from kefu.sessions.fold import begins_episode, blank, fold
from kefu.sessions.states import Status
from kefu.shops.hours import Hours
from kefu.supervision.rules import Book, Moment, Ruling, asks_for_person
from kefu.supervision.service import scene_of
from kefu.supervision.talk import DECIDED, EVIDENCED, WATCHED, WITHHELD, Step, Talk, step

# What a replay reads of a log: what the policies watch, and what makes a VIP of somebody.
REPLAYED = (*WATCHED, EVIDENCED, "tag.added", "tag.removed")
EXAMPLES = 200
Outcome = Literal["caught", "missed", "false_alarms"]
Found = dict[str, Any]
"""JSON: `fired`, `caught`, `missed`, `false_alarms`, `noted`, `policies`, `days`, `examples`, `sessions`."""
SYSTEM_ACTOR = Actor("system").json()
"""Who asks for a person when a policy does."""


class Replay:
    """One session, judged by one version as it would have been live; nothing is written anywhere.

    After a hit that asks for a person nothing more is judged until the bot is back in by the log. What the log says of
    the policies of its day is left out.
    """

    def __init__(self, book: Book, name: str, hours_of: Callable[[str], Hours]) -> None:
        self._book = book
        self._hours_of = hours_of
        self._session = blank(name)
        self._talk = Talk()
        self._asked: Step | None = None
        self._said: Step | None = None
        self._is_stopped = False
        self.rulings: list[Ruling] = []

    def take(self, event: Entry, one: Step) -> None:
        fold(self._session, event)
        if one.type == DECIDED:
            return
        self._talk.take(one)
        if one.facts.get("to") == Status.BOT_ACTIVE:
            self._is_stopped = False
        if one.type == "message.posted" and one.facts["role"] == "user":
            self._asked = one
            if self._session.status == Status.BOT_ACTIVE:
                self._judge(one)
        elif one.type == "message.posted" and one.facts["role"] == "assistant":
            self._said = one
        elif one.type in {EVIDENCED, WITHHELD}:
            self._answered(one)

    def _answered(self, one: Step) -> None:
        """The evidence stands right behind the answer."""
        said, self._said = self._said, None
        if self._asked is None or self._asked.seq != one.facts["reply_to"] or (one.type == EVIDENCED and said is None):
            return
        facts = {**one.facts, **(said.facts if said else {})}
        self._judge(self._asked, Step(one.seq, "message.posted", one.at, facts))

    def _judge(self, about: Step, answer: Step | None = None) -> None:
        if self._is_stopped:
            return
        scene = scene_of(self._session, self._hours_of(self._session.shop))
        rulings = self._book.judge(Moment(scene, self._talk, about, answer))
        self.rulings += rulings
        self._is_stopped = asks_for_person(rulings)


def replay(book: Book, name: str, events: Sequence[Entry], hours_of: Callable[[str], Hours]) -> list[Ruling]:
    """`events` of the types REPLAYED, in order."""
    replaying = Replay(book, name, hours_of)
    for one in events:
        replaying.take(one, step(one))
    return replaying.rulings


@dataclass(frozen=True, slots=True)
class People:
    """What people did in a session (ms): when somebody came or was asked for, and where that began an episode."""

    came: list[int]
    began: list[tuple[int, int]]
    """Seq and time."""


def people_in(events: Sequence[Entry]) -> People:
    """What a policy of its day did is none of theirs, but that an agent took the session over because of it is."""
    people = People([], [])
    for one in events:
        if one.type not in {"session.escalated", "session.taken_over", "session.deferred"}:
            continue
        if one.type == "session.escalated" and one.actor == SYSTEM_ACTOR:
            continue
        people.came.append(one.at)
        if begins_episode(one.facts):
            people.began.append((one.seq, one.at))
    return people


def blank_found() -> Found:
    counts = dict.fromkeys(("sessions", "fired", "noted", "caught", "missed", "false_alarms", "unreadable"), 0)
    return {**counts, "policies": {}, "days": {}, "examples": {"caught": [], "missed": [], "false_alarms": []}}


@dataclass(slots=True)
class Tally:
    """Counts what hit against what people did. `within`: ms in which a person has to come for a hit to be right."""

    within: int
    zone: str
    found: Found = field(default_factory=blank_found)

    def add(self, name: str, rulings: Sequence[Ruling], people: People) -> None:
        asking = [one for one in rulings if one.policy.does == "escalate"]
        self.found["sessions"] += bool(rulings)
        self.found["noted"] += len(rulings) - len(asking)
        for one in rulings:
            self._of_policy(one)["fired"] += 1
        for one in asking:
            at = one.moment.at
            is_caught = any(at <= came <= at + self.within for came in people.came)
            outcome: Outcome = "caught" if is_caught else "false_alarms"
            self.found["fired"] += 1
            self._day(at)["fired"] += 1
            self._of_policy(one)[outcome] += 1
            self._count(outcome, at, {"session": name, "seq": one.moment.about.seq, "policy": one.policy.id})
        for seq, began in people.began:
            if not any(began - self.within <= one.moment.at <= began for one in asking):
                self._count("missed", began, {"session": name, "seq": seq, "policy": None})

    def _count(self, outcome: Outcome, at: int, example: dict[str, Any]) -> None:
        self.found[outcome] += 1
        self._day(at)[outcome] += 1
        if len(self.found["examples"][outcome]) < EXAMPLES:
            self.found["examples"][outcome].append({**example, "at": at})

    def _of_policy(self, ruling: Ruling) -> dict[str, int]:
        blank_counts = {"fired": 0, "caught": 0, "false_alarms": 0}
        counts: dict[str, int] = self.found["policies"].setdefault(ruling.policy.id, blank_counts)
        return counts

    def _day(self, at: int) -> dict[str, int]:
        day = datetime.fromtimestamp(at / 1000, ZoneInfo(self.zone)).date().isoformat()
        counts: dict[str, int] = self.found["days"].setdefault(
            day, {"fired": 0, "caught": 0, "missed": 0, "false_alarms": 0}
        )
        return counts
