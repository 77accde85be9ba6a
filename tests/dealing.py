"""Which worker of a run begins with what.

With `--dist worksteal` each worker goes through a stretch of the tests in their order, and who is done takes from the
ends of others' stretches. So what stands at the beginning of one begins early and stays together.
"""

from collections.abc import Sequence
from itertools import groupby
from pathlib import Path
from typing import Protocol, TypeVar

import pytest


class Collected(Protocol):
    path: Path


Item = TypeVar("Item", bound=Collected)


def workers_of(config: pytest.Config) -> int:
    count: int = getattr(config, "workerinput", {"workercount": 1})["workercount"]
    return count


def dealt(items: Sequence[Item], workers: int, long: Sequence[str]) -> list[Item]:
    """The same tests; half of the workers begin with the long ones, so that nobody is left alone with one in the end.

    No more than half, because a long one keeps several processes busy. `long`: files and folders, the longest first.
    """

    def rank(item: Item) -> int:
        names = {*item.path.parts, item.path.stem}
        return next((n for n, name in enumerate(long) if name in names), len(long))

    ranked = sorted(items, key=rank)
    files = groupby((item for item in ranked if rank(item) < len(long)), key=lambda item: item.path)
    hands: list[list[Item]] = [[] for _ in range(max(1, workers // 2))]
    for n, (_, file) in enumerate(files):
        hands[n % len(hands)] += file
    short = ranked[sum(map(len, hands)) :]
    dealt: list[Item] = []
    for workers_left in range(workers, 0, -1):
        hand = hands.pop(0) if hands else []
        stretch = (len(items) - len(dealt)) // workers_left
        end = max(0, stretch - len(hand))
        dealt += hand + short[:end]
        del short[:end]
    return dealt
