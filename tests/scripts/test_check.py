"""`make test` runs its lanes beside each other, tells everything that failed and leaves nothing running."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

import check
from check import Check, Result, run_lanes

PATIENCE = 30
STOPPED = """
import sys
import check
check.LANES = dict(lint=[[check.Check("Endless", ("sh", "-c", "echo $$ > {}; sleep 600"))]])
sys.exit(check.main("lint"))
"""


def until(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def runs(file: Path) -> bool:
    """Whether the process is alive whose number stands in `file`."""
    pid = int(file.read_text())
    return pid in psutil.pids() and bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)


def shell(title: str, script: str, *, seconds: float = PATIENCE, in_sight: bool = False) -> Check:
    return Check(title, ("sh", "-c", script), in_sight=in_sight, seconds=seconds)


def test_lanes_run_beside_each_other_and_what_a_lane_holds_one_after_the_other(tmp_path: Path) -> None:
    wait = "until [ -e {0} ]; do sleep 0.02; done"
    here, there = tmp_path / "here", tmp_path / "there"
    one = [shell("1", f"touch {here}; {wait.format(there)}"), shell("2", f"test -e {there}")]
    other = [shell("3", f"{wait.format(here)}; touch {there}")]
    results = asyncio.run(run_lanes([one, other]))
    assert [(result.title, result.is_ok) for result in results] == [("1", True), ("2", True), ("3", True)]


def test_what_failed_is_shown_whole_and_the_rest_still_runs(capsys: pytest.CaptureFixture[str]) -> None:
    lane = [shell("Bad", "seq 200; exit 3"), shell("Good", "echo unseen")]
    results = asyncio.run(run_lanes([lane]))
    assert [result.is_ok for result in results] == [False, True]
    said = capsys.readouterr().out
    assert "✗ Bad" in said
    assert all(f"    {n}\n" in said for n in range(1, 201))
    assert "✓ Good" in said
    assert "unseen" not in said


def test_of_a_long_one_the_dots_are_shown_as_they_come_and_the_rest_together(
    capsys: pytest.CaptureFixture[str],
) -> None:
    dots = "echo '..F. [ 50%]'; echo why; echo '.... [100%]'; echo '1 failed'"
    asyncio.run(run_lanes([[shell("Tests", dots, in_sight=True)]]))
    shown = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    assert shown[:3] == ["▶ Tests …", "Tests ..F. [ 50%]", "Tests .... [100%]"]
    assert shown[4:] == ["why", "1 failed"]


def test_what_takes_too_long_fails_and_is_ended_with_all_it_started(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "pid"
    (result,) = asyncio.run(run_lanes([[shell("Endless", f"sleep 600 & echo $! > {file}; wait", seconds=1)]]))
    assert not result.is_ok
    assert "ended after 1 s" in capsys.readouterr().out
    until(lambda: not runs(file))


def test_who_stops_it_stops_what_it_started(tmp_path: Path) -> None:
    file = tmp_path / "pid"
    began = subprocess.Popen([sys.executable, "-c", STOPPED.format(file)], env=on_path())
    until(lambda: file.exists() and file.read_text() != "")
    began.send_signal(signal.SIGTERM)
    assert began.wait(PATIENCE) != 0
    until(lambda: not runs(file))


def on_path() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(Path(check.__file__).parent)}


def test_what_could_not_run_is_counted_aloud(capsys: pytest.CaptureFixture[str]) -> None:
    check.report([Result("Lint", is_ok=True, took=0.1)], ["In the browser"], ["chromium", "nginx"])
    said = capsys.readouterr().out
    assert "2 MISSING: chromium, nginx" in said
    assert "In the browser: did not run" in said
    assert "1 passed, 0 failed, 1 did not run" in said
