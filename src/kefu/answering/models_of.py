"""The model that a shop has chosen, ready to be asked: tried as often as it is worth, and another one after it."""

from dataclasses import replace

from kefu.ai.breaker import Breaker
from kefu.ai.catalog import Choice
from kefu.ai.openai import OpenAiModel
from kefu.ai.ports import ChatModel
from kefu.ai.telling import Line
from kefu.ai.trying import Either, Trying
from kefu.answering.bot_settings import choice_of, find_bot
from kefu.kit.config import Settings
from kefu.kit.db import Database


class ModelsOf:
    """`kefu.ai.ports.ModelOf`. Made once for each version of a shop's settings; one query each time."""

    def __init__(self, db: Database, settings: Settings, line: Line) -> None:
        self._db = db
        self._settings = settings
        self._line = line
        self._made: dict[str, tuple[int, list[ChatModel]]] = {}
        self._breakers: dict[tuple[str, str, str], Breaker] = {}

    async def __call__(self, shop: str) -> ChatModel | None:
        """None when the shop has no model. Raises ShopNotFound, Busy."""
        models = await self._models(shop)
        return Either(*models) if len(models) > 1 else next(iter(models), None)

    async def cheaper(self, shop: str) -> ChatModel | None:
        """The cheaper one alone, for who has spent enough. None when there is none. Raises as before."""
        models = await self._models(shop)
        return models[-1] if len(models) > 1 else None

    async def _models(self, shop: str) -> list[ChatModel]:
        async with self._db.read() as tx:
            row = await find_bot(tx, shop)
        known = self._made.get(shop)
        if known is None or known[0] != row.version:
            choice = choice_of(row, self._settings)
            known = self._made[shop] = row.version, [self._tried(one) for one in _in_order(choice)]
        return known[1]

    def _tried(self, choice: Choice) -> ChatModel:
        name = choice.provider, choice.name
        labels = {"provider": choice.provider, "model": choice.name}
        breaker = self._breakers.setdefault((choice.provider, choice.url, choice.name), Breaker(labels))
        return Trying(OpenAiModel(choice, self._line), breaker, name)


def _in_order(choice: Choice | None) -> list[Choice]:
    if choice is None:
        return []
    if not choice.cheaper_model:
        return [choice]
    if choice.provider == "azure":
        return [choice, replace(choice, deployment=choice.cheaper_model, model="")]
    return [choice, replace(choice, model=choice.cheaper_model)]
