"""The image and the wheel at a quick look; `make image-check` takes the steps and runs what they leave."""

import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import dockerfile
import setup
from house.sources import ROOT

TEXT = (ROOT / "deploy/Dockerfile").read_text()
HADOLINT = Path(sys.executable).with_name("hadolint")
IGNORED = dockerfile.Ignored((ROOT / ".dockerignore").read_text())


def image() -> dockerfile.Stage:
    return list(dockerfile.stages(TEXT).values())[-1]


def test_hadolint_finds_nothing() -> None:
    files = [ROOT / "deploy/Dockerfile", ROOT / "deploy/backup.Dockerfile"]
    found = subprocess.run([HADOLINT, *files], capture_output=True, text=True, check=False)
    assert (found.returncode, found.stdout) == (0, "")
    planted = subprocess.run(
        [HADOLINT, "-"], input="FROM debian\nRUN cd /src", capture_output=True, text=True, check=False
    )
    assert "DL3003" in planted.stdout


def test_it_runs_as_nobody_of_note_and_says_whether_it_lives() -> None:
    assert (image().user, image().entrypoint[0], image().volume) == ("10001:10001", "tini", "/data")
    assert image().env["KEFU_DATA_DIR"] == "/data"
    assert any("/health" in word for word in image().health)


def test_it_is_built_by_what_developers_have_and_as_the_report_says() -> None:
    assert f"uv=={setup.UV}\n" in TEXT
    report = (ROOT / "deploy/image.md").read_text()
    (base,) = re.findall(r"^ARG BASE=debian:([\d.]+)-slim$", TEXT, re.MULTILINE)
    assert f"Debian {base} " in report
    (size,) = re.findall(r"\| (\d+) MB \| < 500 MB", report)
    assert int(size) < 500


def test_what_is_copied_is_there_and_nothing_that_was_built_here() -> None:
    sources = [
        source
        for stage in dockerfile.stages(TEXT).values()
        for step in stage.steps
        if isinstance(step, dockerfile.Copy) and not step.origin
        for source in step.sources
    ]
    for source in sources:
        kept = list(IGNORED.kept(ROOT, source))
        assert kept, source
        assert not [path for path in kept if re.search(r"node_modules|__pycache__|/dist/|kefu/static", path)]
    assert not list(IGNORED.kept(ROOT, "tests"))


@pytest.mark.parametrize("text", ["RUN true", "FROM a AS b\nADD x y", "FROM a AS b\nCOPY --chown=1 x y"])
def test_what_is_not_understood_is_not_left_out(text: str) -> None:
    with pytest.raises(ValueError, match=r"RUN|ADD|COPY"):
        dockerfile.stages(text)


def test_the_wheel_of_the_sdist_has_the_web_apps_and_nothing_to_build_or_test_with(tmp_path: Path) -> None:
    uv = shutil.which("uv", path=ROOT / ".tools/uv/bin") or "uv"
    subprocess.run([uv, "build", "--quiet", "--out-dir", tmp_path, ROOT], check=True, capture_output=True, timeout=120)
    (wheel,) = tmp_path.glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    for page in ("widget", "workbench", "demo-shop", "api-docs"):
        assert f"kefu/static/{page}/index.html" in names
    assert {"kefu/static/sdk/fiido-kefu.js", "kefu/cli.py", "kefu/migrations/env.py"} <= set(names)
    assert {name.partition("/")[0] for name in names if ".dist-info/" not in name} == {"kefu"}
    assert not [name for name in names if re.search(r"node_modules|__pycache__|\.(ts|vue|map|pyc)$", name)]
