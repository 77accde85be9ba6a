"""What is asked of a model provider, and what comes back. Knows no customer and no session."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, Protocol

from kefu.kit.errors import Unavailable
from kefu.kit.i18n import Text

Role = Literal["system", "user", "assistant"]
# Why a provider gave no whole answer. `busy`: 429 or its own limit; `cut`: the stream ended before its end;
# `denied`: it does not do this for us, as with a wrong key, an unknown model, no money left.
Failing = Literal[
    "refused", "unknown_host", "slow", "cut", "busy", "broken", "malformed", "empty", "too_long", "denied"
]


@dataclass(frozen=True, slots=True)
class Message:
    """One message of the prompt."""

    role: Role
    content: str


@dataclass(frozen=True, slots=True)
class Ask:
    """What a model is asked.

    `conversation` is the session's name: providers that keep conversations of their own keep one for each. `purpose`
    says in the books what the money went for (`answer`, `packet`, `suggest`, …). `wants_json`: a JSON object and
    nothing else is to come back, where the provider can promise that.
    """

    messages: Sequence[Message]
    conversation: str
    purpose: str
    max_tokens: int = 800
    temperature: float = 0.2
    wants_json: bool = False


@dataclass(frozen=True, slots=True)
class Piece:
    """The next piece of the text, never empty."""

    text: str


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens in and out. `is_estimated`: the provider did not say, so they were counted by rule of thumb."""

    tokens_in: int
    tokens_out: int
    is_estimated: bool


@dataclass(frozen=True, slots=True)
class Finished:
    """The end of a stream. `model` as the provider names what answered; `stopped` is `length` when it was cut short."""

    provider: str
    model: str
    usage: Usage
    stopped: Literal["stop", "length", "filter"] = "stop"


class ProviderFailed(Unavailable):
    """The provider gave no whole answer, after the tries it is worth. `reason`: see `Failing`.

    `said`: what the provider says of it, without secrets, for who sets it up. `http_status`: of its answer, 0
    where there was none. `wait`: the seconds it asks to wait.
    """

    code = "PROVIDER_FAILED"
    text: ClassVar[Text] = {
        "en": "The model provider {provider} did not answer ({reason}).",
        "zh": "模型服务 {provider} 未能回答（{reason}）。",
    }

    def __init__(self, said: str = "", **details: Any) -> None:
        super().__init__(**details)
        self.said = said
        self.http_status = 0
        self.wait: float | None = None

    @property
    def reason(self) -> Failing:
        reason: Failing = self.details["reason"]
        return reason


class ChatModel(Protocol):
    """A model that is spoken to: any number of pieces, then exactly one `Finished`.

    Raises ProviderFailed, also after pieces. May be closed (`aclose`) at any point, which ends the provider's work too.
    Holds no transaction and may be used by many turns at once.
    """

    def stream(self, ask: Ask) -> AsyncGenerator[Piece | Finished]: ...


# The model that a shop has chosen; None when it has none and rules must do.
ModelOf = Callable[[str], Awaitable[ChatModel | None]]


@dataclass(frozen=True, slots=True)
class Embedded:
    """`vectors`: of each text in order, float32 little endian, of length one, all of the same dimension."""

    vectors: Sequence[bytes]
    end: Finished

    @property
    def dimension(self) -> int:
        return len(self.vectors[0]) // FLOAT


# Bytes of a number in a vector.
FLOAT = 4


class Embedder(Protocol):
    """Says where texts stand by what they mean: those that mean the same stand near each other.

    `model`: whose vectors can be compared with each other, and with no other's. Raises ProviderFailed. Holds no
    transaction and may be used by many at once.
    """

    model: str

    async def embed(self, texts: Sequence[str]) -> Embedded:
        """At most TEXTS of them, none empty."""


# As many as every provider takes in one request (Qwen: ten).
TEXTS = 10

# The embedder for the passages of a shop's knowledge; None when it has chosen none.
EmbedderOf = Callable[[str], Awaitable[Embedder | None]]
