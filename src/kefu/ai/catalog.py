"""The providers, what each needs to be told, and the models whose prices are known."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

from kefu.ai.ports import Usage

Provider = Literal["openai", "azure", "custom", "coze"]
# `builtin`: answers are found in the knowledge, without any model.
Named = Literal["builtin", Provider]
PROVIDERS: tuple[Provider, ...] = get_args(Provider)

# Who has vectors of texts too.
EMBEDS: tuple[Provider, ...] = ("openai", "azure", "custom")

# What must be filled in, by the names of `Choice`.
NEEDS: Mapping[Provider, tuple[str, ...]] = {
    "openai": ("url", "key", "model"),
    "azure": ("url", "key", "deployment", "api_version"),
    "custom": ("url", "model"),
    "coze": ("url", "key", "coze_app_id", "coze_workflow_id", "coze_client_id", "coze_public_key_id"),
}
DEFAULT_URLS: Mapping[Provider, str] = {"openai": "https://api.openai.com/v1", "coze": "https://api.coze.com"}
API_VERSION = "2024-10-21"


@dataclass(frozen=True, slots=True)
class Choice:
    """A provider with all it needs. `key`: for coze the private key (PEM) of the OAuth app.

    `cheaper_model`: asked when the first one fails, or the budget says so; for azure a deployment, as is
    `embedding_model`, which finds passages by what they mean.
    """

    provider: Provider
    url: str
    key: str = ""
    model: str = ""
    cheaper_model: str = ""
    deployment: str = ""
    api_version: str = API_VERSION
    coze_app_id: str = ""
    coze_workflow_id: str = ""
    coze_client_id: str = ""
    coze_public_key_id: str = ""
    embedding_model: str = ""

    def __repr__(self) -> str:
        """Without the key."""
        return f"Choice({self.provider}, {self.url}, {self.name})"

    @property
    def name(self) -> str:
        """What is asked there, as people would call it."""
        return self.model or self.deployment or self.coze_workflow_id

    def lacks(self) -> list[str]:
        """The names of what is not filled in and must be."""
        return [name for name in NEEDS[self.provider] if not getattr(self, name)]


@dataclass(frozen=True, slots=True)
class Price:
    """In US dollars for a million tokens."""

    tokens_in: float
    tokens_out: float

    def of(self, usage: Usage) -> float:
        return (usage.tokens_in * self.tokens_in + usage.tokens_out * self.tokens_out) / 1_000_000


# By the beginning of the model's name, the longest that fits. As the providers listed them in autumn 2026; whoever pays
# others says so with AI_PRICES. What is not here costs nothing as far as we know, as a model in one's own house does.
PRICES: Mapping[str, Price] = {
    "gpt-4.1": Price(2.0, 8.0),
    "gpt-4.1-mini": Price(0.4, 1.6),
    "gpt-4.1-nano": Price(0.1, 0.4),
    "gpt-4o": Price(2.5, 10.0),
    "gpt-4o-mini": Price(0.15, 0.6),
    "gpt-5": Price(1.25, 10.0),
    "gpt-5-mini": Price(0.25, 2.0),
    "gpt-5-nano": Price(0.05, 0.4),
    "o3": Price(2.0, 8.0),
    "o4-mini": Price(1.1, 4.4),
    "deepseek-chat": Price(0.28, 0.42),
    "deepseek-reasoner": Price(0.28, 0.42),
    "qwen-max": Price(0.34, 1.37),
    "qwen-plus": Price(0.11, 0.28),
    "qwen-flash": Price(0.02, 0.21),
    "qwen-turbo": Price(0.04, 0.08),
    "text-embedding-3-small": Price(0.02, 0.0),
    "text-embedding-3-large": Price(0.13, 0.0),
    "text-embedding-ada-002": Price(0.1, 0.0),
    "text-embedding-v": Price(0.07, 0.0),
}
FREE = Price(0.0, 0.0)


def price_of(model: str, own: Mapping[str, Price] | None = None) -> Price:
    """`own`: the operator's prices, which win. FREE for a model that nobody knows."""
    for prices in (own or {}, PRICES):
        known = [name for name in prices if model.lower().startswith(name.lower())]
        if known:
            return prices[max(known, key=len)]
    return FREE
