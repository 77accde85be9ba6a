"""A question as search sees it: parts that say something, how much each weighs, and the ways to say it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from kefu.kit.i18n import Locale
from kefu.knowledge.synonyms import Option, synonyms
from kefu.knowledge.vocabulary import Vocabulary
from kefu.knowledge.wordings import Shape, shape, weight
from kefu.knowledge.words import Word, cut, is_everyday, is_stop_term, parts

# What a part weighs, against the rarity of its word.
EVERYDAY = 0.4
UNKNOWN = 0.45
UNKNOWN_NAME = 0.9
UNKNOWN_CHARACTER = 0.15
# What a way to say it counts, against the very word: a typing error put right, a word inside a Chinese word, its
# characters.
TYPO = 0.8
INNER = 0.6
CHARACTERS = 0.45


@dataclass(frozen=True, slots=True)
class Part:
    """A word or a known phrase.

    `by_word` and `by_words` are the ways to say it, in one word or in several (best first), with their values; `weight`
    is the greatest of them. `terms` are the words of all ways.
    """

    said: str
    weight: float
    by_word: Mapping[str, float]
    by_words: Sequence[Option]
    is_known: bool
    terms: frozenset[str]


@dataclass(frozen=True, slots=True)
class Question:
    """`whole` is the weight of all parts and `unknown` of those nobody writes about.

    `terms` are all that may answer.
    """

    language: Locale
    parts: tuple[Part, ...]
    whole: float
    unknown: float
    terms: frozenset[str]
    shape: Shape
    shape_weight: float


def question(text: str, language: Locale, words: Vocabulary) -> Question:
    found = question_parts(text, language, words)
    said = shape(text)
    return Question(
        language=language,
        parts=found,
        whole=sum(part.weight for part in found),
        unknown=sum(part.weight for part in found if not part.is_known),
        terms=frozenset().union(*(part.terms for part in found)),
        shape=said,
        shape_weight=weight(said, words),
    )


def question_parts(text: str, language: Locale, words: Vocabulary) -> tuple[Part, ...]:
    """Known phrases, then the other words in order, without stop words. A repeated part counts once."""
    said = list(cut(text))
    phrases = synonyms(language).find(text, said)
    found: dict[str, Part] = {}
    for phrase in phrases:
        inside = [word for word in said if word.start < phrase.end and word.end > phrase.start]
        part = _part(inside, phrase.options, words, language)
        found.setdefault(part.said, part)
    for word in said:
        if not word.is_stop and not any(word.start < one.end and word.end > one.start for one in phrases):
            part = _part([word], (), words, language)
            found.setdefault(part.said, part)
    return tuple(found.values())


def _part(inside: Sequence[Word], others: Sequence[Option], words: Vocabulary, language: Locale) -> Part:
    content = [word for word in inside if not word.is_stop]
    share = 1 / max(1, len(content))
    # What a known word leads to is worth no more than the word, or common words would be outbid by their rare
    # relatives.
    most = words.rarity(inside[0].term) if len(inside) == 1 and inside[0].term in words.terms else 1.0
    values: dict[tuple[str, ...], float] = {
        tokens: factor * min(most, words.rarest(tokens)) for tokens, factor in others
    }
    for word in content:
        light = EVERYDAY if is_everyday(word.term) else 1
        for tokens, factor in _own_options(word, words, language):
            values[tokens] = max(values.get(tokens, 0), factor * share * light * words.rarest(tokens))
    known = {tokens: value for tokens, value in values.items() if any(token in words.terms for token in tokens)}
    best = max(known.values(), default=0.0)
    is_known = bool(others and best) or any(
        word.term in words.terms or best >= INNER * words.rarity(word.term) for word in content
    )
    return Part(
        said=" ".join(word.raw for word in inside),
        weight=best if is_known else max([best, *(_unknown(word, words) for word in content)]),
        by_word={tokens[0]: value for tokens, value in known.items() if len(tokens) == 1},
        by_words=sorted(
            ((tokens, value) for tokens, value in known.items() if len(tokens) > 1), key=lambda one: (-one[1], one[0])
        ),
        is_known=is_known,
        terms=frozenset(token for tokens in known for token in tokens),
    )


def _own_options(word: Word, words: Vocabulary, language: Locale) -> list[Option]:
    options: list[Option] = [((word.term,), 1.0)]
    if word.is_han and len(word.term) > 1:
        options += [((inner,), INNER) for inner in parts(word.term) if len(inner) > 1]
        options.append((tuple(word.term), CHARACTERS))
    elif word.term not in words.terms and (near := _put_right(word, words)) and not is_stop_term(near):
        options.append(((near,), TYPO))
        options += [(tokens, factor * TYPO) for tokens, factor in synonyms(language).of_term(near)]
    return options


def _put_right(word: Word, words: Vocabulary) -> str | None:
    return words.nearest(word.raw) or words.nearest(word.term)


def _unknown(word: Word, words: Vocabulary) -> float:
    near = None if word.is_han else _put_right(word, words)
    if near and is_stop_term(near):
        return 0.0
    if is_everyday(word.term):
        return UNKNOWN * EVERYDAY
    if word.is_han and len(word.term) == 1:
        return UNKNOWN_CHARACTER
    return UNKNOWN_NAME if word.is_name else UNKNOWN
