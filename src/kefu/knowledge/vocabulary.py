"""The words a shop's knowledge uses, and how rare each is."""

import math
from collections import OrderedDict, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from kefu.kit.i18n import Locale
from kefu.knowledge.models import KnowledgeState, Passage, Term

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


_kept: OrderedDict[tuple[str, str], Vocabulary] = OrderedDict()


async def vocabulary(tx: AsyncSession, shop: str, language: Locale) -> tuple[Vocabulary, int]:
    """The words of that shop and language and the version of its knowledge. Read again only after a change."""
    state = (
        await tx.execute(select(KnowledgeState.stamp, KnowledgeState.version).where(KnowledgeState.shop == shop))
    ).first()
    if state is None:
        return Vocabulary(0, {}), 0
    key = (state.stamp, language)
    if key in _kept:
        _kept.move_to_end(key)
    else:
        _kept[key] = await _read(tx, shop, language)
        while len(_kept) > KEPT:
            _kept.popitem(last=False)
    return _kept[key], state.version


async def _read(tx: AsyncSession, shop: str, language: Locale) -> Vocabulary:
    count = select(func.count()).select_from(Passage).where(Passage.shop == shop, Passage.lang == language)
    common = (
        select(Term.term, Term.passages)
        .where(Term.shop == shop, Term.lang == language)
        .order_by(Term.passages.desc(), Term.term)
        .limit(TERM_COUNT_LIMIT)
    )
    rows = await tx.execute(common)
    return Vocabulary((await tx.execute(count)).scalar_one(), {row.term: row.passages for row in rows})
