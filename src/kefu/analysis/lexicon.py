"""The words that tell, from `words.<language>.txt`. Both languages are one table: customers mix them."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib import resources

from kefu.kit.i18n import Locale
from kefu.knowledge.words import HAN, normal

LANGUAGES: tuple[Locale, ...] = ("en", "zh")
SECTION = re.compile(r"\[(\w+) (\w+) (\d)\]")
COMMA = re.compile(r"(?<!\\),")


@dataclass(frozen=True, slots=True)
class Entry:
    """One word or phrase as the table has it: it counts `weight` for `label` of its dimension."""

    label: str
    weight: int
    phrase: str


@dataclass(frozen=True, slots=True)
class Found:
    """An entry in a text: it covers the characters `start` to `end` of `normal(text)`."""

    start: int
    end: int
    entry: Entry


class Lexicon:
    """All entries of one dimension, found by their first characters."""

    def __init__(self, entries: dict[str, Entry]) -> None:
        self._by_start: dict[str, list[tuple[re.Pattern[str], Entry]]] = {}
        for entry in sorted(entries.values(), key=lambda one: -len(one.phrase)):
            start = entry.phrase.strip("^$*")[:2]
            self._by_start.setdefault(start, []).append((re.compile(_pattern(entry.phrase)), entry))

    def find(self, text: str) -> Iterator[Found]:
        """What stands in a text that is `normal`: at each place the longest, none over another."""
        at = 0
        while at < len(text):
            found = self._at(text, at)
            if found:
                yield found
            at = found.end if found else at + 1

    def _at(self, text: str, at: int) -> Found | None:
        for start in (text[at : at + 2], text[at]):
            for pattern, entry in self._by_start.get(start, ()):
                if match := pattern.match(text, at):
                    return Found(at, match.end(), entry)
        return None


def _pattern(phrase: str) -> str:
    """English as whole words, `*` for any ending; what has other characters wherever it stands."""
    core = re.escape(phrase.strip("^$")).replace(r"\*", r"\w*").replace(r"\ ", r"\s+")
    core = f"{r'(?<!.)' * phrase.startswith('^')}{core}{r'(?!.)' * phrase.endswith('$')}"
    if HAN.search(phrase) or not re.search(r"\w", phrase):
        return core
    starts = r"(?<![\w'])" if re.match(r"\w", phrase) else ""
    ends = r"(?![\w'])" if re.search(r"[\w*]$", phrase) else ""
    return starts + core + ends


@cache
def lexicons() -> dict[str, Lexicon]:
    """By dimension; `modify` holds what changes the words around it. Read once in a process."""
    entries: dict[str, dict[str, Entry]] = {}
    for language in LANGUAGES:
        text = (resources.files("kefu.analysis") / f"words.{language}.txt").read_text("utf-8")
        for dimension, entry in _read(text):
            entries.setdefault(dimension, {}).setdefault(entry.phrase, entry)
    return {dimension: Lexicon(found) for dimension, found in entries.items()}


def _read(text: str) -> Iterator[tuple[str, Entry]]:
    dimension = label = ""
    weight = 0
    for line in text.splitlines():
        if section := SECTION.match(line):
            dimension, label, weight = section[1], section[2], int(section[3])
        elif not line.startswith("#"):
            phrases = (one.strip().replace("\\,", ",") for one in COMMA.split(line))
            yield from ((dimension, Entry(label, weight, normal(one))) for one in phrases if one)
