"""What the documents name exists: paths, links, verbs of make, commands of kefu, settings."""

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
import typer

from house.sources import ROOT, Rule, Source, distinct, sources, violations
from kefu.cli import cli
from kefu.kit.config import Settings

FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
SPAN = re.compile(r"`([^`\n]+)`")
LINK = re.compile(r"\]\(([^)\s]+)\)|(?:src|href|srcset)=\"([^\"]+)\"")
FILE = re.compile(r"(?:[\w.@-]+/)*[\w.@-]+\.(?:py|ts|vue|md|toml|ya?ml|json|css|sh|conf|cfg|lock|example|ini)")
FOLDER = re.compile(r"[\w.@-]+(?:/[\w.@-]+)*/")
SETTING = re.compile(r"(?:KEFU|JWT|SUPER|CORS|SESSION|RATE|LOG|AI|DATABASE|REDIS)_[A-Z_]+")
# Where a path in a document may start, after the document's own folder.
BASES = ("", "src", "src/kefu", "web")
# Made by a run, so that a clean checkout has none of it.
MADE = (".venv", ".tools", "node_modules", "data", "src/kefu/static", "static", "dist", "e2e/shots", ".env")


@cache
def make_verbs() -> frozenset[str]:
    return frozenset(re.findall(r"^([a-z][a-z0-9-]*):", (ROOT / "Makefile").read_text(), re.MULTILINE))


@cache
def kefu_commands() -> frozenset[str]:
    """`serve`, `agent create`, … and the groups themselves."""
    found = set()
    for name, command in typer.main.get_group(cli).commands.items():
        found |= {name} | {f"{name} {below}" for below in getattr(command, "commands", {})}
    return frozenset(found)


def _code(file: Source) -> Iterator[str]:
    """What is set as code: fenced lines and spans."""
    for block in FENCE.findall(file.text):
        yield from block.splitlines()[1:-1]
    yield from SPAN.findall(FENCE.sub("", file.text))


def missing_verb(file: Source) -> Iterator[str]:
    for code in _code(file):
        for verb in re.findall(r"(?:^|[\s;&|])make (?:[A-Z]+=\S+ )*([a-z][a-z0-9-]*)", code):
            if verb not in make_verbs():
                yield f"make {verb}"


def missing_command(file: Source) -> Iterator[str]:
    for code in _code(file):
        for words in re.findall(r"(?:^\s*|[\s;&|]|\.venv/bin/)kefu ((?:[a-z][a-z-]*)(?: [a-z][a-z-]*)?)", code):
            first = words.partition(" ")[0]
            is_group = any(command.startswith(f"{first} ") for command in kefu_commands())
            if (words if is_group else first) not in kefu_commands():
                yield f"kefu {words}"


def missing_path(file: Source) -> Iterator[str]:
    """In spans only: what stands in a fence may be an answer, or a drawing."""
    for span in SPAN.findall(FENCE.sub("", file.text)):
        path = re.sub(r":\d+(?:-\d+)?$", "", span)
        if (FILE.fullmatch(path) or FOLDER.fullmatch(path)) and not _exists(file, path):
            yield path


def missing_link(file: Source) -> Iterator[str]:
    for links in LINK.findall(FENCE.sub("", file.text)):
        path = next(filter(None, links)).partition("#")[0]
        if path and not re.match(r"[a-z]+:|/|\{", path) and not (ROOT / file.path).parent.joinpath(path).exists():
            yield path


def missing_setting(file: Source) -> Iterator[str]:
    known = {str(field.validation_alias) for field in Settings.model_fields.values()}
    for code in _code(file):
        yield from (name for name in SETTING.findall(code) if name not in known)


def _exists(file: Source, path: str) -> bool:
    if path.removeprefix("./").startswith(MADE):
        return True
    bases = (str(Path(file.path).parent), *BASES)
    return any((ROOT / base / path).exists() for base in bases) or (
        "/" not in path and any(one.path.endswith(f"/{path}") for one in sources(Path(path).suffix))
    )


def _page(text: str) -> Source:
    return Source("docs/guide/start.md", text)


RULES = (
    Rule("every verb of make exists", missing_verb, _page("Type `make everything`.")),
    Rule("every verb in a block exists", missing_verb, _page("```sh\nHOST=:: make PORT=1 runn\n```")),
    Rule("every command exists", missing_command, _page("Type `.venv/bin/kefu destroy --all`.")),
    Rule("every command of a group exists", missing_command, _page("```sh\nkefu agent promote --username mei\n```")),
    Rule("every file exists", missing_path, _page("See `src/kefu/sessions/nowhere.py`.")),
    Rule("every folder exists", missing_path, _page("See `kefu/nowhere/`.")),
    Rule("every link leads somewhere", missing_link, _page("[here](../nowhere.md#top)")),
    Rule("every picture is there", missing_link, _page('<img src="nowhere.png">')),
    Rule("every setting exists", missing_setting, _page("Set `KEFU_MAGIC=1`.")),
)


def documents() -> list[Source]:
    roots = (Source(path.name, path.read_text()) for path in sorted(ROOT.glob("*.md")))
    return [*roots, *sources(".md")]


@pytest.mark.parametrize("rule", distinct(RULES), ids=lambda rule: rule.find.__name__)
def test_there_is_no(rule: Rule) -> None:
    found = violations(rule, documents())
    assert not found, "\n".join(found)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.says)
def test_a_planted_violation_is_seen(rule: Rule) -> None:
    assert violations(rule, [rule.planted])


def test_what_exists_is_not_reported() -> None:
    page = _page("`make run`, `kefu agent create --name Mei`, `src/kefu/kit/config.py:12`, `kefu/kit/`, `KEFU_ENV`")
    assert not [found for rule in RULES for found in rule.find(page)]
