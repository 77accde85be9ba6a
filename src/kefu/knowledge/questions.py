"""What visitors asked and the bot did not know: collected by its words, until somebody writes the answer."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from sqlalchemy import select, tuple_
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession

from kefu.accounts.audit import audit, fields
from kefu.kit.db import is_sqlite
from kefu.kit.errors import Conflict, NotFound
from kefu.kit.i18n import Locale, Text
from kefu.kit.ids import new_id
from kefu.kit.masking import mask_text
from kefu.knowledge.models import Article, UnansweredQuestion
from kefu.knowledge.service import ArticleNotFound
from kefu.knowledge.words import cut

EXAMPLES = 5
LONGEST = 500

State = Literal["open", "dismissed", "linked"]


class QuestionNotFound(NotFound):
    code = "QUESTION_NOT_FOUND"
    text: ClassVar[Text] = {"en": "There is no such question.", "zh": "找不到该问题。"}


class OtherShop(Conflict):
    """The article belongs to another shop than the question."""

    code = "OTHER_SHOP"
    text: ClassVar[Text] = {"en": "The article belongs to another shop.", "zh": "该文章属于其他店铺。"}


@dataclass(frozen=True, slots=True)
class Asked:
    """A question that found no answer: in which session, with the bot's reply of that `seq`, at that time (ms)."""

    shop: str
    lang: Locale
    text: str
    session: str
    seq: int
    at: int


def key_of(text: str) -> str:
    """The same for all wordings that ask by the same words, whatever their order; empty for none."""
    words = sorted({word.term for word in cut(text) if not word.is_stop})
    return hashlib.sha256(" ".join(words).encode()).hexdigest() if words else ""


async def collect(tx: AsyncSession, found: Sequence[Asked]) -> None:
    """Count them in, each once for each time it is given here. What says how to reach somebody is masked."""
    rows = {(one.shop, one.lang, key_of(one.text)): one for one in found}
    for shop, lang, key in sorted(rows):
        if key:
            same = [one for one in found if (one.shop, one.lang, key_of(one.text)) == (shop, lang, key)]
            await _count(tx, key, same)


async def _count(tx: AsyncSession, key: str, same: Sequence[Asked]) -> None:
    first = same[0]
    new = {"id": new_id("uq"), "shop": first.shop, "lang": first.lang, "key": key, "asked": "", "times": 0}
    new |= {"examples": [], "status": "open", "first_at": first.at, "last_at": first.at}
    put = (sqlite if is_sqlite(tx) else postgresql).insert(UnansweredQuestion).values(new)
    await tx.execute(put.on_conflict_do_nothing(index_elements=["shop", "lang", "key"]))
    there = select(UnansweredQuestion).where(
        UnansweredQuestion.shop == first.shop, UnansweredQuestion.lang == first.lang, UnansweredQuestion.key == key
    )
    row = (await tx.execute(there.with_for_update())).scalar_one()
    row.times += len(same)
    row.asked, row.last_at = mask_text(" ".join(same[-1].text.split()))[:LONGEST], same[-1].at
    newest = [{"session": one.session, "seq": one.seq, "at": one.at} for one in reversed(same)]
    row.examples = [*newest, *row.examples][:EXAMPLES]
    await tx.flush()


async def settle(tx: AsyncSession, question_id: str, status: State, article_id: str | None) -> UnansweredQuestion:
    """Dismiss it, say which article answers it, or open it again.

    Raises QuestionNotFound, ArticleNotFound, OtherShop.
    """
    query = select(UnansweredQuestion).where(UnansweredQuestion.id == question_id).with_for_update()
    row = (await tx.execute(query)).scalar_one_or_none()
    if row is None:
        raise QuestionNotFound
    if article_id is not None:
        article = await tx.get(Article, article_id)
        if article is None:
            raise ArticleNotFound
        if article.shop != row.shop:
            raise OtherShop
    before = fields(row, "status", "article_id")
    row.status, row.article_id = status, article_id
    audit(tx, "question.settled", ("question", row.id), before, fields(row, *before))
    await tx.flush()
    return row


async def list_questions(
    tx: AsyncSession, where: dict[str, str], after: list[Any] | None, limit: int
) -> tuple[list[UnansweredQuestion], list[Any] | None]:
    """One page, the most asked first, and the key of the next. Of `where`, columns by name, empty ones mean any."""
    table = UnansweredQuestion
    query = select(table).where(*(getattr(table, name) == value for name, value in where.items() if value))
    if after:
        query = query.where(tuple_(table.times, table.id) < tuple_(*after))
    found = list(await tx.scalars(query.order_by(table.times.desc(), table.id.desc()).limit(limit + 1)))
    page = found[:limit]
    return page, [page[-1].times, page[-1].id] if len(found) > limit else None
