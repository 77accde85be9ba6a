"""Keeps the passages and the counts of their words in step with the articles, in the transaction that changes them."""

import asyncio
import time
from collections import Counter, defaultdict
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import delete, exists, insert, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from kefu.kit.clock import now_ms
from kefu.kit.ids import new_id
from kefu.knowledge.models import Article, Passage, PassageVector, Term
from kefu.knowledge.passages import PAGE_BREAK, Piece, cut, plain, sense_hash
from kefu.knowledge.states import Status
from kefu.knowledge.wordings import SEPARATORS, WORDINGS, wording_tokens
from kefu.knowledge.words import language_of, terms

NEXT_VERSION = text(
    "INSERT INTO knowledge_states (shop, version, stamp, updated_at) VALUES (:shop, 1, :stamp, :at) "
    "ON CONFLICT (shop) DO UPDATE SET version = knowledge_states.version + 1, stamp = excluded.stamp, "
    "updated_at = excluded.updated_at"
)
COUNT_TERM = text(
    "INSERT INTO knowledge_terms (shop, lang, term, passages) VALUES (:shop, :lang, :term, :passages) "
    "ON CONFLICT (shop, lang, term) DO UPDATE SET passages = knowledge_terms.passages + excluded.passages"
)

# Rows a statement, so that none runs long when a whole shop is loaded.
CHUNK = 200
# Characters of a text whose words take longer to find than others should wait; and of passages, whose words are kept
# for a moment, as many as one document has.
LONG, WARM = 10_000, 1024

Counts = dict[str, Counter[str]]


async def reindex(tx: AsyncSession, shop: str, articles: Sequence[Article]) -> None:
    """Make the passages of these articles of one shop anew, from what they say now; only published ones have any.

    The shop's knowledge gets its next version. Writers of one shop come one after the other: the first statement locks
    the shop's row.
    """
    await tx.execute(NEXT_VERSION, {"shop": shop, "stamp": new_id("k"), "at": now_ms()})
    counts: Counts = defaultdict(Counter)
    gone = await _drop(tx, [article.id for article in articles], counts)
    rows = [row for article in articles if article.status == Status.PUBLISHED for row in passage_rows(article)]
    for row in rows:
        counts[row["lang"]].update(_distinct(row["title_tokens"], row["asked_tokens"], row["tokens"]))
    for start in range(0, len(rows), CHUNK):
        await tx.execute(insert(Passage), rows[start : start + CHUNK])
    await _forget(tx, shop, sorted(gone - {row["sense_hash"] for row in rows}))
    changes = [
        {"shop": shop, "lang": lang, "term": term, "passages": change}
        for lang, terms_ in sorted(counts.items())
        for term, change in sorted(terms_.items())
        if change
    ]
    if changes:
        for start in range(0, len(changes), 10 * CHUNK):
            await tx.execute(COUNT_TERM, changes[start : start + 10 * CHUNK])
        await tx.execute(delete(Term).where(Term.shop == shop, Term.passages <= 0))


async def _drop(tx: AsyncSession, article_ids: list[str], counts: Counts) -> set[str]:
    """The `sense_hash` of all that were there."""
    theirs = Passage.article_id.in_(article_ids)
    columns = (Passage.sense_hash, Passage.lang, Passage.title_tokens, Passage.asked_tokens, Passage.tokens)
    old = (await tx.execute(select(*columns).where(theirs))).all()
    for _, lang, *fields in old:
        counts[lang].subtract(_distinct(*fields))
    if old:
        await tx.execute(delete(Passage).where(theirs))
    return {row.sense_hash for row in old}


async def _forget(tx: AsyncSession, shop: str, gone: Sequence[str]) -> None:
    """The vectors of what no passage of the shop says any more."""
    is_said = exists().where(Passage.shop == shop, Passage.sense_hash == PassageVector.sense_hash)
    for start in range(0, len(gone), CHUNK):
        some = PassageVector.sense_hash.in_(gone[start : start + CHUNK])
        await tx.execute(delete(PassageVector).where(PassageVector.shop == shop, some, ~is_said))


def _distinct(*fields: str) -> set[str]:
    return set().union(*(field.split() for field in fields)) - SEPARATORS


def _title_tokens(article: Article, piece: Piece) -> str:
    """Of a document the headings above a passage are its title more than the name of the file is."""
    headings = [piece.heading] if article.kind == "document" else []
    return " ".join(terms(" ; ".join([article.title, *headings, *article.tags])))


def _language(article: Article, piece: Piece) -> str:
    if article.kind != "document":
        return article.lang
    return language_of(piece.text, "zh" if article.lang == "zh" else "en")


@lru_cache(WARM)
def body_tokens(heading: str, text: str) -> str:
    return " ".join(terms(f"{heading} ; {plain(text)}"))


async def warm(article: Article) -> None:
    """Find the words of a long one now, in a thread, so that who publishes it does so quickly."""
    if len(article.body) > LONG:
        await asyncio.to_thread(_warm, article)


def _warm(article: Article) -> None:
    for piece in cut(article.kind, article.body):
        body_tokens(piece.heading, piece.text)
        time.sleep(0)  # lets go of the interpreter


def passage_rows(article: Article) -> list[dict[str, Any]]:
    """The rows of `passages` for an article as it stands. A manual may say some things in the other language."""
    asked = WORDINGS.join(wording_tokens(one) for one in article.questions)
    return [
        {
            "id": f"{article.id}.{article.version}.{ordinal}",
            "article_id": article.id,
            "version": article.version,
            "shop": article.shop,
            "lang": _language(article, piece),
            "ordinal": ordinal,
            "part": piece.part,
            "is_page": PAGE_BREAK in article.body,
            "heading": piece.heading,
            "text": piece.text,
            "text_hash": piece.text_hash,
            "sense_hash": sense_hash(article.title, piece.heading, piece.text),
            "tokens": body_tokens(piece.heading, piece.text),
            "title_tokens": _title_tokens(article, piece),
            "asked_tokens": asked,
        }
        for ordinal, piece in enumerate(cut(article.kind, article.body))
    ]
