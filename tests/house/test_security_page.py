"""docs/security.md names tests that exist, and says of every item how it is met."""

import re
from collections.abc import Iterator

from house.sources import ROOT, is_test

REFERENCE = re.compile(r"`((?:tests|e2e|web)/[^`]+::[^`]+)`")
PAGE = (ROOT / "docs/security.md").read_text()


def rows() -> Iterator[list[str]]:
    for line in PAGE.splitlines():
        if line.startswith("| ") and not line.startswith(("| item", "| fault")):
            yield [cell.strip() for cell in line.strip("|").split("|")]


def test_every_test_it_names_exists() -> None:
    named = REFERENCE.findall(PAGE)
    assert len(named) > 80
    assert [one for one in named if not is_test(one)] == []


def test_whatever_is_shown_by_nothing_says_why() -> None:
    for row in rows():
        assert REFERENCE.search(row[-1]) or len(" ".join(row[1:])) > 15, row


def test_a_test_that_is_none_is_seen() -> None:
    assert not is_test("tests/house/test_security_page.py::test_nowhere")
    assert not is_test("tests/nowhere.py::test_a")
    assert not is_test("web/sdk/src/sdk.test.ts::is nowhere")
