"""What a word is: how text is cut, so that what is asked and what is written meet.

Chinese is cut by rjieba, English stemmed by Snowball; both may stand in one sentence. Full-width letters become
half-width, accents go, a
number keeps its unit, stop words are left out. A term has only letters, digits and `_`, so it needs no quoting for any
engine.
"""

import re
import unicodedata
from collections.abc import Iterator
from functools import cache, lru_cache
from importlib import resources
from typing import NamedTuple

import rjieba
import snowballstemmer

from kefu.kit.i18n import Locale

TERM_LIMIT = 80
HAN = re.compile(r"[\u3400-\u9fff]")
LATIN_WORD = re.compile(r"[a-z]{2,}")
UNITS = {
    "km/h": "kmh", "kmh": "kmh", "kph": "kmh", "mph": "mph", "km": "km", "m": "m", "cm": "cm", "mm": "mm", "kg": "kg",
    "kwh": "kwh", "wh": "wh", "ah": "ah", "nm": "nm", "w": "w", "v": "v", "psi": "psi", "bar": "bar", "%": "percent",
    "°c": "celsius", "°f": "fahrenheit", "公里": "km", "千米": "km", "厘米": "cm", "公斤": "kg", "千克": "kg",
    "瓦时": "wh", "瓦": "w", "伏": "v",
}  # fmt: skip
PIECE = re.compile(
    r"(?P<number>\d+(?:\.\d+)?)\s?(?P<unit>"
    + "|".join(re.escape(unit) for unit in sorted(UNITS, key=len, reverse=True))
    + r")(?![a-z0-9])"
    r"|(?P<latin>[a-z0-9]+(?:['.][a-z0-9]+)*)"
    r"|(?P<han>[\u3400-\u9fff]+)"
)
CONTRACTED = re.compile(r"n't$|'(?:s|re|ve|ll|d|m)$")
HYPHEN = re.compile(r"\b(e|wi|pre|re|un|non)-(?=[a-z])")

# Adverbs, pronouns, numerals, measures, times, conjunctions, prepositions, particles, places beside something.
FUNCTION_TAGS = frozenset(("d", "ad", "r", "m", "q", "mq", "t", "c", "p", "u", "uj", "ul", "y", "e", "o", "f", "k"))

_stemmer = snowballstemmer.stemmer("english")


class Word(NamedTuple):
    """A word of a text.

    `term` is its form in the index, `raw` as typed in lower case, `start` and `end` its place in `normal(text)`.
    `is_stop` when it says nothing about the subject; `is_name` when its capital letter says that it is a name.
    """

    term: str
    raw: str
    start: int
    end: int
    is_han: bool = False
    is_stop: bool = False
    is_name: bool = False


def language_of(text: str, otherwise: Locale) -> Locale:
    """By the script: Chinese when its characters are at least as many as the Latin words.

    `otherwise` when there is neither.
    """
    han, latin = len(HAN.findall(text)), len(LATIN_WORD.findall(text.lower()))
    if not han and not latin:
        return otherwise
    return "zh" if han >= latin else "en"


def normal(text: str) -> str:
    """Lower-case, half-width, without accents, with plain apostrophes; e-bike and ebike are one word."""
    parted = unicodedata.normalize("NFKD", text.translate({0x2019: "'", 0x2018: "'", 0x2010: "-", 0x2011: "-"})).lower()
    return HYPHEN.sub(
        r"\1", unicodedata.normalize("NFC", "".join(one for one in parted if not unicodedata.combining(one)))
    )


@cache
def stop_words(language: Locale) -> frozenset[str]:
    """Words that say nothing about the subject, as written."""
    return _words_of(f"stopwords.{language}.txt")


@cache
def _stop_terms() -> frozenset[str]:
    return stop_words("zh") | {stem(word) for word in stop_words("en")}


def is_stop_term(term: str) -> bool:
    """Whether a stop word has this form in the index."""
    return term in _stop_terms()


@cache
def _everyday(language: Locale) -> frozenset[str]:
    words = _words_of(f"everyday.{language}.txt")
    return frozenset(stem(word) for word in words) if language == "en" else words


@lru_cache(50_000)
def is_everyday(term: str) -> bool:
    """Whether it is a word of any talk, which hints at a subject but does not make one.

    By a list, and in Chinese by what kind of word it is.
    """
    if not HAN.search(term):
        return term in _everyday("en")
    tagged = rjieba.tag(term, hmm=False)
    return term in _everyday("zh") or (len(tagged) == 1 and tagged[0][1] in FUNCTION_TAGS)


def _words_of(file: str) -> frozenset[str]:
    text = (resources.files("kefu.knowledge") / file).read_text("utf-8")
    return frozenset(word for line in text.splitlines() if not line.startswith("#") for word in line.split())


@lru_cache(50_000)
def stem(word: str) -> str:
    return str(_stemmer.stemWord(word))[:TERM_LIMIT]


def cut(text: str) -> Iterator[Word]:
    """All words of a text in order, stop words too."""
    names = {normal(one) for one in re.findall(r"(?<![.!?…] )(?<!^)\b[A-Z][A-Za-z]{2,}", text)}
    for piece in PIECE.finditer(normal(text)):
        start, end = piece.span()
        if piece["han"]:
            for one in rjieba.cut(piece["han"], hmm=False):
                yield Word(one, one, start, start + len(one), is_han=True, is_stop=one in stop_words("zh"))
                start += len(one)
        elif piece["unit"]:
            unit = UNITS[piece["unit"]]
            yield Word(_number(piece["number"]) + unit, piece[0], start, end)
            yield Word(unit, piece["unit"], start, end)
        else:
            raw = CONTRACTED.sub("", piece["latin"])
            is_stop = raw in stop_words("en") or piece["latin"] in stop_words("en")
            yield Word(_latin_term(raw), raw, start, end, is_stop=is_stop, is_name=raw in names)


def segments(text: str) -> Iterator[tuple[int, int]]:
    """Where the Chinese words of a text begin and end, in the text as it is given."""
    for piece in re.finditer(r"[\u3400-\u9fff]+", text):
        start = piece.start()
        for one in rjieba.cut(piece[0], hmm=False):
            yield start, start + len(one)
            start += len(one)


def terms(text: str) -> list[str]:
    """The terms to index: words in order.

    After them, for Chinese, the shorter words inside them and their characters.
    """
    said = [word for word in cut(text) if not word.is_stop]
    inner = [part for word in said if word.is_han and len(word.term) > 1 for part in parts(word.term)]
    return [word.term for word in said] + inner


def all_terms(text: str) -> list[str]:
    """As `terms`, with the stop words, each once: for who looks for what was written, not for what it is about."""
    said = list(cut(text))
    inner = [part for word in said if word.is_han and len(word.term) > 1 for part in parts(word.term)]
    return sorted({term[:TERM_LIMIT] for term in (*(word.term for word in said), *inner)})


@lru_cache(50_000)
def parts(word: str) -> tuple[str, ...]:
    """The shorter words inside a Chinese word, and its characters."""
    shorter = (
        [one for one in rjieba.cut_for_search(word, hmm=False) if len(one) > 1 and one != word] if len(word) > 2 else []
    )
    return (*shorter, *word)


def _number(digits: str) -> str:
    return digits.replace(".", "_")


def _latin_term(raw: str) -> str:
    if raw.isalpha():
        return stem(raw)
    return raw.replace("'", "").replace(".", "_")[:TERM_LIMIT]
