"""Other wordings of what an article answers: how they are stored as tokens, and how alike two sentences are.

Stop words count here: "how do I", "can I" and "where is" say what kind of answer is wanted.
"""

import math
from dataclasses import dataclass
from functools import lru_cache

from kefu.knowledge.vocabulary import Vocabulary
from kefu.knowledge.words import HAN, cut, terms

WORDINGS, CONTENT = " | ", " / "
SEPARATORS = {WORDINGS.strip(), CONTENT.strip()}

# Words and pairs of neighbours.
Shape = frozenset[str | tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Wording:
    """`terms`: what `words.terms` finds in it."""

    terms: frozenset[str]
    shape: Shape


def wording_tokens(text: str) -> str:
    """All words in order, then those to search by."""
    return " ".join(word.term for word in cut(text)) + CONTENT + " ".join(terms(text))


@lru_cache(4096)
def wordings(tokens: str) -> tuple[Wording, ...]:
    """From a passage's `asked_tokens`."""
    found = []
    for one in tokens.split(WORDINGS):
        said, _, content = one.partition(CONTENT)
        found.append(Wording(frozenset(content.split()), _shape(said.split())))
    return tuple(found)


def shape(text: str) -> Shape:
    return _shape([word.term for word in cut(text)])


def _shape(said: list[str]) -> Shape:
    """Chinese by its characters, for where words begin and end is often a matter of taste."""
    units = [unit for word in said for unit in (word if HAN.match(word) else (word,))]
    return frozenset(units) | frozenset(zip(units, units[1:], strict=False))


def weight(of: Shape, words: Vocabulary) -> float:
    return sum(words.rarity(one) if isinstance(one, str) else (words.rarity(one[0]) + words.rarity(one[1])) / 2 for one in of)


def alike(one: Shape, one_weight: float, other: Shape, words: Vocabulary) -> float:
    """0, nothing in common, to 1, the same (a cosine)."""
    common = one & other
    return weight(common, words) / math.sqrt(one_weight * weight(other, words)) if common else 0.0
