"""The one ranking of passages: pure Python, so that every database gives the same order.

A passage is scored by the share of the question's weight that it covers in title, other wordings and body, and by how
well one of its other
wordings fits as a whole.
"""

import math
from dataclasses import dataclass

from kefu.kit.i18n import Locale
from kefu.knowledge.asking import Part, Question
from kefu.knowledge.vocabulary import Vocabulary
from kefu.knowledge.wordings import Wording, alike, own_weight, titled, wordings

# How much of a part counts as said when title, other wordings or body say it.
FIELDS = 0.4, 0.4, 0.2
# A document has no other wordings: what it says counts as much as they do. With more, the golden questions asked of the
# demo shop's articles as documents were answered wrongly more often.
DOCUMENT_FIELDS = 0.4, 0.4, 0.4
COVER, ASKED, ALIKE = 0.85, 0.15, 0.3
MUTUAL = 0.5

# Of `likelihood`: first the constant, then one factor per fact.
FACTORS: dict[Locale, tuple[float, ...]] = {
    "en": (-5.79, 5.38, 2.03, 1.28, 2.64, 3.26, -1.84, 0.30),
    "zh": (-4.81, 6.45, 0.46, 0.66, 3.17, 1.72, -1.05, -0.02),
}


@dataclass(frozen=True, slots=True)
class Entry:
    """What ranking reads of a passage: its words, field by field."""

    title: Wording
    asked: tuple[Wording, ...]
    body: frozenset[str]
    is_document: bool

    @classmethod
    def of(cls, title: str, asked: str, body: str, *, is_document: bool) -> "Entry":
        """From the columns of `passages`."""
        return cls(titled(title), wordings(asked), frozenset(body.split()), is_document)


@dataclass(frozen=True, slots=True)
class Fit:
    """How a passage meets a question.

    `cover`, `asked` and `alike` are 0…1: the share of the question's weight the passage says; how well one of its other
    wordings says the
    same things; how alike the sentences are. `mass` is the weight it says, without bound.
    """

    cover: float
    asked: float
    alike: float
    mass: float

    @property
    def total(self) -> float:
        """What passages are ordered by."""
        return COVER * self.cover + ASKED * self.asked + ALIKE * self.alike


NO_FIT = Fit(0, 0, 0, 0)


def fit(asked: Question, entry: Entry, words: Vocabulary) -> Fit:
    if not asked.whole:
        return NO_FIT
    title = entry.title.terms & asked.terms
    said = [one.terms & asked.terms for one in entry.asked]
    fields = (title, frozenset().union(*said), entry.body & asked.terms)
    shares = DOCUMENT_FIELDS if entry.is_document else FIELDS
    covered = mass = 0.0
    for part in asked.parts:
        found = [match(part, field, words) for field in fields]
        if best := max(found):
            mass += best
            missed = math.prod(1 - share * one / part.weight for share, one in zip(shares, found, strict=True))
            covered += part.weight * (1 - missed)
    sentences = zip((entry.title, *entry.asked), (title, *said), strict=True)
    mutual = max((_mutual(asked, one, overlap, words) for one, overlap in sentences if overlap), default=0.0)
    nearest = max((alike(asked.shape, asked.shape_weight, one, words) for one in entry.asked), default=0.0)
    return Fit(covered / asked.whole, min(1.0, mutual), nearest, mass)


def match(part: Part, field: frozenset[str], words: Vocabulary) -> float:
    """How much of the part's weight a field says.

    Of a way in several words, a part of them counts less than its share.
    """
    there = part.terms & field
    best = 0.0
    if not there:
        return best
    for token in there:
        best = max(best, part.by_word.get(token, 0.0))
    for tokens, value in part.by_words:
        if value <= best:
            break
        if said := sum(words.rarity(token) for token in tokens if token in there):
            best = max(best, value * (said / sum(map(words.rarity, tokens))) ** 2)
    return best


def _mutual(asked: Question, sentence: Wording, overlap: frozenset[str], words: Vocabulary) -> float:
    """How much of the question a sentence says, and how little else."""
    hit = sum(match(part, overlap, words) for part in asked.parts)
    return hit / asked.whole * (1 - MUTUAL) + hit / max(own_weight(sentence, words), asked.whole) * MUTUAL


def likelihood(asked: Question, found: Fit, lead: float) -> float:
    """How likely, 0…1, the passage answers the question.

    `lead` is by how much its total beats the best of the other articles. A logistic regression on the tune half of the
    golden questions and on the demo shop's wordings, each asked without
    itself.
    """
    unknown = asked.unknown / asked.whole if asked.whole else 1.0
    facts = (1, found.cover, found.asked, found.alike, math.log1p(found.mass), lead, unknown, len(asked.parts))
    return 1 / (1 + math.exp(-sum(factor * one for factor, one in zip(FACTORS[asked.language], facts, strict=True))))
