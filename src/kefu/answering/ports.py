"""What the bot's turn asks of whoever answers: the retrieval answerer, or a model."""

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from kefu.kit.i18n import Locale


@dataclass(frozen=True, slots=True)
class Said:
    """An earlier message of the session."""

    role: Literal["user", "assistant", "agent"]
    content: str


@dataclass(frozen=True, slots=True)
class Turn:
    """What is to be answered. `locale` is the language of the visitor's page; the question may be in the other one.

    `history` is oldest first and does not hold the question.
    """

    shop: str
    locale: Locale
    question: str
    session_name: str
    history: Sequence[Said] = ()


@dataclass(frozen=True, slots=True)
class Source:
    """A passage as a visitor sees it. `url` opens the quoted version; `score` is 0…1."""

    article_id: str
    passage_id: str
    version: int
    title: str
    url: str
    excerpt: str
    score: float


@dataclass(frozen=True, slots=True)
class EvidencePassage:
    """A passage as it was when the answer was made.

    Stays true when the article changes. `text_hash` is sha256 in hex.
    """

    passage_id: str
    article_id: str
    version: int
    title: str
    text_hash: str
    text: str
    score: float


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the answer rests on.

    `prompt_hash` is sha256 in hex of what was asked of the provider; `cost` is in US dollars.
    """

    provider: str
    model: str
    knowledge_version: int
    passages: Sequence[EvidencePassage]
    prompt_hash: str
    tokens: int
    cost: float
    latency_ms: int
    answered: bool


@dataclass(frozen=True, slots=True)
class Delta:
    """The next piece of the answer's text."""

    text: str


@dataclass(frozen=True, slots=True)
class Answer:
    """The end of a turn. `text` is the whole answer and equals all deltas put together."""

    text: str
    answered: bool
    sources: Sequence[Source]
    evidence: Evidence


class Answerer(Protocol):
    """Answers one turn: any number of deltas, then exactly one `Answer`. Holds no transaction while it yields.

    May be closed (`aclose`) at any point when a newer message makes the answer void. Raises `kit.errors.Unavailable`
    when it cannot answer.
    """

    def answer(self, turn: Turn) -> AsyncGenerator[Delta | Answer]: ...
