"""Shows work step by step: a line for each with its time, and the log of one that fails."""

import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NoReturn

ROOT = Path(__file__).resolve().parent.parent
RED, GREEN, BOLD, PLAIN = ("\033[31m", "\033[32m", "\033[1m", "\033[0m") if sys.stdout.isatty() else ("", "", "", "")
LOG_LINES = 80


def environment(**extra: str) -> dict[str, str]:
    """Ours, with the project's own programs first on the path and no other virtual environment in the way."""
    env = {name: value for name, value in os.environ.items() if name not in {"VIRTUAL_ENV", "PYTHONPATH", "PYTHONHOME"}}
    env["PATH"] = f"{ROOT / '.tools/bin'}:{ROOT / '.venv/bin'}:{env.get('PATH', '')}"
    return {**env, **extra}


def run(title: str, command: Sequence[str | Path], env: Mapping[str, str] | None = None, cwd: Path = ROOT) -> bool:
    """Run quietly; say whether it went well, and show the end of the log when it did not."""
    print(f"  {title} …", end="", flush=True)
    started = time.monotonic()
    done = subprocess.run(
        command,
        cwd=cwd,
        env=env or environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    took = time.monotonic() - started
    if done.returncode == 0:
        print(f" {GREEN}✓{PLAIN} {took:.1f} s", flush=True)
        return True
    print(f" {RED}✗{PLAIN} {took:.1f} s", flush=True)
    for line in done.stdout.decode(errors="replace").splitlines()[-LOG_LINES:]:
        print(f"    {line}")
    sys.stdout.flush()
    return False


def show(title: str, command: Sequence[str | Path], env: Mapping[str, str] | None = None) -> bool:
    """Run with its output in sight; say whether it went well."""
    print(f"\n{BOLD}▶ {title}{PLAIN}", flush=True)
    return (
        subprocess.run(command, cwd=ROOT, env=env or environment(), stdin=subprocess.DEVNULL, check=False).returncode
        == 0
    )


def stop(reason: str, remedy: str) -> NoReturn:
    """End here, saying why and what helps."""
    sys.exit(f"\n{RED}✗ {reason}{PLAIN}\n  → {remedy}")
