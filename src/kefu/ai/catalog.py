"""The providers, what each needs to be told, and what models cost as far as that is known."""

import re
from collections.abc import Mapping, Sequence
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
    """In US dollars for a million tokens. `as_of`: the month in which the provider listed it so, in the catalogue."""

    tokens_in: float
    tokens_out: float
    as_of: str = ""

    def of(self, usage: Usage) -> float:
        return (usage.tokens_in * self.tokens_in + usage.tokens_out * self.tokens_out) / 1_000_000


Prices = Mapping[str, Price]
# What was publicly listed then, to begin with: a contract may say other things, and prices change. Whoever pays others
# says so with AI_PRICES or on the page of the bot. Models whose price depends on region or length are not here.
OPENAI_LISTED, DEEPSEEK_LISTED = "2026-03", "2025-12"
PRICES: Prices = {
    "gpt-4.1": Price(2.0, 8.0, OPENAI_LISTED),
    "gpt-4.1-mini": Price(0.4, 1.6, OPENAI_LISTED),
    "gpt-4.1-nano": Price(0.1, 0.4, OPENAI_LISTED),
    "gpt-4o": Price(2.5, 10.0, OPENAI_LISTED),
    "gpt-4o-mini": Price(0.15, 0.6, OPENAI_LISTED),
    "gpt-5": Price(1.25, 10.0, OPENAI_LISTED),
    "gpt-5-mini": Price(0.25, 2.0, OPENAI_LISTED),
    "gpt-5-nano": Price(0.05, 0.4, OPENAI_LISTED),
    "o3": Price(2.0, 8.0, OPENAI_LISTED),
    "o4-mini": Price(1.1, 4.4, OPENAI_LISTED),
    "deepseek-chat": Price(0.28, 0.42, DEEPSEEK_LISTED),
    "deepseek-reasoner": Price(0.28, 0.42, DEEPSEEK_LISTED),
    "text-embedding-3-small": Price(0.02, 0.0, OPENAI_LISTED),
    "text-embedding-3-large": Price(0.13, 0.0, OPENAI_LISTED),
    "text-embedding-ada-002": Price(0.1, 0.0, OPENAI_LISTED),
}
# What a name may go on with and still be that model: `gpt-4o-2024-08-06`. `gpt-5.4` and `o3-pro` are others.
EDITION = re.compile(r"(-\d[\d-]*|-latest|-preview)?")


def price_in(prices: Prices, model: str) -> Price | None:
    """What `prices` say of the model, whichever edition of it; None when they say nothing."""
    name = model.lower()
    known = [one for one in prices if name.startswith(one.lower()) and EDITION.fullmatch(name, len(one))]
    return prices[max(known, key=len)] if known else None


def price_of(names: Sequence[str], *own: Prices) -> Price | None:
    """As the first of `own` says, else as the catalogue does; None where nobody has named a price.

    `names`: of one model, as it names itself in an answer first, then as it was asked for: a deployment has another.
    """
    found = (price_in(prices, name) for prices in (*own, PRICES) for name in names)
    return next((one for one in found if one is not None), None)
