"""What a policy is: data, written by the team, the same for HTTP, for the database and for who decides."""

from collections.abc import Iterable
from typing import Annotated, Literal, get_args

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from kefu.sessions.models import Severity
from kefu.supervision.lexicon import Topic
from kefu.supervision.matching import BadPattern, compiled

Kind = Literal[
    "keyword",
    "regex",
    "topic",
    "sentiment",
    "vip",
    "order_value",
    "spend",
    "time",
    "fail_loop",
    "low_confidence",
]
Point = Literal["question", "answer"]
# What can only be judged when the bot's answer is there; everything else is judged before it begins.
OF_ANSWERS: frozenset[Kind] = frozenset({"fail_loop", "low_confidence"})
MOST = 100
ESCALATIONS: dict[Kind, str] = {"vip": "vip", "fail_loop": "fail_loop", "sentiment": "sentiment"}
BY_WORDS: frozenset[Kind] = frozenset({"keyword", "regex", "topic"})


class Part(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


def _said(value: str) -> str:
    if not value.strip():
        raise PydanticCustomError("blank", "blank")
    return value.strip()


def _is_pattern(value: str) -> str:
    """Refuses what the engine does not take, and says where in the pattern."""
    try:
        compiled(value)
    except BadPattern as bad:
        raise PydanticCustomError("bad_pattern", "bad pattern", {"position": bad.position, "what": bad.what}) from None
    return value


def _each_once(values: list[str]) -> list[str]:
    return list(dict.fromkeys(values))


Phrase = Annotated[
    str, StringConstraints(min_length=1, max_length=60, pattern=r"^[^\x00-\x1f]*$"), AfterValidator(_said)
]
Name = Annotated[str, StringConstraints(max_length=60, pattern=r"^[^\x00-\x1f]*$"), AfterValidator(_said)]
Count = Annotated[int, Field(ge=1, le=20)]


class Names(Part):
    en: Name
    zh: Name


class Keyword(Part):
    """`match`: `word` finds a phrase where words begin and end (Chinese is cut into words first), `inside` anywhere."""

    kind: Literal["keyword"]
    words: Annotated[list[Phrase], Field(min_length=1, max_length=100), AfterValidator(_each_once)]
    match: Literal["word", "inside"] = "word"


class Regex(Part):
    """RE2, upper and lower case alike."""

    kind: Literal["regex"]
    pattern: Annotated[
        str, StringConstraints(min_length=1, max_length=1000, pattern=r"^[^\x00]*$"), AfterValidator(_is_pattern)
    ]


class TopicRule(Part):
    kind: Literal["topic"]
    topics: Annotated[list[Topic], Field(min_length=1), AfterValidator(_each_once)]


class Sentiment(Part):
    """So many messages of the visitor in a row that sound unhappy."""

    kind: Literal["sentiment"]
    in_a_row: Count = 2


class Vip(Part):
    kind: Literal["vip"]


class OrderValue(Part):
    """A sum of money that the visitor names, in whatever currency."""

    kind: Literal["order_value"]
    at_least: Annotated[float, Field(gt=0, le=1e9)]


class Spend(Part):
    """US dollars that the bot's answers in the session have cost."""

    kind: Literal["spend"]
    at_least: Annotated[float, Field(gt=0, le=1e6)]


class Time(Part):
    """How long the visitor talks with the bot already: minutes, or messages that they wrote."""

    kind: Literal["time"]
    measure: Literal["minutes", "messages"] = "messages"
    at_least: Annotated[int, Field(ge=1, le=10_000)]


class FailLoop(Part):
    """So many answers in a row without evidence, or with one of these apologies."""

    kind: Literal["fail_loop"]
    in_a_row: Count = 3
    apologies: Annotated[list[Phrase], Field(max_length=100), AfterValidator(_each_once)] = []


class LowConfidence(Part):
    """The best passage under an answer has a lower score than this."""

    kind: Literal["low_confidence"]
    below: Annotated[float, Field(gt=0, le=1)]


Rule = Annotated[
    Keyword | Regex | TopicRule | Sentiment | Vip | OrderValue | Spend | Time | FailLoop | LowConfidence,
    Field(discriminator="kind"),
]


class Policy(Part):
    """`priority`: 1 is looked at first. `shop`: null for all. `hours`: when it holds, by the shop's hours.

    `dry_run`: it only writes down what it would have done. `tag`: the one to give, for `does: tag`.
    """

    id: Annotated[str, StringConstraints(pattern=r"^pol_[a-z0-9_]{1,36}$")]
    name: Names
    rule: Rule
    shop: Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9\-]{0,39}$")] | None = None
    hours: Literal["any", "open", "closed"] = "any"
    severity: Severity = "medium"
    priority: Annotated[int, Field(ge=1, le=MOST)] = 50
    cooldown_minutes: Annotated[int, Field(ge=0, le=10_080)] = 0
    enabled: bool = True
    dry_run: bool = False
    does: Literal["escalate", "tag", "tell"] = "escalate"
    tag: Annotated[str, StringConstraints(pattern=r"^tag_[a-z0-9_]{1,36}$")] | None = None

    @model_validator(mode="after")
    def _is_whole(self) -> "Policy":
        if (self.does == "tag") != (self.tag is not None):
            raise PydanticCustomError("tag_mismatch", "tag")
        return self

    @property
    def kind(self) -> Kind:
        return self.rule.kind

    @property
    def point(self) -> Point:
        return "answer" if self.kind in OF_ANSWERS else "question"

    @property
    def moves(self) -> bool:
        """Whether its hit asks for a person in earnest."""
        return self.does == "escalate" and not self.dry_run

    @property
    def reason(self) -> str:
        """What is written as the reason of the escalation."""
        return "keyword" if self.kind in BY_WORDS else ESCALATIONS.get(self.kind, "policy")


RANKS = {severity: n for n, severity in enumerate(reversed(get_args(Severity)))}


def in_order(policies: Iterable[Policy]) -> list[Policy]:
    """By precedence: priority, then severity, then as they stand."""
    return sorted(policies, key=lambda one: (one.priority, RANKS[one.severity]))
