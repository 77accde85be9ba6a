"""What of a shop's knowledge is near a question by its meaning: the question goes to the shop's embedder."""

from collections.abc import Sequence

import structlog

from kefu.ai.ports import ProviderFailed
from kefu.answering.models_of import Asked, ModelsOf
from kefu.answering.pii import Placeholders
from kefu.knowledge.vectors import Asker, Near, Vectors

log = structlog.get_logger()
QUESTION_LIMIT = 1000


class Meaning:
    """`kefu.knowledge.vectors.NearOf`. An embedder that fails, or is slow, leaves the search to the words."""

    def __init__(self, models: ModelsOf, vectors: Vectors) -> None:
        self._models = models
        self._vectors = vectors

    async def __call__(self, asker: Asker, texts: Sequence[str]) -> Sequence[Near | None]:
        chosen = await self._models.embedder_for(asker.shop, Asked(asker.visitor, asker.session))
        if chosen is None:
            return [None] * len(texts)
        embedder, masks = chosen
        said = [one[:QUESTION_LIMIT] for one in texts]
        if not all(one.strip() for one in said) or not await self._vectors.have(asker.shop, embedder.model):
            return [Near(embedder.model, {})] * len(texts)
        hide = Placeholders(asker.locale, is_on=masks).mask
        try:
            found = await embedder.embed([hide(one) for one in said])
        except ProviderFailed as failure:
            log.info("meaning.not_found", shop=asker.shop, reason=failure.reason)
            return [Near(embedder.model, {})] * len(texts)
        nearest = [await self._vectors.nearest(asker.shop, embedder.model, one) for one in found.vectors]
        return [Near(embedder.model, one) for one in nearest]
