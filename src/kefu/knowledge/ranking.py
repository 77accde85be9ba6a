"""The one ranking of passages: pure Python, so that every database gives the same order.

A question becomes units: a word or a known phrase, its weight (rare words weigh more) and the ways to say it. A passage is scored by the share
of the question's weight it covers, in title, other wordings and body, and by how well one of its other wordings fits as a whole.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from kefu.kit.i18n import Locale
from kefu.knowledge.synonyms import Option, synonyms
from kefu.knowledge.vocabulary import Vocabulary
from kefu.knowledge.wordings import Shape, Wording, alike, shape, weight, wordings
from kefu.knowledge.words import HAN as HAN_CHARACTER
from kefu.knowledge.words import Word, cut, is_everyday, parts

EVERYDAY = 0.4
UNKNOWN = 0.45
UNKNOWN_NAME = 0.9
UNKNOWN_CHARACTER = 0.15
TYPO = 0.8
INNER = 0.6
CHARACTERS = 0.45
FIELDS = 0.4, 0.4, 0.2

COVER, ASKED = 0.85, 0.15
ALIKE = 0.3
MUTUAL = 0.5

# Of `likelihood`: first the constant, then one factor per fact.
FACTORS: dict[Locale, tuple[float, ...]] = {
    "en": (-6.00, 5.54, 2.67, 0.78, 2.27, 2.72, -2.02, 0.35),
    "zh": (-5.35, 7.19, 0.90, 0.31, 3.27, 0.57, -1.36, 0.01),
}


@dataclass(frozen=True, slots=True)
class Unit:
    """Part of a question. `options` are the ways to say it, each with its value; `weight` is the greatest."""

    said: str
    weight: float
    options: tuple[Option, ...]
    is_known: bool


@dataclass(frozen=True, slots=True)
class Question:
    """`whole` is the weight of all units; `terms` are all tokens of their options."""

    language: Locale
    units: tuple[Unit, ...]
    whole: float
    terms: frozenset[str]
    shape: Shape
    shape_weight: float


@dataclass(frozen=True, slots=True)
class Entry:
    """What ranking reads of a passage: its words, field by field."""

    title: frozenset[str]
    asked: tuple[Wording, ...]
    body: frozenset[str]

    @classmethod
    def of(cls, title: str, asked: str, body: str) -> "Entry":
        """From the columns of `passages`."""
        return cls(frozenset(title.split()), wordings(asked), frozenset(body.split()))


def question(text: str, language: Locale, words: Vocabulary) -> Question:
    parts_ = tuple(units(text, language, words))
    tokens = frozenset(token for unit in parts_ for option, _ in unit.options for token in option)
    said = shape(text)
    return Question(language, parts_, sum(unit.weight for unit in parts_), tokens, said, weight(said, words))


def units(question: str, language: Locale, words: Vocabulary) -> list[Unit]:
    """The parts of a question that say something. A repeated part counts once."""
    said = list(cut(question))
    table = synonyms(language)
    found, at = dict[str, Unit](), 0
    phrases = table.find(question, said)
    for phrase in phrases:
        inside = [word for word in said if word.start < phrase.end and word.end > phrase.start]
        unit = _unit(inside, phrase.options, words, language)
        found.setdefault(unit.said, unit)
    for word in said:
        if not word.is_stop and not any(word.start < one.end and word.end > one.start for one in phrases):
            unit = _unit([word], (), words, language)
            found.setdefault(unit.said, unit)
    return list(found.values())


def _unit(inside: Sequence[Word], others: Sequence[Option], words: Vocabulary, language: Locale) -> Unit:
    share = 1 / max(1, sum(not word.is_stop for word in inside))
    # What a known word leads to is worth no more than the word, or common words would be outbid by their rare relatives.
    most = words.rarity(inside[0].term) if len(inside) == 1 and inside[0].term in words.terms else 1.0
    options: dict[tuple[str, ...], float] = {tokens: factor * min(most, words.rarest(tokens)) for tokens, factor in others}
    for word in inside:
        if word.is_stop:
            continue
        light = EVERYDAY if is_everyday(word.term) else 1
        for tokens, factor in _own_options(word, words, language):
            options[tokens] = max(options.get(tokens, 0), factor * share * light * words.rarest(tokens))
    known = {tokens: value for tokens, value in options.items() if any(token in words.terms for token in tokens)}
    weight = max(known.values(), default=0.0)
    is_known = bool(others and weight) or any(
        word.term in words.terms or weight >= INNER * words.rarest((word.term,)) for word in inside if not word.is_stop
    )
    if not is_known:
        weight = max(weight, max(_unknown(word) for word in inside))
    return Unit(" ".join(word.raw for word in inside), weight, tuple(known.items()), is_known)


def _own_options(word: Word, words: Vocabulary, language: Locale) -> list[Option]:
    options: list[Option] = [((word.term,), 1.0)]
    if word.is_han:
        for inner in parts(word.term) if len(word.term) > 2 else ():
            if len(inner) > 1:
                options.append(((inner,), INNER))
        if len(word.term) > 1:
            options.append((tuple(word.term), CHARACTERS))
    elif word.term not in words.terms and (near := words.nearest(word.raw) or words.nearest(word.term)):
        options.append(((near,), TYPO))
        options += [(tokens, factor * TYPO) for tokens, factor in synonyms(language).of_term(near)]
    return options


def _unknown(word: Word) -> float:
    if word.is_stop:
        return 0.0
    if is_everyday(word.term):
        return UNKNOWN * EVERYDAY
    if word.is_han and len(word.term) == 1:
        return UNKNOWN_CHARACTER
    return UNKNOWN_NAME if word.is_name else UNKNOWN


def match(unit: Unit, field: frozenset[str], words: Vocabulary) -> float:
    """How much of the unit's weight a field says."""
    best = 0.0
    for tokens, value in unit.options:
        if value > best:
            best = max(best, value * _presence(tokens, field, words))
    return best


