"""The long tests begin first, on half of the workers."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from dealing import dealt

FILES = {"a/test_quick": 30, "faults/test_wires": 4, "faults/test_killed": 4, "b/test_slow": 4, "c/test_quick": 38}
TESTS = [
    SimpleNamespace(path=Path(f"tests/{file}.py"), number=n) for file, tests in FILES.items() for n in range(tests)
]
LONG = ("test_killed", "test_slow", "faults")


def order(workers: int) -> list[str]:
    return [f"{test.path.parent.name}/{test.path.stem}" for test in dealt(TESTS, workers, LONG)]


@pytest.mark.parametrize("workers", [1, 2, 3, 4, 5, 7, 90])
def test_each_test_is_dealt_once(workers: int) -> None:
    found = dealt(TESTS, workers, LONG)
    assert len(found) == len(TESTS)
    assert all(test in found for test in TESTS)


def test_alone_the_longest_come_first() -> None:
    assert order(1)[:12] == ["faults/test_killed"] * 4 + ["b/test_slow"] * 4 + ["faults/test_wires"] * 4


def test_half_of_the_workers_begin_with_the_long_files_and_keep_them_together() -> None:
    stretches = [order(4)[n : n + 20] for n in range(0, 80, 20)]
    assert stretches[0] == ["faults/test_killed"] * 4 + ["faults/test_wires"] * 4 + ["a/test_quick"] * 12
    assert stretches[1] == ["b/test_slow"] * 4 + ["a/test_quick"] * 16
    assert set(stretches[2] + stretches[3]) == {"a/test_quick", "c/test_quick"}
