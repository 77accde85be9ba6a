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
from kefu.knowledge.words import Word, cut, parts

UNKNOWN = 0.45
UNKNOWN_NAME = 0.9
UNKNOWN_CHARACTER = 0.15
TYPO = 0.8
INNER = 0.6
CHARACTERS = 0.45
IN_TITLE, IN_ASKED, IN_BODY = 0.62, 0.62, 0.6

COVER, ASKED = 0.55, 0.45
MIDDLE, STEEPNESS = 0.5, 9.0


@dataclass(frozen=True, slots=True)
class Unit:
    """Part of a question. `options` are the ways to say it; `weight` is what it adds when the passage says it."""

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
    options: dict[tuple[str, ...], float] = dict(others)
    for word in inside:
        if word.is_stop:
            continue
        for tokens, factor in _own_options(word, words, language):
            options[tokens] = max(options.get(tokens, 0), factor * share)
    known = {
        tokens: factor for tokens, factor in options.items() if any(token in words.terms for token in tokens)
    }
    weight = max((factor * _rarity(tokens, words) for tokens, factor in known.items()), default=0.0)
    is_known = any(factor >= INNER for factor in known.values())
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


def _rarity(tokens: tuple[str, ...], words: Vocabulary) -> float:
    return max(words.rarity(token) for token in tokens)


def _unknown(word: Word) -> float:
    if word.is_stop:
        return 0.0
    if word.is_han and len(word.term) == 1:
        return UNKNOWN_CHARACTER
    return UNKNOWN_NAME if word.is_name else UNKNOWN


def match(unit: Unit, field: frozenset[str], words: Vocabulary) -> float:
    """How well a field says the unit, 0…1."""
    best = 0.0
    for tokens, factor in unit.options:
        if factor <= best:
            continue
        if len(tokens) == 1:
            best = max(best, factor * (tokens[0] in field))
        else:
            whole = sum(words.rarity(token) for token in tokens)
            there = sum(words.rarity(token) for token in tokens if token in field) / whole if whole else 0.0
            best = max(best, factor * there * there)
    return best


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
            missed *= 1 - share * match(unit, field, words) if field else 1
        covered += unit.weight * (1 - missed)
    best = 0.0
    for whole, said in ((entry.title, fields[0]), *zip(entry.asked, wordings, strict=True)):
        if said:
            own = sum(words.rarity(token) for token in whole if not HAN_CHARACTER.fullmatch(token))
            hit = sum(unit.weight * match(unit, said, words) for unit in asked.units)
            best = max(best, hit / asked.whole * 0.5 + 0.5 * hit / max(own, asked.whole))
    return Fit(covered / asked.whole, min(1.0, best))


def confidence(asked: Question, entry: Entry, words: Vocabulary) -> float:
    """The likelihood, 0…1, that the passage answers the question."""
    found = fit(asked, entry, words)
    mixed = COVER * found.cover + ASKED * found.asked
    return 1 / (1 + math.exp(-STEEPNESS * (mixed - MIDDLE))) if mixed else 0.0
