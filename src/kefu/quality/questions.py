"""A shop's golden questions: add, take away, list."""

from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

from sqlalchemy import delete, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from kefu.accounts.audit import audit
from kefu.answering.ports import Said
from kefu.kit.clock import now_ms
from kefu.kit.errors import Conflict, Invalid, NotFound
from kefu.kit.i18n import Locale, Text
from kefu.kit.ids import new_id
from kefu.knowledge.models import Article
from kefu.quality.golden import Golden, Kind
from kefu.quality.models import GoldenQuestion
from kefu.shops.models import Shop

PER_SHOP = 500


class QuestionNotFound(NotFound):
    code = "GOLDEN_QUESTION_NOT_FOUND"
    text: ClassVar[Text] = {"en": "There is no such golden question.", "zh": "找不到该标准问题。"}


class TooManyQuestions(Conflict):
    code = "TOO_MANY_GOLDEN_QUESTIONS"
    text: ClassVar[Text] = {
        "en": "A shop may have at most {most} golden questions.",
        "zh": "每个店铺最多可有 {most} 个标准问题。",
    }


class UnknownArticles(Invalid):
    """`articles`: ids that name no article of the shop."""

    code = "UNKNOWN_ARTICLES"
    text: ClassVar[Text] = {"en": "The shop has no such article.", "zh": "店铺中没有这些文章。"}


@dataclass(frozen=True, slots=True)
class NewQuestion:
    """`articles`: ids, any of which is a right source; for answerable questions only."""

    lang: Locale
    kind: Kind
    question: str
    articles: Sequence[str] = ()
    history: Sequence[Said] = ()


async def add_question(tx: AsyncSession, shop: str, new: NewQuestion) -> GoldenQuestion:
    """Raises UnknownArticles, TooManyQuestions. Who adds to a shop waits for the one before: its row is locked."""
    await tx.execute(select(Shop.id).where(Shop.id == shop).with_for_update())
    there = await tx.scalar(select(func.count()).select_from(GoldenQuestion).where(GoldenQuestion.shop == shop)) or 0
    if there >= PER_SHOP:
        raise TooManyQuestions(most=PER_SHOP)
    known = set(await tx.scalars(select(Article.id).where(Article.shop == shop, Article.id.in_(new.articles))))
    if unknown := [one for one in new.articles if one not in known]:
        raise UnknownArticles(articles=unknown)
    facts: dict[str, Any] = {
        "lang": new.lang,
        "kind": new.kind,
        "question": new.question,
        "articles": list(new.articles),
        "history": [asdict(one) for one in new.history],
    }
    row = GoldenQuestion(id=new_id("gq"), shop=shop, created_at=now_ms(), **facts)
    tx.add(row)
    await tx.flush()
    audit(tx, "golden.added", ("golden_question", row.id), after={"shop": shop, **facts})
    return row


async def remove_question(tx: AsyncSession, question_id: str) -> None:
    """Raises QuestionNotFound."""
    row = await tx.get(GoldenQuestion, question_id)
    if row is None:
        raise QuestionNotFound
    audit(tx, "golden.removed", ("golden_question", row.id), before={"shop": row.shop, "question": row.question})
    await tx.execute(delete(GoldenQuestion).where(GoldenQuestion.id == question_id))


async def questions_of(tx: AsyncSession, shop: str) -> list[GoldenQuestion]:
    """The newest first."""
    order = (GoldenQuestion.created_at.desc(), GoldenQuestion.id)
    return list(await tx.scalars(select(GoldenQuestion).where(GoldenQuestion.shop == shop).order_by(*order)))


async def titles_of(tx: AsyncSession, articles: Collection[str]) -> dict[str, str]:
    """By id; one that is gone has none."""
    rows = await tx.execute(select(Article.id, Article.title).where(Article.id.in_(articles)))
    return {row.id: row.title for row in rows}


async def goldens_of(tx: AsyncSession, shop: str) -> list[Golden]:
    return [_golden(row) for row in await questions_of(tx, shop)]


def _golden(row: GoldenQuestion) -> Golden:
    history = tuple(Said("user" if one["role"] == "user" else "assistant", one["content"]) for one in row.history)
    kind: Kind = "answerable" if row.kind == "answerable" else "escalate" if row.kind == "escalate" else "unanswerable"
    return Golden(row.id, "zh" if row.lang == "zh" else "en", kind, row.question, tuple(row.articles), history)
