"""What the bot's turn asks of whoever answers: the retrieval answerer, or a model."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from kefu.kit.i18n import Locale
from kefu.knowledge.search import Retrieval


@dataclass(frozen=True, slots=True)
class Said:
    """An earlier message of the session."""

    role: Literal["user", "assistant", "agent"]
    content: str


@dataclass(frozen=True, slots=True)
class Turn:
    """What is to be answered. `locale` is the language of the visitor's page; the question may be in the other one.

    `history` is oldest first and does not hold the question. `context`: what the shop's page says that they look at.
    """

    shop: str
    locale: Locale
    question: str
    session_name: str
    history: Sequence[Said] = ()
    visitor: str = ""
    context: Mapping[str, Any] | None = None


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


# Why a sentence does not count as said by a passage.
Doubt = Literal["", "uncited", "no_such_passage", "numbers", "words"]


@dataclass(frozen=True, slots=True)
class Claim:
    """A sentence of the answer, and the passages (from 1) that it named.

    `doubt` is empty where they say it; otherwise the citation does not count.
    """

    text: str
    cited: Sequence[int]
    doubt: Doubt


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the answer rests on.

    `prompt_hash` is sha256 in hex of what was asked of the provider; `cost` is in US dollars. `fell_back_from`: what
    did not answer before, and why. `claims`: of a model's answer, sentence by sentence. `refused`: what the model said
    that no passage says, so that the visitor was told that the bot does not know. `retrieval`: how the passages were
    found; `embedder`: the shop's, also where it did not answer and the words searched alone.
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
    fell_back_from: Sequence[str] = ()
    claims: Sequence[Claim] = ()
    refused: str = ""
    retrieval: Retrieval = "keyword"
    embedder: str = ""


@dataclass(frozen=True, slots=True)
class Delta:
    """The next piece of the answer's text."""

    text: str


@dataclass(frozen=True, slots=True)
class TakenBack:
    """What was said so far does not stand: the answer begins anew."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The end of a turn. `text` is the whole answer and equals all deltas since the last `TakenBack` put together."""

    text: str
    answered: bool
    sources: Sequence[Source]
    evidence: Evidence


Speech = AsyncGenerator[Delta | TakenBack | Answer]


class Answerer(Protocol):
    """Answers one turn: any number of deltas, then exactly one `Answer`. Holds no transaction while it yields.

    May be closed (`aclose`) at any point when a newer message makes the answer void. Raises `kit.errors.Unavailable`
    when it cannot answer.
    """

    def answer(self, turn: Turn) -> Speech: ...
