"""Whether the passages that an answer names say what it says.

A plain test by words, the same in both languages: every number of a sentence must stand in one of the passages that it
names, and half of its other words. What is written in another language than the passage is held to its numbers alone.
"""

import re
from collections.abc import Sequence
from functools import lru_cache
from itertools import chain

from kefu.answering.pii import PLACEHOLDER
from kefu.answering.ports import Claim, Doubt
from kefu.kit.i18n import Locale
from kefu.knowledge.passages import plain, sentences
from kefu.knowledge.search import Hit
from kefu.knowledge.synonyms import synonyms
from kefu.knowledge.words import Word, cut, language_of, parts, terms

# `[1]`, `[1, 2]`, `[1-3]`, `[^1]`, `【1】`.
NAMED = r"\d{1,3}(?:\s*[,，、-]\s*\d{1,3})*"
CITATION = re.compile(rf"[ \t]*[\[【]\^?({NAMED})[\]】]")
# Citations behind the end of their sentence.
BEHIND = re.compile(rf"([.!?。！？；]+)((?:\s*[\[【]\^?{NAMED}[\]】])+)")
LIST_MARK = re.compile(r"^[ \t]*(?:\d{1,2}[.)、]|[-*•])[ \t]+", re.MULTILINE)
ENOUGH = 0.5
SAME_UNIT = {"kmh": "km"}
NUMBER = re.compile(r"^(\d+(?:_\d+)*)([a-z]*)$")


def check(said: str, passages: Sequence[Hit]) -> list[Claim]:
    """The sentences of what a model said, each with the passages it names and whether they say it."""
    text = BEHIND.sub(r"\2\1 ", LIST_MARK.sub("", said))
    return [_claim(one, passages) for one in sentences(text) if CITATION.sub("", one).strip()]


def _claim(sentence: str, passages: Sequence[Hit]) -> Claim:
    cited = tuple(dict.fromkeys(chain.from_iterable(_numbers(found[1]) for found in CITATION.finditer(sentence))))
    text = " ".join(CITATION.sub("", sentence).split())
    return Claim(text, cited, _doubt(text, cited, passages))


def _numbers(cited: str) -> list[int]:
    first, dash, last = cited.partition("-")
    if dash:
        return list(range(int(first), min(int(last), int(first) + 20) + 1))
    return [int(one) for one in re.findall(r"\d+", cited)]


def _doubt(text: str, cited: Sequence[int], passages: Sequence[Hit]) -> Doubt:
    if not cited:
        return "uncited"
    if not all(1 <= n <= len(passages) for n in cited):
        return "no_such_passage"
    named = [
        _passage(hit.lang, f"{hit.title}\n\n{hit.heading}\n\n{hit.text}") for hit in (passages[n - 1] for n in cited)
    ]
    words = [word for word in cut(plain(PLACEHOLDER.sub("", text))) if not word.is_stop]
    numbers = [word.term for word in words if NUMBER.match(word.term)]
    if not all(any(one.has_number(number) for one in named) for number in numbers):
        return "numbers"
    language = language_of(text, named[0].language)
    own = [one for one in named if one.language == language]
    if own and sum(any(one.says(word) for one in own) for word in words) < ENOUGH * len(words):
        return "words"
    return ""


class _Passage:
    def __init__(self, language: Locale, text: str) -> None:
        self.language = language
        self._terms = frozenset(terms(plain(text)))
        self._numbers = {_number(term) for term in self._terms if NUMBER.match(term)}

    def has_number(self, term: str) -> bool:
        """Also where either of the two has no unit."""
        digits, unit = _number(term)
        units = {of for one, of in self._numbers if one == digits}
        return bool(units) and (not unit or unit in units or "" in units)

    def says(self, word: Word) -> bool:
        if word.term in self._terms or (NUMBER.match(word.term) and self.has_number(word.term)):
            return True
        if word.is_han and len(word.term) > 1 and self._terms.issuperset(word.term):
            return True
        if word.is_han and any(len(part) > 1 and part in self._terms for part in parts(word.term)):
            return True
        return any(self._terms.issuperset(tokens) for tokens, _ in synonyms(self.language).of_term(word.term))


# To read one takes longer than to hold ten sentences to it, and many ask for the same.
_passage = lru_cache(256)(_Passage)


def _number(term: str) -> tuple[str, str]:
    found = NUMBER.match(term)
    assert found
    digits, unit = found[1].removesuffix("_0"), found[2]
    return digits, SAME_UNIT.get(unit, unit)
