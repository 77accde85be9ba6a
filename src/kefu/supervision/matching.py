"""Where in a text a phrase or a pattern is found, as `[start, end)` of the text as it was written."""

import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import re2

from kefu.knowledge.words import HAN, segments

Span = tuple[int, int]
MAX_MEMORY = 1 << 20
APOSTROPHES = {"\u2018": "'", "\u2019": "'"}


class BadPattern(ValueError):
    """`position`: where in the pattern, from 0; `what`: in the engine's words."""

    def __init__(self, position: int, what: str) -> None:
        super().__init__(what)
        self.position, self.what = position, what


@lru_cache(512)
def compiled(pattern: str) -> Any:
    """An RE2 program: what it takes grows with the text, whatever the pattern. Raises BadPattern."""
    options = re2.Options()
    options.max_mem, options.log_errors, options.case_sensitive = MAX_MEMORY, False, False
    try:
        return re2.compile(pattern, options)
    except re2.error as error:
        what = error.args[0].decode(errors="replace") if isinstance(error.args[0], bytes) else str(error.args[0])
        raise BadPattern(_position(pattern, what), what) from None


def _position(pattern: str, what: str) -> int:
    """Python's parser says where; what only RE2 refuses stands in its message behind the colon."""
    try:
        re.compile(pattern)
    except re.error as error:
        return error.pos or 0
    return max(0, pattern.find(what.rpartition(": ")[2]))


def found_by(pattern: str, text: str) -> list[Span]:
    """Empty matches are none."""
    return [span for one in compiled(pattern).finditer(text) if (span := one.span())[0] < span[1]]


def folded(text: str) -> str:
    """Lower case and half width, each character in its old place."""
    return "".join(_fold(one) for one in text)


@lru_cache(4096)
def _fold(character: str) -> str:
    plain = unicodedata.normalize("NFKC", APOSTROPHES.get(character, character)).lower()
    return plain if len(plain) == 1 else character


class Phrases:
    """Looks for several phrases at once.

    With `by_words` a phrase counts only where words begin and end. English always does: `agent` is not in `reagent`;
    Chinese is cut into words first: 客服 is in 找客服, and not in 为客服务.
    """

    def __init__(self, phrases: Sequence[str], *, by_words: bool) -> None:
        self._by_words = by_words
        alternatives = (re.escape(folded(one)) for one in sorted(phrases, key=len, reverse=True))
        self._pattern = re.compile("|".join(alternatives)) if phrases else None

    def find(self, text: str) -> list[Span]:
        if self._pattern is None:
            return []
        plain = folded(text)
        edges: set[int] = set()
        found, at = [], 0
        while hit := self._pattern.search(plain, at):
            span = hit.span()
            if self._by_words and HAN.search(hit[0]):
                edges = edges or _edges(plain)
                counts = edges.issuperset(span)
            else:
                counts = _is_whole(plain, *span)
            found += [span] * counts
            at = span[1] if counts else span[0] + 1  # another may begin inside one that does not count
        return found


def _is_whole(text: str, start: int, end: int) -> bool:
    """Whether no Latin word goes on beyond either end."""
    return not (_joins(text, start) or _joins(text, end))


def _joins(text: str, at: int) -> bool:
    return 0 < at < len(text) and _is_latin(text[at - 1]) and _is_latin(text[at])


def _is_latin(one: str) -> bool:
    return one.isalnum() and not HAN.match(one)


def _edges(text: str) -> set[int]:
    """Where words begin and end."""
    return {edge for start, end in segments(text) for edge in (start, end)}
