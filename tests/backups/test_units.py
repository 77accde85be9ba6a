"""The units of systemd call what there is."""

import re
import shutil
import subprocess
from pathlib import Path

import typer

from house.sources import ROOT
from kefu.cli import cli

FOLDER = ROOT / "deploy/systemd"
PROGRAM = "/opt/kefu/bin/kefu"


def test_every_command_and_option_of_a_unit_exists() -> None:
    commands = typer.main.get_group(cli).commands
    lines = [line for unit in FOLDER.glob("*.service") for line in unit.read_text().splitlines() if PROGRAM in line]
    assert len(lines) == 5
    for line in lines:
        words = line.partition(f"{PROGRAM} ")[2].split()
        command = commands[words[0]]
        below = getattr(command, "commands", {})
        command = below[words[1]] if len(words) > 1 and words[1] in below else command
        known = {option for one in command.params for option in one.opts}
        assert {word for word in words if word.startswith("--")} <= known, line


def test_systemd_understands_them(tmp_path: Path) -> None:
    """Where there is one."""
    program = shutil.which("systemd-analyze")
    units = sorted(FOLDER.iterdir())
    assert {unit.suffix for unit in units} == {".service", ".timer"}
    for unit in units:
        here = re.sub(re.escape(PROGRAM), shutil.which("true") or "", unit.read_text())
        (tmp_path / unit.name).write_text(here)
    if program:
        said = subprocess.run([program, "verify", *tmp_path.iterdir()], check=False, capture_output=True, text=True)
        assert not re.search(rf"{re.escape(str(tmp_path))}", said.stderr), said.stderr
