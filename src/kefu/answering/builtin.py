"""The answerer that needs no model and no key.

It finds the passage that answers and says it in the passage's own words.
"""

import asyncio
import re
import time
from collections.abc import AsyncGenerator, Iterator, Sequence
from hashlib import sha256

from kefu.answering import wording
from kefu.answering.ports import Answer, Delta, Evidence, EvidencePassage, Source, Turn
from kefu.kit.db import Database
from kefu.kit.i18n import Locale
from kefu.knowledge.passages import sentences
from kefu.knowledge.quoting import excerpt, quote
from kefu.knowledge.search import Found, Hit, search
from kefu.knowledge.synonyms import synonyms
from kefu.knowledge.vectors import Asker, NearOf, by_words_alone
from kefu.knowledge.words import language_of

LANGUAGES: tuple[Locale, ...] = ("en", "zh")
HITS = 5
SOURCES = 3
# How many questions are looked up at a time: what that takes, it takes of the event loop, where people wait too.
AT_ONCE = 2
# A further hit is named as a source when it is nearly as sure as the quoted one.
NEARLY = 0.85
PIECE = 60
FOLLOWS_UP = re.compile(r"^(?:and|what about|how about|also)\b|^(?:那|那么|还有)|呢[？?]?$", re.IGNORECASE)


class BuiltinAnswerer:
    """Answers from the shop's published knowledge, in the language of the question, or says that it does not know."""

    def __init__(self, db: Database, near_of: NearOf = by_words_alone) -> None:
        self._db = db
        self._near_of = near_of
        self._desk = asyncio.Semaphore(1 if db.is_sqlite else AT_ONCE)
        for language in LANGUAGES:
            synonyms(language)  # read from its file now, so that no visitor waits for it

    async def answer(self, turn: Turn) -> AsyncGenerator[Delta | Answer]:
        started = time.perf_counter()
        locale = language_of(turn.question, turn.locale)
        reply = _without_knowledge(turn, locale) or await self._from_knowledge(turn, locale)
        text, answered, found = reply
        for piece in pieces(text):
            yield Delta(piece)
        took = round((time.perf_counter() - started) * 1000)
        sources = _sources(found) if answered and found else ()
        yield Answer(text, answered, sources, _evidence(turn, found, took, answered=answered))

    async def look_up(self, turn: Turn, locale: Locale) -> Found:
        """What the knowledge has on the question; one that follows up on an earlier one is looked up with it."""
        questions = [turn.question, *_with_earlier(turn)]
        near = await self._near_of(Asker(turn.shop, locale, turn.visitor, turn.session_name), questions)
        async with self._desk:
            found = await search(self._db, turn.shop, turn.question, locale, HITS, near[0])
            if not found.is_confident and len(questions) > 1:
                both = await search(self._db, turn.shop, questions[1], locale, HITS, near[1])
                found = both if both.is_confident or both.nearest > found.nearest else found
        return found

    async def _from_knowledge(self, turn: Turn, locale: Locale) -> tuple[str, bool, Found | None]:
        found = await self.look_up(turn, locale)
        if not found.is_confident:
            return wording.unknown(locale, turn.history), False, found
        text = quote(found.asked, found.hits[0].text, found.words)
        if found.lang != locale:
            text = f"{wording.FOREIGN[locale]}\n\n{text}"
        return text, True, found


def _with_earlier(turn: Turn) -> Iterator[str]:
    """The question together with the one that it follows up on, if it does: "and to the UK?" names no subject."""
    earlier = next((said.content for said in reversed(turn.history) if said.role == "user"), "")
    if earlier and FOLLOWS_UP.search(turn.question.strip()):
        yield f"{earlier}\n{turn.question}"


def _without_knowledge(turn: Turn, locale: Locale) -> tuple[str, bool, Found | None] | None:
    if talk := wording.small_talk(turn.question):
        return wording.GREETINGS[talk][locale], True, None
    if wording.wants_a_person(turn.question):
        return wording.TO_A_PERSON[locale], False, None
    return None


def pieces(text: str) -> Iterator[str]:
    """The text in short pieces, as one would read it; joined they are the text again."""
    for sentence in sentences(text):
        held = ""
        for part in re.findall(r"[^ ，、,]*[ ，、,]|[^ ，、,]+", sentence):
            if held and len(held) + len(part) > PIECE:
                yield held
                held = ""
            held += part
        yield held


def _sources(found: Found) -> Sequence[Source]:
    """What is quoted, then what is nearly as sure."""
    best = found.hits[0].score
    return tuple(source_of(hit) for hit in found.hits[:SOURCES] if hit.score >= NEARLY * best)


def source_of(hit: Hit) -> Source:
    return Source(hit.article_id, hit.passage_id, hit.version, hit.title, hit.url, excerpt(hit.text), hit.score)


def passage_of(hit: Hit) -> EvidencePassage:
    return EvidencePassage(hit.passage_id, hit.article_id, hit.version, hit.title, hit.text_hash, hit.text, hit.score)


def _evidence(turn: Turn, found: Found | None, took: int, *, answered: bool) -> Evidence:
    passages = tuple(passage_of(hit) for hit in (found.hits[:SOURCES] if found else ()))
    return Evidence(
        provider="builtin",
        model="retrieval",
        knowledge_version=found.version if found else 0,
        passages=passages,
        prompt_hash=sha256(turn.question.encode()).hexdigest(),
        tokens=0,
        cost=0.0,
        latency_ms=took,
        answered=answered,
        retrieval=found.retrieval if found else "keyword",
        embedder=found.embedder if found else "",
    )
