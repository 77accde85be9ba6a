"""The one search over a shop's published knowledge: for bot, agents and hit test.

The database names the passages that share the question's heaviest words; `ranking` orders them, the same on every
database.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import orjson
from sqlalchemy.ext.asyncio import AsyncSession

from kefu.kit.db import Database, is_sqlite, rows_in
from kefu.kit.i18n import Locale, Text
from kefu.kit.postgres import BY_WORDS
from kefu.knowledge.asking import Question, question
from kefu.knowledge.ranking import Entry, Fit, fit, likelihood
from kefu.knowledge.search_ddl import FTS, POSTGRES_WORDS
from kefu.knowledge.vocabulary import Vocabulary, vocabulary
from kefu.knowledge.words import language_of

CANDIDATES = 30
IN_ONE_GO = 4
TERM_LIMIT = 60
POSTINGS_LIMIT = 20_000
QUESTION_LIMIT = 1000

# From here on a hit answers the question more likely than not.
CONFIDENT = 0.5
# A hit in the other language must be surer, for the words the languages share are few.
CONFIDENT_ABROAD = 0.7
PAGE: Text = {"en": ", page {page}", "zh": "，第 {page} 页"}

FOUND = """
SELECT passages.id, passages.article_id, passages.version, passages.ordinal, passages.heading, passages.text,
    passages.text_hash, passages.tokens, passages.title_tokens, passages.asked_tokens, passages.part, passages.is_page,
    articles.slug, said.title,
    (SELECT version FROM knowledge_states WHERE shop = $2)
FROM hits JOIN passages ON passages.number = hits.number JOIN articles ON articles.id = passages.article_id
JOIN article_versions AS said ON said.article_id = passages.article_id AND said.version = passages.version
WHERE passages.shop = $2 AND passages.lang = $3
ORDER BY hits.mass DESC, articles.slug, passages.ordinal LIMIT $4
"""
SQLITE = f"""
WITH hits AS (
    SELECT fts.rowid AS number, sum(asked.value) AS mass
    FROM json_each($1) AS asked CROSS JOIN {FTS} AS fts WHERE fts.{FTS} MATCH asked.key GROUP BY fts.rowid
) {FOUND}"""  # noqa: S608 - names of ours
POSTGRES = f"""
WITH hits AS (
    SELECT passages.number, sum(CAST(asked.value AS integer)) AS mass
    FROM json_each_text($1::json) AS asked JOIN passages ON {POSTGRES_WORDS} @@ CAST(asked.key AS tsquery)
    GROUP BY passages.number
) {FOUND}"""  # noqa: S608 - names of ours
PLANNED = "SELECT " + ", ".join(f"set_config('{name}', '{value}', true)" for name, value in BY_WORDS.items())


class Row(NamedTuple):
    """A passage, as FOUND selects it. `knowledge`: the version of the shop's knowledge."""

    passage_id: str
    article_id: str
    version: int
    ordinal: int
    heading: str
    text: str
    text_hash: str
    tokens: str
    title_tokens: str
    asked_tokens: str
    part: int
    is_page: bool
    slug: str
    title: str
    knowledge: int


@dataclass(frozen=True, slots=True)
class Hit:
    """The best passage of an article.

    `score` is the likelihood, 0…1, that it answers the question; `text` is Markdown. `title` names the page too, where
    a document has pages; `part`: the one of a document's that it is in, 0 of an article.
    """

    passage_id: str
    article_id: str
    version: int
    slug: str
    title: str
    lang: Locale
    heading: str
    text: str
    text_hash: str
    score: float
    part: int = 0

    @property
    def url(self) -> str:
        return f"/articles/{self.article_id}?v={self.version}" + (f"&p={self.part}" if self.part else "")


@dataclass(frozen=True, slots=True)
class Found:
    """`hits` best first, one per article; `lang` is the language they are in; `version` is the knowledge's."""

    hits: list[Hit]
    lang: Locale
    version: int
    asked: Question
    words: Vocabulary

    @property
    def is_confident(self) -> bool:
        return bool(self.hits) and self.hits[0].score >= CONFIDENT


