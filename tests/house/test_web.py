"""The rules of the house for the web apps that no linter knows. Sizes and the rest are in eslint.config.js."""

import re
from collections.abc import Iterator
from itertools import pairwise

import pytest

from house.sources import Rule, Source, distinct, sources, violations

VAGUE = re.compile(r"^(?:utils?|helpers?|common|misc|.*Manager|.*Helpers?|.*Utils?)$")
LINES = {".vue": 250, ".ts": 400}


def vague_name(file: Source) -> Iterator[str]:
    for part in file.path.split("/"):
        if VAGUE.match(part.partition(".")[0]):
            yield f"'{part}' does not say what it knows"


def long_file(file: Source) -> Iterator[str]:
    lines = file.text.count("\n")
    for ending, most in LINES.items():
        if file.path.endswith(ending) and lines > most:
            yield f"{lines} lines, more than {most}"


def unfinished(file: Source) -> Iterator[str]:
    for number, line in enumerate(file.text.splitlines(), 1):
        if re.search(r"\b(?:TODO|FIXME|XXX)\b", line):
            yield f"left to do at line {number}"


def silenced(file: Source) -> Iterator[str]:
    """The reason stands behind a `--`, or in a comment on the line above."""
    lines = ["", *file.text.splitlines()]
    for number, (before, line) in enumerate(pairwise(lines), 1):
        is_silenced = re.search(r"eslint-disable(?!.* -- \S)|@ts-(?:ignore|nocheck)|oxlint-disable(?!.* -- \S)", line)
        if is_silenced and not before.strip().startswith("//"):
            yield f"a rule is silenced without a reason at line {number}"


RULES = (
    Rule("a module says what it knows", vague_name, Source("web/widget/src/helpers.ts", "")),
    Rule("a component has at most 250 lines", long_file, Source("web/widget/src/Chat.vue", "x\n" * 251)),
    Rule("a module has at most 400 lines", long_file, Source("web/widget/src/chat.ts", "x\n" * 401)),
    Rule("nothing is left to do", unfinished, Source("web/widget/src/chat.ts", "// TODO later")),
    Rule("an exception from a lint rule gives its reason", silenced, Source("web/sdk/a.ts", "// eslint-disable-line")),
)


def ours() -> list[Source]:
    """Without what plugins write."""
    files = sources(".ts", ".vue", ".js", ".css", ".html")
    return [file for file in files if file.is_in("web", "e2e") and not file.path.endswith(".d.ts")]


@pytest.mark.parametrize("rule", distinct(RULES), ids=lambda rule: rule.find.__name__)
def test_there_is_no(rule: Rule) -> None:
    found = violations(rule, ours())
    assert not found, "\n".join(found)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.says)
def test_a_planted_violation_is_seen(rule: Rule) -> None:
    assert violations(rule, [rule.planted])
