"""The words a shop's knowledge uses, and how rare each is."""

import math
from collections import OrderedDict, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial

from sqlalchemy.ext.asyncio import AsyncSession

from kefu.kit.db import Database, rows_in
from kefu.kit.i18n import Locale

TERM_COUNT_LIMIT = 50_000
KEPT = 16
TYPO_LENGTH = 5


@dataclass(frozen=True, eq=False)
class Vocabulary:
    """`terms`: in how many of the `passages` each term occurs.

    At most TERM_COUNT_LIMIT, the commonest; the others count as rare.
    """

    passages: int
    terms: Mapping[str, int]
    _by_shape: dict[tuple[str, int], list[str]] = field(default_factory=lambda: defaultdict(list), repr=False)
    _rarities: dict[int, float] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        whole = math.log(1 + (self.passages + 0.5) / 0.5)
        for count in {0, *self.terms.values()}:
            held = min(count, self.passages)
            self._rarities[count] = math.log(1 + (self.passages - held + 0.5) / (held + 0.5)) / whole
        for term in self.terms:
            if term.isascii() and term.isalpha() and len(term) >= TYPO_LENGTH - 1:
                self._by_shape[term[0], len(term)].append(term)

    def rarity(self, term: str) -> float:
        """From 0, in every passage, to about 1, in a single one or none (idf over its own maximum)."""
        return self._rarities[self.terms.get(term, 0)]

    def rarest(self, tokens: Iterable[str]) -> float:
        return max(self.rarity(token) for token in tokens)

    def nearest(self, term: str) -> str | None:
        """The commonest term one typing error away, with the same first letter; None for short words."""
        if len(term) < TYPO_LENGTH or not (term.isascii() and term.isalpha()):
            return None
        near = [
            known
            for length in (len(term) - 1, len(term), len(term) + 1)
            for known in self._by_shape.get((term[0], length), ())
            if is_one_slip(term, known)
        ]
        return max(near, key=lambda known: (self.terms[known], known), default=None)


def is_one_slip(left: str, right: str) -> bool:
    """Whether one letter inserted, left out, replaced or two neighbours swapped turn one word into the other."""
    if len(left) > len(right):
        left, right = right, left
    start = next((at for at, (one, other) in enumerate(zip(left, right, strict=False)) if one != other), len(left))
    if len(left) < len(right):
        return left[start:] == right[start + 1 :]
    return left[start + 1 :] == right[start + 1 :] or (
        left[start : start + 2] == right[start : start + 2][::-1] and left[start + 2 :] == right[start + 2 :]
    )


STATE = "SELECT stamp, version FROM knowledge_states WHERE shop = $1"
COUNT = "SELECT count(*) FROM passages WHERE shop = $1 AND lang = $2"
COMMONEST = (
    "SELECT term, passages FROM knowledge_terms WHERE shop = $1 AND lang = $2 ORDER BY passages DESC, term LIMIT $3"
)
_kept: OrderedDict[tuple[str, str], Vocabulary] = OrderedDict()


async def vocabulary(source: Database | AsyncSession, shop: str, language: Locale) -> tuple[Vocabulary, int]:
    """The words of that shop and language and the version of its knowledge. Read again only after a change."""
    fetch = source.fetch if isinstance(source, Database) else partial(rows_in, source)
    state = next(iter(await fetch(STATE, shop)), None)
    if state is None:
        return Vocabulary(0, {}), 0
    stamp, version = state
    key = (stamp, language)
    if key in _kept:
        _kept.move_to_end(key)
    else:
        ((passages,),) = await fetch(COUNT, shop, language)
        _kept[key] = Vocabulary(passages, dict(await fetch(COMMONEST, shop, language, TERM_COUNT_LIMIT)))
        while len(_kept) > KEPT:
            _kept.popitem(last=False)
    return _kept[key], version
