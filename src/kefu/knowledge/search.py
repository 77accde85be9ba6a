"""The one search over a shop's published knowledge: for bot, agents and hit test.

The database names the passages that share the question's heaviest words; `ranking` orders them, the same on every
database. Where the shop has an embedder, what is near by meaning is fused with them (`Found.fused`); how sure a hit is
says the ranking by words alone, which was calibrated.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal, NamedTuple

import orjson
from sqlalchemy.ext.asyncio import AsyncSession

from kefu.kit.db import Database, is_sqlite, rows_in
from kefu.kit.i18n import Locale, Text
from kefu.kit.postgres import BY_WORDS
from kefu.knowledge.asking import Question, question
from kefu.knowledge.fusing import fused
from kefu.knowledge.ranking import Entry, Fit, fit, likelihood
from kefu.knowledge.search_ddl import FTS, POSTGRES_WORDS
from kefu.knowledge.vectors import Near
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
# From this cosine on a passage that shares no word with the question may say what it asks for. It lets in, and says
# nothing of how sure that is: the scales of models differ.
MEANT = 0.3
Retrieval = Literal["keyword", "fused"]
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
BY_ID = f"""
WITH hits AS (SELECT number, 0 AS mass FROM passages WHERE id IN (SELECT {{each}})) {FOUND}"""  # noqa: S608 - ours
NEAR_SQLITE = BY_ID.format(each="value FROM json_each($1)")
NEAR_POSTGRES = BY_ID.format(each="json_array_elements_text($1::json)")
PLANNED = "SELECT " + ", ".join(f"set_config('{name}', '{value}', true)" for name, value in BY_WORDS.items())


BY_WORDS_SQL = (SQLITE, POSTGRES)
BY_ID_SQL = (NEAR_SQLITE, NEAR_POSTGRES)


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


Fitting = tuple[Fit, Row]


@dataclass(frozen=True, slots=True)
class Hit:
    """The best passage of an article.

    `score` is the likelihood, 0…1, that it answers the question, by its words; `text` is Markdown. `title` names the
    page too, where a document has pages; `part`: the one of a document's that it is in, 0 of an article.
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
    """`hits` by words, best first, one per article; `lang` is the language they are in; `version` is the knowledge's.

    `fused`: the same together with what is near by meaning, in another order; None where the words searched alone.
    `nearest`: the cosine of what is nearest. `embedder`: the model of the shop's, whether it answered or not.
    """

    hits: list[Hit]
    lang: Locale
    version: int
    asked: Question
    words: Vocabulary
    fused: list[Hit] | None = None
    nearest: float = 0.0
    embedder: str = ""

    @property
    def is_confident(self) -> bool:
        return bool(self.hits) and self.hits[0].score >= CONFIDENT

    @property
    def best(self) -> list[Hit]:
        """For who reads and judges them: a model, an agent."""
        return self.hits if self.fused is None else self.fused

    @property
    def retrieval(self) -> Retrieval:
        return "keyword" if self.fused is None else "fused"


@dataclass(frozen=True, slots=True)
class _Wanted:
    shop: str
    query: str
    limit: int
    near: Near | None


async def search(
    source: Database | AsyncSession,
    shop: str,
    query: str,
    lang: Locale,
    limit: int = 5,
    near: Near | None = None,
) -> Found:
    """At most `limit` hits for a question in its own language, by its script; `lang` decides when the script does not.

    When that language has nothing sure and the other one is very sure, the other one answers. `source` is a transaction
    for who sees what others do not yet; the database itself is asked at half the cost (docs/adr/0021), and raises Busy.
    `near`: what `vectors.NearOf` gave for the query before.
    """
    own, wanted = language_of(query, lang), _Wanted(shop, query[:QUESTION_LIMIT], limit, near)
    found = await _search_in(source, wanted, own)
    if not found.is_confident:
        other = await _search_in(source, wanted, "en" if own == "zh" else "zh")
        if other.hits and other.hits[0].score >= CONFIDENT_ABROAD:
            return other
    return found


async def _search_in(source: Database | AsyncSession, wanted: _Wanted, lang: Locale) -> Found:
    near = [*wanted.near.by_language.get(lang, ())] if wanted.near else []
    while True:
        words, version = await vocabulary(source, wanted.shop, lang)
        asked = question(wanted.query, lang, words)
        terms = _heaviest(asked, words)
        rows = await _look_up(source, BY_WORDS_SQL, terms, wanted.shop, lang) if terms else []
        there = {row.passage_id for row in rows}
        others = [one for one, _ in near if one not in there]
        more = await _look_up(source, BY_ID_SQL, others, wanted.shop, lang) if others else []
        if all(row.knowledge == version for row in (*rows, *more)):  # it may have changed between the statements
            break
    fits = await _fits(asked, rows, words)
    found = Found(_ranked(asked, fits, lang, wanted.limit), lang, version, asked, words)
    if wanted.near is None:
        return found
    if not near:
        return replace(found, embedder=wanted.near.model)
    both = _fused(found, fits, await _fits(asked, more, words), near, wanted.limit)
    return replace(found, fused=both, nearest=near[0][1], embedder=wanted.near.model)


async def _look_up(
    source: Database | AsyncSession, sql: tuple[str, str], what: object, shop: str, lang: Locale
) -> list[Row]:
    """`sql`: for SQLite and for PostgreSQL."""
    arguments = (orjson.dumps(what).decode(), shop, lang, CANDIDATES)
    if isinstance(source, Database):
        rows = await source.seek(sql[not source.is_sqlite], *arguments)
    elif is_sqlite(source):
        rows = await rows_in(source, sql[0], *arguments)
    else:
        await rows_in(source, PLANNED)
        rows = await rows_in(source, sql[1], *arguments)
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


async def _fits(asked: Question, rows: Sequence[Row], words: Vocabulary) -> list[Fitting]:
    """Lets others in between: all of it in one go would hold them up for milliseconds."""
    found = list[Fitting]()
    for n, row in enumerate(rows):
        if n % IN_ONE_GO == 0:
            await asyncio.sleep(0)
        entry = Entry.of(row.title_tokens, row.asked_tokens, row.tokens, is_document=row.part > 0)
        found.append((fit(asked, entry, words), row))
    return found


def _ranked(asked: Question, fits: Sequence[Fitting], lang: Locale, limit: int) -> list[Hit]:
    best: dict[str, Fitting] = {}
    for found, row in fits:
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


def _fused(
    found: Found, fits: Sequence[Fitting], more: Sequence[Fitting], near: Sequence[tuple[str, float]], limit: int
) -> list[Hit]:
    """Of each article the passage that both ways together like best; what the words like best stays in any case."""
    rows = {row.passage_id: (fits_how, row) for fits_how, row in (*fits, *more)}
    by_words = sorted((one for one in fits if one[0].total > 0), key=lambda one: (-one[0].total, one[1].slug))
    meant = [one for one, cosine in near if cosine >= MEANT and one in rows]
    order = fused([row.passage_id for _, row in by_words], meant)
    first = found.hits[:1]
    known = {hit.passage_id: hit for hit in found.hits}
    hits: dict[str, Hit] = {}
    for fits_how, row in (rows[one] for one in order):
        lead = fits_how.total - (by_words[0][0].total if by_words else 0.0)
        hit = known.get(row.passage_id) or _hit(row, found.lang, likelihood(found.asked, fits_how, min(lead, 0.0)))
        hits.setdefault(row.article_id, hit)
    chosen = [*hits.values()][:limit]
    if first and first[0].article_id not in {hit.article_id for hit in chosen}:
        chosen[-1:] = first
    return chosen


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
