"""The linters see what they are set up to see: a planted violation is reported for each rule that we rely on."""

import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from house.sources import ROOT

NESTED = """
def go(x):
    for a in x:
        for b in a:
            for c in b:
                if c:
                    yield c
"""
RUFF = {
    "at most six parameters": ("PLR0913", "def go(a, b, c, d, e, f, g): ..."),
    "at most three nested blocks": ("PLR1702", NESTED),
    "the clock is read in one place": ("TID251", "import datetime\n\nnow = datetime.datetime.now(datetime.UTC)"),
    "nothing is mocked": ("TID251", "from unittest.mock import patch"),
    "imports are absolute": ("TID252", "from . import queries"),
    "nothing is left to do": ("FIX002", "# TODO: later"),
    "nothing is printed": ("T201", "print(1)"),
}


@pytest.mark.parametrize("rule", RUFF)
def test_ruff_sees(rule: str) -> None:
    code, text = RUFF[rule]
    command = "ruff check --output-format=json --stdin-filename=src/kefu/shops/service.py -"
    found = subprocess.run(
        [sys.executable, "-m", *command.split()],
        input=text,
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert f'"{code}"' in found.stdout, found.stderr


def test_every_rule_left_out_gives_its_reason() -> None:
    text = (ROOT / "pyproject.toml").read_text()
    start = text.index("[tool.ruff.lint]")
    section = text[start : text.index("[tool.ruff.lint.pylint]", start)]
    for line in section.splitlines():
        if line.startswith(("  ", '"src')):
            assert "# " in line, f"no reason: {line.strip()}"


PLANTED = {
    "layers": ("log/log.py", "from kefu.sessions import models"),
    "no-cycles": ("sessions/states.py", "from kefu.sessions import service"),
    "no-clients": ("ai/coze.py", "import cozepy"),
    "endpoints": ("realtime/hub.py", "from kefu.sessions import endpoints"),
    "no-http-inside": ("sessions/queries.py", "import fastapi"),
}


def test_import_linter_sees_a_violation_of_each_contract(tmp_path: Path) -> None:
    package = tmp_path / "kefu"
    shutil.copytree(ROOT / "src/kefu", package, ignore=shutil.ignore_patterns("static", "__pycache__", "demo_shop"))
    for file, line in PLANTED.values():
        with (package / file).open("a") as planted:
            planted.write(f"\n{line}\n")
    program = "import sys; from importlinter.cli import lint_imports_command as lint; lint(sys.argv[1:])"
    found = subprocess.run(
        [sys.executable, "-c", program, "--config", ROOT / "pyproject.toml", "--no-cache", "--no-logo"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    assert {one["id"] for one in contracts} == set(PLANTED)
    for one in contracts:
        assert f"{one['name']} BROKEN" in found.stdout, found.stdout + found.stderr
