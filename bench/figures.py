"""Figures and the bounds they are held to."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal


def quantile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least `share` of them do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def milliseconds(values: Sequence[float], share: float) -> float:
    """`quantile` of seconds, in milliseconds."""
    return quantile(values, share) * 1000


@dataclass(frozen=True)
class Bound:
    """What a figure must keep to. `goal` is where it shall be next; it fails nothing."""

    sense: Literal["at least", "at most"]
    limit: float
    goal: float | None = None

    def holds(self, value: float) -> bool:
        return value >= self.limit if self.sense == "at least" else value <= self.limit


@dataclass(frozen=True)
class Judged:
    """One measured figure against its bound."""

    database: str
    what: str
    value: float
    unit: str
    bound: Bound

    @property
    def holds(self) -> bool:
        return self.bound.holds(self.value)


@dataclass(frozen=True)
class Table:
    """Rows to read beside the judged figures."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