async def search(source: Database | AsyncSession, shop: str, query: str, lang: Locale, limit: int = 5) -> Found:
    """At most `limit` hits for a question in its own language, by its script; `lang` decides when the script does not.

    When that language has nothing sure and the other one is very sure, the other one answers. `source` is a transaction
    for who sees what others do not yet; the database itself is asked at half the cost (docs/adr/0021), and raises Busy.
    """
    own = language_of(query, lang)
    found = await _search_in(source, shop, query[:QUESTION_LIMIT], own, limit)
    if not found.is_confident:
        other = await _search_in(source, shop, query[:QUESTION_LIMIT], "en" if own == "zh" else "zh", limit)
        if other.hits and other.hits[0].score >= CONFIDENT_ABROAD:
            return other
    return found


async def _search_in(source: Database | AsyncSession, shop: str, query: str, lang: Locale, limit: int) -> Found:
    while True:
        words, version = await vocabulary(source, shop, lang)
        asked = question(query, lang, words)
        terms = _heaviest(asked, words)
        rows = await _look_up(source, terms, shop, lang) if terms else []
        if all(row.knowledge == version for row in rows):  # it may have changed between the two statements
            return Found(await _ranked(asked, rows, words, lang, limit), lang, version, asked, words)


async def _look_up(source: Database | AsyncSession, terms: dict[str, int], shop: str, lang: Locale) -> list[Row]:
    arguments = (orjson.dumps(terms).decode(), shop, lang, CANDIDATES)
    if isinstance(source, Database):
        rows = await source.seek(SQLITE if source.is_sqlite else POSTGRES, *arguments)
    elif is_sqlite(source):
        rows = await rows_in(source, SQLITE, *arguments)
    else:
        await rows_in(source, PLANNED)
        rows = await rows_in(source, POSTGRES, *arguments)
    return [Row(*row) for row in rows]


def _heaviest(asked: Question, words: Vocabulary) -> dict[str, int]:
    """The terms to look up, with whole-number weights so that their sums are the same on every engine."""
    weighed: dict[str, float] = {}
    for part in asked.parts:
        for tokens, value in (*(((token,), value) for token, value in part.by_word.items()), *part.by_words):
            for token in tokens:
                weighed[token] = max(weighed.get(token, 0), value / len(tokens))
    terms, postings = dict[str, int](), 0
    for term, weight in sorted(weighed.items(), key=lambda one: (-one[1], one[0]))[:TERM_LIMIT]:
        count = words.terms.get(term, 1)
        if terms and postings + count > POSTINGS_LIMIT:
            continue
        postings += count
        terms[term] = max(1, round(weight * 1000))
    return terms


async def _ranked(asked: Question, rows: Sequence[Row], words: Vocabulary, lang: Locale, limit: int) -> list[Hit]:
    """Lets others in between: all of it in one go would hold them up for milliseconds."""
    best: dict[str, tuple[Fit, Row]] = {}
    for n, row in enumerate(rows):
        if n % IN_ONE_GO == 0:
            await asyncio.sleep(0)
        entry = Entry.of(row.title_tokens, row.asked_tokens, row.tokens, is_document=row.part > 0)
        found = fit(asked, entry, words)
        held = best.get(row.article_id)
        if held is None or (found.total, -row.ordinal) > (held[0].total, -held[1].ordinal):
            best[row.article_id] = (found, row)
    order = sorted(best.values(), key=lambda one: (-one[0].total, one[1].slug))
    totals = [found.total for found, _ in order[:2]] + [0.0]
    hits, most = list[Hit](), 1.0
    for found, row in order[:limit]:
        rival = totals[1] if not hits else totals[0]
        most = min(most, likelihood(asked, found, found.total - rival))
        hits.append(_hit(row, lang, most))
    return hits


def _hit(row: Row, lang: Locale, score: float) -> Hit:
    return Hit(
        passage_id=row.passage_id,
        article_id=row.article_id,
        version=row.version,
        slug=row.slug,
        title=f"{row.title}{PAGE[lang].format(page=row.part)}" if row.is_page else row.title,
        lang=lang,
        heading=row.heading,
        text=row.text,
        text_hash=row.text_hash,
        score=round(score, 4),
        part=row.part,
    )
