"""The one ranking of passages: pure Python, so that every database gives the same order.

A question becomes units: a word or a known phrase, its weight (rare words weigh more) and the ways to say it. A passage is scored by the share
of the question's weight it covers, in title, other wordings and body, and by how well one of its other wordings fits as a whole.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from kefu.kit.i18n import Locale
from kefu.knowledge.synonyms import Option, synonyms
from kefu.knowledge.vocabulary import Vocabulary
from kefu.knowledge.words import HAN as HAN_CHARACTER
from kefu.knowledge.words import Word, cut, everyday_terms, parts

EVERYDAY = 0.4
UNKNOWN = 0.45
UNKNOWN_NAME = 0.9
UNKNOWN_CHARACTER = 0.15
TYPO = 0.8
INNER = 0.6
CHARACTERS = 0.45
IN_TITLE, IN_ASKED, IN_BODY = 0.4, 0.4, 0.3

COVER, ASKED = 0.85, 0.15
MIDDLE, STEEPNESS = 0.5, 9.0


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

    units: tuple[Unit, ...]
    whole: float
    terms: frozenset[str]


@dataclass(frozen=True, slots=True)
class Entry:
    """What ranking reads of a passage: its words, field by field."""

    title: frozenset[str]
    asked: tuple[frozenset[str], ...]
    body: frozenset[str]

    @classmethod
    def of(cls, title: str, asked: str, body: str) -> "Entry":
        """From the columns of `passages`."""
        return cls(frozenset(title.split()), tuple(frozenset(one.split()) for one in asked.split("|")), frozenset(body.split()))


def question(text: str, language: Locale, words: Vocabulary) -> Question:
    parts_ = tuple(units(text, language, words))
    tokens = frozenset(token for unit in parts_ for option, _ in unit.options for token in option)
    return Question(parts_, sum(unit.weight for unit in parts_), tokens)


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
        light = EVERYDAY if word.term in everyday_terms(language) else 1
        for tokens, factor in _own_options(word, words, language):
            options[tokens] = max(options.get(tokens, 0), factor * share * light * words.rarest(tokens))
    known = {tokens: value for tokens, value in options.items() if any(token in words.terms for token in tokens)}
    weight = max(known.values(), default=0.0)
    is_known = bool(others and weight) or any(
        word.term in words.terms or weight >= INNER * words.rarest((word.term,)) for word in inside if not word.is_stop
    )
    if not is_known:
        weight = max(weight, max(_unknown(word, language) for word in inside))
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


def _unknown(word: Word, language: Locale) -> float:
    if word.is_stop:
        return 0.0
    if word.term in everyday_terms(language):
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
    """How a passage meets a question, each 0…1: the share of its weight it covers; how well one of its other wordings fits as a whole."""

    cover: float
    asked: float


def fit(asked: Question, entry: Entry, words: Vocabulary) -> Fit:
    if not asked.whole:
        return Fit(0, 0)
    wordings = [one & asked.terms for one in entry.asked]
    fields = (entry.title & asked.terms, frozenset().union(*wordings), entry.body & asked.terms)
    covered = 0.0
    for unit in asked.units:
        missed = 1.0
        for share, field in zip((IN_TITLE, IN_ASKED, IN_BODY), fields, strict=True):
            if field and unit.weight:
                missed *= 1 - share * match(unit, field, words) / unit.weight
        covered += unit.weight * (1 - missed)
    best = 0.0
    for whole, said in ((entry.title, fields[0]), *zip(entry.asked, wordings, strict=True)):
        if said:
            own = sum(words.rarity(token) for token in whole if not HAN_CHARACTER.fullmatch(token))
            hit = sum(match(unit, said, words) for unit in asked.units)
            best = max(best, hit / asked.whole * 0.5 + 0.5 * hit / max(own, asked.whole))
    return Fit(covered / asked.whole, min(1.0, best))


def confidence(asked: Question, entry: Entry, words: Vocabulary) -> float:
    """The likelihood, 0…1, that the passage answers the question."""
    found = fit(asked, entry, words)
    mixed = COVER * found.cover + ASKED * found.asked
    return 1 / (1 + math.exp(-STEEPNESS * (mixed - MIDDLE))) if mixed else 0.0
