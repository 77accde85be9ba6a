"""The project's own files, and what a rule over them looks like."""

import ast
import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ("src", "tests", "scripts", "e2e", "evals", "bench", "web", "docs", "deploy")
NOT_OURS = {"node_modules", "dist", "generated", "static", "__pycache__", "shots"}


@dataclass(frozen=True)
class Source:
    """A file: its path from the root, and its text."""

    path: str
    text: str

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.text, self.path)

    def is_in(self, *places: str) -> bool:
        """Whether this is one of the files, or lies in one of the folders."""
        return any(self.path == place or self.path.startswith(f"{place}/") for place in places)


@dataclass(frozen=True)
class Rule:
    """`find` gives what is wrong with a source. `planted` breaks the rule, so that the rule is known to see."""

    says: str
    find: Callable[[Source], Iterable[str]]
    planted: Source


@cache
def sources(*endings: str) -> tuple[Source, ...]:
    """All files of ours with one of the endings, in the order of their paths."""
    return tuple(
        Source(path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8"))
        for path in sorted(_walk())
        if path.name.endswith(endings)
    )


def _walk() -> Iterator[Path]:
    for top in FOLDERS:
        for folder, below, names in os.walk(ROOT / top):
            below[:] = [name for name in below if name not in NOT_OURS and not name.startswith(".")]
            yield from (Path(folder, name) for name in names)


def violations(rule: Rule, files: Iterable[Source]) -> list[str]:
    return [f"{file.path}: {found}" for file in files for found in rule.find(file)]


def distinct(rules: Iterable[Rule]) -> list[Rule]:
    """One rule for each finder: a finder may have several plants, but looks through the files once."""
    return list({rule.find: rule for rule in rules}.values())


@cache
def _tests(path: str) -> frozenset[str]:
    """`test_a`, `TestB::test_c`."""
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    inside = [(f"{one.name}::", one.body) for one in tree.body if isinstance(one, ast.ClassDef)]
    return frozenset(
        f"{within}{one.name}"
        for within, body in [("", tree.body), *inside]
        for one in body
        if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef) and one.name.startswith("test_")
    )


def is_test(reference: str) -> bool:
    """Whether `path::name` is a test of ours, Python or TypeScript; `path::a sentence` for the latter."""
    path, _, name = reference.partition("::")
    if not (ROOT / path).is_file():
        return False
    if path.endswith(".py"):
        return name in _tests(path)
    return f'("{name}"' in (ROOT / path).read_text(encoding="utf-8")
