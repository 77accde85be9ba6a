"""`make setup` does again what changed, and only that."""

from pathlib import Path

import pytest

import setup
from setup import Stamp, digest


@pytest.fixture(autouse=True)
def _stamps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(setup, "STAMPS", tmp_path / "stamps")


def counted(tmp_path: Path) -> int:
    """Runs a step that makes `output` from `input`; how often it ran so far."""
    log, output = tmp_path / "log", tmp_path / "output"
    stamp = Stamp("step", digest([], [tmp_path / "input"]), output)
    setup.do("Step", stamp, ["sh", "-c", f"echo >> {log}; touch {output}"], remedy="none")
    return len(log.read_text().splitlines())


def test_a_step_runs_once_while_its_input_stays(tmp_path: Path) -> None:
    (tmp_path / "input").write_text("a")
    assert [counted(tmp_path), counted(tmp_path)] == [1, 1]
    (tmp_path / "input").touch()
    assert counted(tmp_path) == 1


def test_a_step_runs_again_when_a_file_changes_appears_or_goes(tmp_path: Path) -> None:
    (tmp_path / "input").write_text("a")
    counted(tmp_path)
    (tmp_path / "input").write_text("b")
    assert counted(tmp_path) == 2
    (tmp_path / "input").unlink()
    assert counted(tmp_path) == 3


def test_a_step_runs_again_when_its_output_is_gone(tmp_path: Path) -> None:
    counted(tmp_path)
    (tmp_path / "output").unlink()
    assert counted(tmp_path) == 2


def test_a_failed_step_shows_its_log_and_a_remedy_and_leaves_no_stamp(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stamp = Stamp("step", digest([], []), tmp_path)
    with pytest.raises(SystemExit, match="Turn it off and on"):
        setup.do("Step", stamp, ["sh", "-c", "echo the reason; exit 3"], remedy="Turn it off and on.")
    assert "the reason" in capsys.readouterr().out
    assert not stamp.holds()
