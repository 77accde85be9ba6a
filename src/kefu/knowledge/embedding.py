"""Keeps the vectors of each shop's passages in step with its knowledge and its embedder.

A recurring job looks which shops lack some, and asks for a few at a time; each few are written in a transaction of
their own, so whoever is killed, or comes second, repeats no more than these. Who publishes never waits for a provider.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, ClassVar, NamedTuple

from sqlalchemy import delete, exists, func, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from kefu.ai.ports import TEXTS, Embedder, EmbedderOf, Failing, ProviderFailed
from kefu.jobs.queue import Lane, Taken, Work, again
from kefu.kit.clock import now_ms
from kefu.kit.db import Database
from kefu.knowledge.models import ArticleVersion, KnowledgeState, Passage, PassageVector, VectorState
from kefu.knowledge.passages import sense
from kefu.shops.models import Shop

EVERY = timedelta(seconds=5)
# How long a shop whose provider failed waits.
REST_MS = 60_000
# Requests for one shop before the next one has its turn.
IN_A_ROW = 20
# What a provider answers when a text is too long for it, and what is short enough for any.
TOO_MUCH = frozenset({400, 413, 422})
SHORT = 400
PUT = text(
    "INSERT INTO passage_vectors (shop, sense_hash, model, vector) VALUES (:shop, :sense_hash, :model, :vector) "
    "ON CONFLICT DO NOTHING"
)


@dataclass(frozen=True, slots=True)
class EmbedPassages(Work):
    kind: ClassVar[str] = "embed_passages"
    lane: ClassVar[Lane] = "bulk"


class Bare(NamedTuple):
    """A passage without a vector."""

    number: int
    sense_hash: str
    said: str


async def no_embedder(_: str) -> Embedder | None:
    return None


class PassageEmbedding:
    """Handles `EmbedPassages`. Repeating it, or doing it twice at once, changes nothing."""

    def __init__(self, db: Database, embedder_of: EmbedderOf) -> None:
        self._db = db
        self._embedder_of = embedder_of

    async def __call__(self, job: Taken) -> None:
        async with self._db.read() as tx:
            known = select(KnowledgeState.shop).join(Shop, Shop.id == KnowledgeState.shop)
            shops = list(await tx.scalars(known.order_by(KnowledgeState.shop)))
        is_done = [await self._shop(shop) for shop in shops]
        async with self._db.write() as tx:
            await again(tx, job, EVERY if all(is_done) else timedelta())

    async def _shop(self, shop: str) -> bool:
        """Whether nothing is left to be done there now."""
        embedder = await self._embedder_of(shop)
        async with self._db.read() as tx:
            state = await tx.get(VectorState, shop)
            stamp = await tx.scalar(select(KnowledgeState.stamp).where(KnowledgeState.shop == shop)) or ""
        if embedder is None:
            if state is not None:
                await self._forget(shop)
            return True
        if state is not None and state.model == embedder.model:
            is_resting = state.reason and state.updated_at > now_ms() - REST_MS
            if state.stamp == stamp or is_resting:
                return True
        return await self._filled(shop, embedder, stamp)

    async def _forget(self, shop: str) -> None:
        async with self._db.write() as tx:
            await tx.execute(delete(PassageVector).where(PassageVector.shop == shop))
            await tx.execute(delete(VectorState).where(VectorState.shop == shop))

    async def _filled(self, shop: str, embedder: Embedder, stamp: str) -> bool:
        """Whether it is through, or can go no further now."""
        reached, left_out = 0, 0
        for _ in range(IN_A_ROW):
            async with self._db.read() as tx:
                bare = await _bare(tx, shop, embedder.model, reached)
            if not bare:
                reason: Failing | None = "too_long" if left_out else None
                await self._note(shop, embedder.model, stamp, reason)
                return True
            try:
                vectors = await _vectors_of(embedder, [one.said for one in bare])
            except ProviderFailed as failure:
                await self._note(shop, embedder.model, "", failure.reason)
                return True
            left_out += vectors.count(None)
            is_anew = await self._keep(shop, embedder.model, dict(zip(bare, vectors, strict=True)))
            reached = 0 if is_anew else bare[-1].number
        return False

    async def _keep(self, shop: str, model: str, found: Mapping[Bare, bytes | None]) -> bool:
        """Those whose passage is still there: who changes the knowledge waits, or has been before.

        Whether vectors were thrown away, so that their passages have none now.
        """
        rows = {one.sense_hash: vector for one, vector in found.items() if vector is not None}
        is_anew = False
        async with self._db.write() as tx:
            await tx.execute(select(KnowledgeState.shop).where(KnowledgeState.shop == shop).with_for_update())
            theirs = Passage.shop == shop, Passage.sense_hash.in_(list(rows))
            there = set(await tx.scalars(select(Passage.sense_hash).where(*theirs)))
            values = [{"sense_hash": one, "vector": rows[one]} for one in sorted(there)]
            if values:
                is_anew = await _without_others(tx, shop, model, len(values[0]["vector"]))
                await tx.execute(PUT, [{"shop": shop, "model": model, **one} for one in values])
            await _note(tx, shop, model, "", None)
        return is_anew

    async def _note(self, shop: str, model: str, stamp: str, reason: Failing | None) -> None:
        """`stamp`: of what it is through with; then what other models left goes too."""
        async with self._db.write() as tx:
            await tx.execute(select(KnowledgeState.shop).where(KnowledgeState.shop == shop).with_for_update())
            if stamp:
                is_other = PassageVector.shop == shop, PassageVector.model != model
                await tx.execute(delete(PassageVector).where(*is_other))
            await _note(tx, shop, model, stamp, reason)


async def _bare(tx: AsyncSession, shop: str, model: str, reached: int) -> list[Bare]:
    is_its = (ArticleVersion.article_id == Passage.article_id) & (ArticleVersion.version == Passage.version)
    columns = (Passage.number, Passage.sense_hash, ArticleVersion.title, Passage.heading, Passage.text)
    query = select(*columns).join(ArticleVersion, is_its).where(Passage.shop == shop, Passage.number > reached)
    query = query.where(~_has_one(shop, model)).order_by(Passage.number).limit(TEXTS)
    return [Bare(number, key, sense(*said)) for number, key, *said in await tx.execute(query)]


def _has_one(shop: str, model: str) -> Any:
    is_its = PassageVector.sense_hash == Passage.sense_hash
    return exists().where(PassageVector.shop == shop, PassageVector.model == model, is_its)


async def _without_others(tx: AsyncSession, shop: str, model: str, size: int) -> bool:
    """Under the same name there may be another model now, as with a deployment: its vectors have another dimension."""
    is_theirs = PassageVector.shop == shop, PassageVector.model == model
    others = delete(PassageVector).where(*is_theirs, func.length(PassageVector.vector) != size)
    return bool((await tx.scalars(others.returning(PassageVector.sense_hash))).all())


async def _note(tx: AsyncSession, shop: str, model: str, stamp: str, reason: Failing | None) -> None:
    passages = select(func.count()).select_from(Passage).where(Passage.shop == shop)
    total = (await tx.execute(passages)).scalar_one()
    done = (await tx.execute(passages.where(_has_one(shop, model)))).scalar_one()
    counts = {"model": model, "done": done, "total": total, "reason": reason or ""}
    await tx.merge(VectorState(shop=shop, stamp=stamp, updated_at=now_ms(), **counts))


async def _vectors_of(embedder: Embedder, texts: Sequence[str]) -> list[bytes | None]:
    """None: of a text that is refused even when it is short. Raises ProviderFailed."""
    try:
        return list((await embedder.embed(texts)).vectors)
    except ProviderFailed as failure:
        if failure.http_status not in TOO_MUCH:
            raise
        found = [await _vector_of(embedder, one) for one in texts]
        if not any(found):
            raise
    return found


async def _vector_of(embedder: Embedder, said: str) -> bytes | None:
    for some in dict.fromkeys((said, said[:SHORT])):
        try:
            return (await embedder.embed([some])).vectors[0]
        except ProviderFailed as failure:
            if failure.http_status not in TOO_MUCH:
                raise
    return None
