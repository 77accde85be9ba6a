"""The gate before the published knowledge: a change that breaks more golden questions than it mends stays outside.

The shop's questions are asked of a copy of its knowledge before and after the change (`rehearsal`), by the answerer
that needs no model, outside of any transaction of the live database. The change is then made only if the knowledge is
still the one that was rehearsed; otherwise it is rehearsed anew.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, ClassVar

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from kefu.accounts.audit import audit
from kefu.answering.builtin import BuiltinAnswerer
from kefu.kit.db import Database
from kefu.kit.errors import Conflict, Unavailable
from kefu.kit.i18n import Text
from kefu.knowledge.models import Article, KnowledgeState
from kefu.quality.golden import Golden, attempt, version_of
from kefu.quality.questions import goldens_of
from kefu.quality.rehearsal import copied

# By so much of the questions of a language and kind the right ones may become fewer: none of less than two hundred.
MARGIN = 0.005
PATIENCE_SECONDS = 30
TRIES = 3
NAMED = 20

Change = Callable[[AsyncSession], Awaitable[Article]]


class GateFailed(Conflict):
    """`broken`: `{id, question, lang, kind}` of questions right before and wrong after, `broken_count` of them.

    `mended`: how many were wrong and are right.
    """

    code = "GATE_FAILED"
    text: ClassVar[Text] = {
        "en": "Golden questions would be answered worse: {broken_count} break, {mended} get better.",
        "zh": "标准问题的回答会变差：{broken_count} 个变错，{mended} 个变好。",
    }


class GateSlow(Unavailable):
    code = "GATE_SLOW"
    text: ClassVar[Text] = {
        "en": "The golden questions could not all be asked in time. Please try again.",
        "zh": "标准问题未能在限定时间内全部检查完，请重试。",
    }


class _Overtaken(Exception):
    """The knowledge is no longer the one that was rehearsed."""


@dataclass(frozen=True, slots=True)
class Wish:
    """`change` is called several times, and once for good. `publishes`: an article that is not public becomes so.

    `force`: why it is to be made although questions break; that is audited.
    """

    article_id: str
    change: Change
    publishes: bool = False
    force: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """`version`: the knowledge's that was rehearsed; `before`, `after`: the ids of `goldens` that are right.

    One that is not `is_finished` took too long.
    """

    version: int = 0
    goldens: Sequence[Golden] = ()
    before: frozenset[str] = frozenset()
    after: frozenset[str] = frozenset()
    is_finished: bool = True

    @property
    def broken(self) -> list[Golden]:
        return [one for one in self.goldens if one.id in self.before - self.after]

    @property
    def mended(self) -> list[Golden]:
        return [one for one in self.goldens if one.id in self.after - self.before]

    @property
    def is_passed(self) -> bool:
        """In each language and kind for itself: a bot that falls silent mends what it should not have answered."""
        asked, lost = Counter(map(_sort, self.goldens)), Counter(map(_sort, self.broken))
        lost.subtract(map(_sort, self.mended))
        return self.is_finished and all(lost[sort] <= MARGIN * asked[sort] for sort in asked)

    @property
    def facts(self) -> dict[str, Any]:
        named = [
            {"id": one.id, "question": one.question, "lang": one.lang, "kind": one.kind} for one in self.broken[:NAMED]
        ]
        return {"broken": named, "broken_count": len(self.broken), "mended": len(self.mended)}


def _sort(golden: Golden) -> tuple[str, str]:
    return golden.lang, golden.kind


class Gate:
    """One rehearsal at a time in each process: it takes the event loop, where people wait too."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._desk = asyncio.Lock()
        self._known: dict[str, tuple[str, frozenset[str]]] = {}  # by shop: in which state which questions are right

    async def carry_out(self, article_id: str, change: Change, *, publishes: bool = False, force: str = "") -> Article:
        """Make the change in a transaction of its own, if the shop's golden questions bear it (see `Wish`).

        Raises GateFailed, GateSlow, and what the change raises.
        """
        wish = Wish(article_id, change, publishes, force)
        for _ in range(TRIES):
            async with self._db.read() as tx:
                article = await tx.get(Article, wish.article_id)
                goldens = await goldens_of(tx, article.shop) if article else []
            is_public = article is not None and (wish.publishes or article.public_version is not None)
            verdict = await self._verdict(wish, article.shop, goldens) if article and goldens and is_public else None
            if verdict and not verdict.is_passed and not wish.force:
                raise GateFailed(**verdict.facts) if verdict.is_finished else GateSlow(retry_after=PATIENCE_SECONDS)
            with suppress(_Overtaken):
                return await self._made(wish, goldens, verdict)
        raise GateSlow(retry_after=1)

    async def _made(self, wish: Wish, goldens: Sequence[Golden], verdict: Verdict | None) -> Article:
        """Raises _Overtaken unless what becomes public is what was rehearsed: the change holds the knowledge's lock."""
        async with self._db.write() as tx:
            before = await _version_of_article(tx, wish.article_id)
            article = await wish.change(tx)
            after, state = await _state(tx, article.shop, goldens)
            is_rehearsed = verdict is not None and (not verdict.is_finished or after == verdict.version + 1)
            if goldens and after != before and not is_rehearsed:
                raise _Overtaken
            if verdict and not verdict.is_passed:
                audit(tx, "gate.forced", ("article", article.id), after={"reason": wish.force, **verdict.facts})
        if verdict and verdict.is_finished:
            self._known[article.shop] = (state, verdict.after)
        return article

    async def _verdict(self, wish: Wish, shop: str, goldens: Sequence[Golden]) -> Verdict:
        try:
            async with self._desk, asyncio.timeout(PATIENCE_SECONDS), copied(self._db, shop, wish.article_id) as copy:
                return await self._compared(wish, shop, goldens, copy)
        except TimeoutError:
            return Verdict(is_finished=False)

    async def _compared(self, wish: Wish, shop: str, goldens: Sequence[Golden], copy: Database) -> Verdict:
        async with copy.read() as tx:
            version, state = await _state(tx, shop, goldens)
        known = self._known.get(shop)
        before = known[1] if known and known[0] == state else await _right(copy, shop, goldens)
        async with copy.write() as tx:
            await wish.change(tx)
            tx.info.pop("before_commit", None)  # the audit log tells of what is, not of what would be
        after = await _right(copy, shop, goldens)
        return Verdict(version, goldens, before, after)


async def _right(copy: Database, shop: str, goldens: Sequence[Golden]) -> frozenset[str]:
    answerer = BuiltinAnswerer(copy)
    outcomes = [await attempt(answerer, shop, golden) for golden in goldens]
    return frozenset(one.golden.id for one in outcomes if one.is_right)


async def _state(tx: AsyncSession, shop: str, goldens: Sequence[Golden]) -> tuple[int, str]:
    """The version of the shop's knowledge, and what names this state of it and these questions."""
    query = select(KnowledgeState.version, KnowledgeState.stamp).where(KnowledgeState.shop == shop)
    row = (await tx.execute(query)).first()
    version, stamp = (row.version, row.stamp) if row else (0, "")
    return version, f"{stamp} {version_of(goldens)}"


async def _version_of_article(tx: AsyncSession, article_id: str) -> int:
    """Of the knowledge that the article belongs to."""
    query = select(KnowledgeState.version).join(Article, Article.shop == KnowledgeState.shop)
    return await tx.scalar(query.where(Article.id == article_id)) or 0