def _presence(tokens: tuple[str, ...], field: frozenset[str], words: Vocabulary) -> float:
    """1 when all are there; a part of them counts less than its share."""
    if len(tokens) == 1:
        return float(tokens[0] in field)
    whole = sum(words.rarity(token) for token in tokens)
    there = sum(words.rarity(token) for token in tokens if token in field)
    return (there / whole) ** 2 if whole else 0.0


@dataclass(frozen=True, slots=True)
class Fit:
    """How a passage meets a question.

    `cover`, `asked` and `alike` are 0…1: the share of the question's weight the passage says; how well one of its other wordings says the
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
    said = [one.terms & asked.terms for one in entry.asked]
    fields = (entry.title & asked.terms, frozenset().union(*said), entry.body & asked.terms)
    covered = mass = 0.0
    for unit in asked.units:
        found = [match(unit, field, words) if field else 0.0 for field in fields]
        mass += max(found)
        if unit.weight:
            missed = math.prod(1 - share * one / unit.weight for share, one in zip(FIELDS, found, strict=True))
            covered += unit.weight * (1 - missed)
    best = max((_mutual(asked, whole, part, words) for whole, part in _sentences(entry, fields[0], said) if part), default=0.0)
    nearest = max((alike(asked.shape, asked.shape_weight, one.shape, words) for one in entry.asked), default=0.0)
    return Fit(covered / asked.whole, min(1.0, best), nearest, mass)


def _sentences(entry: Entry, title: frozenset[str], said: Sequence[frozenset[str]]) -> Iterator[tuple[frozenset[str], frozenset[str]]]:
    yield entry.title, title
    yield from zip((one.terms for one in entry.asked), said, strict=True)


def _mutual(asked: Question, whole: frozenset[str], part: frozenset[str], words: Vocabulary) -> float:
    """How much of the question a sentence says, and how little else: `part` of `whole` belongs to the question."""
    own = sum(words.rarity(token) for token in whole if not HAN_CHARACTER.fullmatch(token))
    hit = sum(match(unit, part, words) for unit in asked.units)
    return hit / asked.whole * (1 - MUTUAL) + hit / max(own, asked.whole) * MUTUAL


def likelihood(asked: Question, found: Fit, lead: float) -> float:
    """How likely, 0…1, the passage answers the question; `lead` is by how much its total beats the best of the other articles.

    A logistic regression on the tune half of the golden questions and on the demo shop's wordings, each asked without itself.
    """
    unknown = sum(unit.weight for unit in asked.units if not unit.is_known) / asked.whole if asked.whole else 1.0
    facts = (1, found.cover, found.asked, found.alike, math.log1p(found.mass), lead, unknown, len(asked.units))
    return 1 / (1 + math.exp(-sum(factor * one for factor, one in zip(FACTORS[asked.language], facts, strict=True))))
