"""Sentences as search compares them: an article's title and the other wordings of what it answers.

Stop words count in how alike two sentences are: "how do I", "can I" and "where is" say what kind of answer is wanted.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

from kefu.knowledge.vocabulary import Vocabulary
from kefu.knowledge.words import HAN, cut, terms

WORDINGS, CONTENT = " | ", " / "
SEPARATORS = {WORDINGS.strip(), CONTENT.strip()}

# Words and pairs of neighbours.
Shape = frozenset[str | tuple[str, str]]


@dataclass(frozen=True, slots=True, eq=False)
class Wording:
    """`terms`: what `words.terms` finds in it; `heads`: those without the single characters of Chinese."""

    terms: frozenset[str]
    heads: frozenset[str]
    shape: Shape


def wording_tokens(text: str) -> str:
    """All words in order, then those to search by."""
    return " ".join(word.term for word in cut(text)) + CONTENT + " ".join(terms(text))


@lru_cache(4096)
def wordings(tokens: str) -> tuple[Wording, ...]:
    """From a passage's `asked_tokens`."""
    parted = (one.partition(CONTENT) for one in tokens.split(WORDINGS) if one)
    return tuple(_wording(content.split(), said.split()) for said, _, content in parted)


@lru_cache(4096)
def titled(tokens: str) -> Wording:
    """From a passage's `title_tokens`."""
    return _wording(tokens.split(), ())


def _wording(content: Iterable[str], said: Sequence[str]) -> Wording:
    found = frozenset(content)
    return Wording(found, frozenset(one for one in found if not HAN.fullmatch(one)), _shape(said))


def shape(text: str) -> Shape:
    return _shape([word.term for word in cut(text)])


def _shape(said: Sequence[str]) -> Shape:
    """Chinese by its characters, for where words begin and end is often a matter of taste."""
    units = [unit for word in said for unit in (word if HAN.match(word) else (word,))]
    return frozenset(units) | frozenset(pairwise(units))


def weight(of: Shape, words: Vocabulary) -> float:
    rarity = words.rarity
    return sum(rarity(one) if isinstance(one, str) else (rarity(one[0]) + rarity(one[1])) / 2 for one in of)


def alike(one: Shape, one_weight: float, other: Wording, words: Vocabulary) -> float:
    """0, nothing in common, to 1, the same (a cosine)."""
    common = one & other.shape
    return weight(common, words) / math.sqrt(one_weight * _measured(other, words)[1]) if common else 0.0


def own_weight(wording: Wording, words: Vocabulary) -> float:
    """The rarity of all it says."""
    return _measured(wording, words)[0]


@lru_cache(20_000)
def _measured(wording: Wording, words: Vocabulary) -> tuple[float, float]:
    return sum(map(words.rarity, wording.heads)), weight(wording.shape, words)
