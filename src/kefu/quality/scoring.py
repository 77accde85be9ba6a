"""What the outcomes of golden questions come to: shares with an interval, by language.

The interval is the middle 95 % of what a thousand drawings with replacement from the same questions give (bootstrap),
always the same drawings for the same outcomes.
"""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from kefu.quality.golden import Outcome

TOP = 3
DRAWINGS = 1000
EDGE = DRAWINGS // 40
Measure = Literal[
    "recall_1",
    "recall_3",
    "mrr",
    "citation",
    "answered_right",
    "refusal",
    "escalation_precision",
    "escalation_recall",
    "escalation_f1",
    "false_containment",
]
Numbers = Sequence[tuple[float, float]]  # for each question, what it adds above and below the line of a fraction


@dataclass(frozen=True, slots=True)
class Score:
    """0…1; `low` to `high` is the interval; of `count` questions. None of it without any."""

    value: float
    low: float
    high: float
    count: int


def scores(outcomes: Sequence[Outcome]) -> dict[Measure, Score]:
    """Measures that no question speaks for are left out.

    `recall_k`: a right article among the first k found. `mrr`: one over its place. `citation`: of the answers to
    answerable questions those that name a right source. `answered_right`: answerable questions answered from a right
    source. `refusal`: unanswerable questions not answered. `escalation_…`: a person asked for where one must be.
    `false_containment`: of what must not be answered, what the bot answered and kept.
    """
    counted = {measure: _score(numbers(outcomes)) for measure, numbers in NUMBERS.items()}
    return {measure: score for measure, score in counted.items() if score.count}


def _share(of: Callable[[Outcome], bool], value: Callable[[Outcome], float]) -> Callable[[Sequence[Outcome]], Numbers]:
    return lambda outcomes: [(value(one), 1.0) for one in outcomes if of(one)]


def _f1(outcomes: Sequence[Outcome]) -> Numbers:
    """Twice the hits over hits, misses and false alarms."""
    pairs = [(_must(one), one.escalated) for one in outcomes]
    return [(2.0 * (must and did), float(must) + float(did)) for must, did in pairs if must or did]


def _place(outcome: Outcome) -> int | None:
    return next((n for n, one in enumerate(outcome.found, 1) if one in outcome.golden.expect), None)


def _within(top: int) -> Callable[[Outcome], float]:
    return lambda one: float((_place(one) or top + 1) <= top)


def _answerable(one: Outcome) -> bool:
    return one.golden.kind == "answerable"


def _unanswerable(one: Outcome) -> bool:
    return one.golden.kind == "unanswerable"


def _must(one: Outcome) -> bool:
    return one.golden.kind == "escalate"


NUMBERS: dict[Measure, Callable[[Sequence[Outcome]], Numbers]] = {
    "recall_1": _share(_answerable, _within(1)),
    "recall_3": _share(_answerable, _within(TOP)),
    "mrr": _share(_answerable, lambda one: 1 / (_place(one) or float("inf"))),
    "citation": _share(lambda one: _answerable(one) and one.answered, lambda one: one.is_cited),
    "answered_right": _share(_answerable, lambda one: one.is_right),
    "refusal": _share(_unanswerable, lambda one: not one.answered),
    "escalation_precision": _share(lambda one: one.escalated, _must),
    "escalation_recall": _share(_must, lambda one: one.escalated),
    "escalation_f1": _f1,
    "false_containment": _share(lambda one: not _answerable(one), lambda one: one.is_contained),
}


def _score(numbers: Numbers) -> Score:
    if not numbers:
        return Score(0.0, 0.0, 0.0, 0)
    chance = random.Random(len(numbers))  # noqa: S311 - draws samples, guards nothing
    drawn = sorted(_fraction(chance.choices(numbers, k=len(numbers))) for _ in range(DRAWINGS))
    return Score(_fraction(numbers), drawn[EDGE], drawn[-EDGE - 1], len(numbers))


def _fraction(numbers: Numbers) -> float:
    return round(sum(above for above, _ in numbers) / sum(below for _, below in numbers), 4)
