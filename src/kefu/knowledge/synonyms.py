"""Words that mean the same, or lead to one another, in everyday talk about online shops and e-bikes.

The data are `synonyms.<language>.txt`, a group a line: `postage, shipping cost` are equal; in `frost, icy -> cold` what
a customer says leads
to what an article says, not back. Phrases may hold stop words ("below zero").
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from importlib import resources

from kefu.kit.i18n import Locale
from kefu.knowledge.words import HAN, Word, cut, normal

EQUAL, RELATED = 0.7, 0.9

# One way to say it: the terms that must all be there, and how much it counts against the very word.
Option = tuple[tuple[str, ...], float]


@dataclass(frozen=True)
class Found:
    """A phrase of the table in a question: it covers the characters `start` to `end`."""

    start: int
    end: int
    options: tuple[Option, ...]


class Synonyms:
    def __init__(self, lines: Iterable[str]) -> None:
        self._options: dict[str | tuple[str, ...], dict[tuple[str, ...], float]] = defaultdict(dict)
        for line in lines:
            if line.strip() and not line.startswith("#"):
                self._add(line)
        self._longest_text = max((len(one) for one in self._options if isinstance(one, str)), default=0)
        self._longest_phrase = max((len(one) for one in self._options if isinstance(one, tuple)), default=0)

    def _add(self, line: str) -> None:
        said, arrow, meant = line.partition("->")
        heads = [one.strip() for one in said.split(",") if one.strip()]
        targets = [one.strip() for one in meant.split(",") if one.strip()] if arrow else heads
        meanings = [tokens for target in targets if (tokens := _tokens(target, is_meant=bool(arrow)))]
        for head in heads:
            key = _key(head)
            if isinstance(key, tuple) and all(word.is_stop for word in cut(head)):
                continue
            known, own = self._options[key], _tokens(head, is_meant=True)
            for tokens in meanings:
                if tokens != own:
                    known[tokens] = max(known.get(tokens, 0), RELATED if arrow else EQUAL)

    @property
    def words(self) -> Iterator[str]:
        """The single Latin words the table knows, as stems."""
        return (key[0] for key in self._options if isinstance(key, tuple) and len(key) == 1)

    def of_term(self, term: str) -> tuple[Option, ...]:
        return tuple(self._options.get((term,), {}).items())

    def find(self, question: str, said: list[Word]) -> list[Found]:
        """The phrases in a question, the longest at each place, none over another. `said` are all its words."""
        text, found, at = normal(question), list[Found](), 0
        for index, word in enumerate(said):
            if word.start < at:
                continue
            hit = self._text_at(text, word, at) if word.is_han else self._phrase_at(said, index)
            if hit:
                found.append(hit)
                at = hit.end
        return found

    def _text_at(self, text: str, word: Word, at: int) -> Found | None:
        """Chinese is looked up by its characters, wherever the word cutter saw a border.

        A single one only when it is a word.
        """
        for start in range(max(word.start, at), word.end):
            for end in range(min(len(text), start + self._longest_text), start, -1):
                is_word = (start, end) == (word.start, word.end)
                if (is_word or end - start > 1) and (options := self._options.get(text[start:end])):
                    return Found(start, end, tuple(options.items()))
        return None

    def _phrase_at(self, said: list[Word], index: int) -> Found | None:
        for length in range(min(self._longest_phrase, len(said) - index), 0, -1):
            phrase = said[index : index + length]
            options = self._options.get(tuple(word.term for word in phrase))
            if options:
                return Found(phrase[0].start, phrase[-1].end, tuple(options.items()))
        return None


def _tokens(phrase: str, *, is_meant: bool) -> tuple[str, ...]:
    """What to look for in an article. Among equals a phrase with stop words is what only customers say: nothing."""
    said = list(cut(phrase))
    is_spoken = not is_meant and any(word.is_stop for word in said)
    return () if is_spoken else tuple(word.term for word in said if not word.is_stop)


def _key(phrase: str) -> str | tuple[str, ...]:
    text = normal(phrase)
    return text if HAN.search(text) else tuple(word.term for word in cut(phrase))


@cache
def synonyms(language: Locale) -> Synonyms:
    text = (resources.files("kefu.knowledge") / f"synonyms.{language}.txt").read_text("utf-8")
    return Synonyms(text.splitlines())
