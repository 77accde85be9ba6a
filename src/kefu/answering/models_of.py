"""The model that a shop has chosen, ready to be asked: tried as often as it is worth, and another one after it."""

import asyncio
from dataclasses import dataclass, replace

from kefu.ai.breaker import Breaker
from kefu.ai.budget import NO_LIMIT, Booked, Books, Budget, Limit, Payer
from kefu.ai.catalog import Choice
from kefu.ai.conversations import Conversations
from kefu.ai.coze import CozeModel
from kefu.ai.embedding import BookedEmbedder, OpenAiEmbedder, TryingEmbedder
from kefu.ai.openai import OpenAiModel
from kefu.ai.ports import ChatModel, Embedder
from kefu.ai.telling import Line
from kefu.ai.trying import USUAL, Either, Tries, Trying
from kefu.answering.bot_settings import choice_of, find_bot
from kefu.answering.bot_shapes import Budgets
from kefu.answering.model import Setup
from kefu.answering.models import BotSettings
from kefu.answering.ports import Turn
from kefu.answering.prompt import PERSONA, Voice
from kefu.kit.config import Settings
from kefu.kit.db import Database


@dataclass(frozen=True, slots=True)
class Asked:
    """By whom and where, for the budgets; empty when it is for the team."""

    visitor: str = ""
    session: str = ""


@dataclass(frozen=True, slots=True)
class Patience:
    """How long and how often an embedder is waited for. Who is slow with many may be quick with one: `what`."""

    what: str
    tries: Tries
    seconds: float


# The words have found something long before.
FOR_QUESTIONS = Patience("questions", Tries(most=1), 0.8)
FOR_PASSAGES = Patience("passages", USUAL, 60.0)
VERSION = "SELECT version FROM bot_settings WHERE shop = $1"


class ModelsOf:
    """`kefu.ai.ports.ModelOf`. Made once for each version of a shop's settings; one query each time."""

    def __init__(self, db: Database, settings: Settings, line: Line, books: Books) -> None:
        self._db = db
        self._settings = settings
        self._line = line
        self.books = books
        self._made: dict[str, tuple[BotSettings, list[tuple[Choice, ChatModel]]]] = {}
        self._conversations = Conversations(db)
        self._reading = asyncio.Lock()
        self._breakers: dict[tuple[str, str, str], Breaker] = {}

    async def __call__(self, shop: str) -> ChatModel | None:
        """None when the shop has no model. Raises ShopNotFound, Busy."""
        models = self._booked(*await self._chosen(shop))
        return Either(*models) if len(models) > 1 else next(iter(models), None)

    async def setup(self, turn: Turn) -> Setup:
        """How the shop's bot is to answer. Raises as before."""
        row, models = await self._chosen(turn.shop)
        voice = Voice(row.persona or PERSONA, row.prompt)
        return Setup(self._booked(row, models, turn.visitor), voice, masks=row.mask_pii)

    async def _chosen(self, shop: str) -> tuple[BotSettings, list[tuple[Choice, ChatModel]]]:
        version = next((row[0] for row in await self._db.fetch(VERSION, shop)), 0)
        known = self._made.get(shop)
        if known is None or known[0].version != version:
            async with self._reading:  # one at a time: a crowd shall not take all connections
                known = self._made.get(shop)
                if known is None or known[0].version != version:
                    known = self._made[shop] = await self._read(shop)
        return known

    async def _read(self, shop: str) -> tuple[BotSettings, list[tuple[Choice, ChatModel]]]:
        async with self._db.read() as tx:
            row = await find_bot(tx, shop)
        return row, [(choice, self._tried(choice)) for choice in _in_order(choice_of(row, self._settings))]

    def _booked(self, row: BotSettings, models: list[tuple[Choice, ChatModel]], visitor: str = "") -> list[ChatModel]:
        payer = Payer(row.shop, visitor, budget_of(row))
        return [Booked(model, self.books, payer, choice.provider, choice.name) for choice, model in models]

    def on_trial(self, shop: str, choice: Choice) -> ChatModel:
        """Settings that need not be saved. It is on the shop's books; no budget stands in the way of a test."""
        return Booked(self._plain(choice), self.books, Payer(shop), choice.provider, choice.name)

    async def embedder_of(self, shop: str) -> Embedder | None:
        """`kefu.ai.ports.EmbedderOf`: for passages, which can wait. Raises as before."""
        chosen = await self._embeds(shop)
        return self._embedder(*chosen, Asked(), FOR_PASSAGES) if chosen else None

    async def embedder_for(self, shop: str, asked: Asked) -> tuple[Embedder, bool] | None:
        """For a question, whose visitor waits, and whether it is to be masked. Raises as before."""
        chosen = await self._embeds(shop)
        return (self._embedder(*chosen, asked, FOR_QUESTIONS), chosen[0].mask_pii) if chosen else None

    def embedder_on_trial(self, shop: str, choice: Choice) -> Embedder:
        return BookedEmbedder(OpenAiEmbedder(choice, self._line), self.books, Payer(shop), choice)

    async def _embeds(self, shop: str) -> tuple[BotSettings, Choice] | None:
        row, _ = await self._chosen(shop)
        choice = choice_of(row, self._settings)
        return (row, choice) if choice and choice.embedding_model else None

    def _embedder(self, row: BotSettings, choice: Choice, asked: Asked, patience: Patience) -> Embedder:
        name = choice.provider, choice.embedding_model
        labels = {"provider": choice.provider, "model": f"{choice.embedding_model} ({patience.what})"}
        key = (choice.provider, choice.url, labels["model"])
        breaker = self._breakers.setdefault(key, Breaker(labels))
        inner = OpenAiEmbedder(choice, self._line)
        tried = TryingEmbedder(inner, breaker, name, patience.tries, patience.seconds)
        budget = budget_of(row) if asked.session else replace(budget_of(row), session=NO_LIMIT)
        return BookedEmbedder(tried, self.books, Payer(row.shop, asked.visitor, budget), choice, asked.session)

    def _tried(self, choice: Choice) -> ChatModel:
        name = choice.provider, choice.name
        labels = {"provider": choice.provider, "model": choice.name}
        breaker = self._breakers.setdefault((choice.provider, choice.url, choice.name), Breaker(labels))
        return Trying(self._plain(choice), breaker, name)

    def _plain(self, choice: Choice) -> ChatModel:
        """The model as it is: asked once, and nobody in its place."""
        if choice.provider == "coze":
            return CozeModel(choice, self._line, self._conversations)
        return OpenAiModel(choice, self._line)


def _in_order(choice: Choice | None) -> list[Choice]:
    if choice is None:
        return []
    if not choice.cheaper_model:
        return [choice]
    if choice.provider == "azure":
        return [choice, replace(choice, deployment=choice.cheaper_model, model="")]
    return [choice, replace(choice, model=choice.cheaper_model)]


def budget_of(row: BotSettings) -> Budget:
    limits = Budgets.model_validate(row.budgets)
    return Budget(**{name: Limit(limit.tokens, limit.usd) for name, limit in limits})
