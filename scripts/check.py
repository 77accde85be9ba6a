"""Everything that must hold, the quick checks first. Goes on after a failure, so that one run tells all.

python scripts/check.py [lint|all]
"""

import os
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass

import debian
from steps import BOLD, GREEN, PLAIN, RED, ROOT, run, show, stop


@dataclass(frozen=True)
class Check:
    """`needs`: Debian packages it cannot run without. `in_sight`: too long to wait for in the dark."""

    title: str
    command: Sequence[str]
    in_sight: bool = False
    needs: tuple[str, ...] = ()


# Tests also wait: for timers, for servers to start, and those in the browser most of all.
CORES = min(os.cpu_count() or 2, 4)
WORKERS = ("-n", str(CORES + 2), "--dist", "worksteal")
BROWSERS = ("-n", str(2 * CORES + 1), "--dist", "worksteal")

LINT = (
    Check("Python format", ("ruff", "format", "--check", ".")),
    Check("Python lint", ("ruff", "check", ".")),
    Check("Python security", ("bandit", "-c", "pyproject.toml", "-q", "-r", "src/kefu")),
    Check("Import layers", ("lint-imports", "--no-logo")),
    Check("Python types", ("mypy",)),
    Check("Web lint and types", ("npm", "run", "check", "--silent")),
)
TESTS = (
    Check("Web tests", ("npm", "test", "--silent")),
    Check("Web sizes", ("npm", "run", "size", "--silent")),
    Check("First load of the workbench", ("python", "scripts/first_load.py")),
    Check("OpenAPI and its client are fresh", ("python", "scripts/openapi.py", "--check")),
    Check("Tests", ("pytest", *WORKERS), in_sight=True),
    Check("Golden questions", ("python", "-m", "evals.run"), in_sight=True),
    Check("Labelled messages", ("python", "-m", "evals.analysis"), in_sight=False),
    Check("In the browser", ("pytest", "e2e", *BROWSERS), in_sight=True, needs=("chromium", "fonts-noto-cjk", "nginx")),
)


def is_ci() -> bool:
    return os.environ.get("CI", "").lower() in {"true", "1"}


def provide() -> list[str]:
    """Install what is missing when we may; what is missing still. In CI that ends the run."""
    debian.install(debian.missing())
    missing = debian.missing()
    if missing and is_ci():
        stop(f"missing: {', '.join(missing)}", f"apt-get install {' '.join(missing)}")
    return missing


def main(which: str) -> int:
    checks, missing = (LINT, []) if which == "lint" else (LINT + TESTS, provide())
    results: list[tuple[str, bool, float]] = []
    left_out = []
    print(f"{BOLD}Checks{PLAIN}")
    for check in checks:
        if set(check.needs) & set(missing):
            left_out.append(check.title)
            continue
        started = time.monotonic()
        ok = (show if check.in_sight else run)(check.title, check.command)
        results.append((check.title, ok, time.monotonic() - started))
    report(results, left_out, missing)
    return 0 if all(ok for _, ok, _ in results) else 1


def report(results: list[tuple[str, bool, float]], left_out: list[str], missing: list[str]) -> None:
    print(f"\n{BOLD}Results{PLAIN}")
    for title, ok, took in results:
        print(f"  {f'{GREEN}✓' if ok else f'{RED}✗'}{PLAIN} {title} ({took:.1f} s)")
    for title in left_out:
        print(f"  {RED}– {title}: did not run{PLAIN}")
    if missing:
        print(f"\n{RED}{BOLD}{len(missing)} MISSING: {', '.join(missing)}. What needs them was not tested.{PLAIN}")
        print(f"  → apt-get install {' '.join(missing)}")
    failed = sum(not ok for _, ok, _ in results)
    print(f"\n{len(results) - failed} passed, {failed} failed, {len(left_out)} did not run")


if __name__ == "__main__":
    os.chdir(ROOT)
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else "all"))
