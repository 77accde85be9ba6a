"""Everything that must hold: lanes of checks beside each other. Goes on after a failure, so that one run tells all.

python scripts/check.py [lint|all]
"""

import asyncio
import os
import re
import shutil
import signal
import sys
import tempfile
import time
from asyncio.subprocess import DEVNULL, PIPE, STDOUT, Process
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import debian
from steps import BOLD, GREEN, PLAIN, RED, ROOT, environment, stop


@dataclass(frozen=True)
class Check:
    """`needs`: Debian packages it cannot run without. `seconds`: after which it has failed.

    `in_sight`: too long to wait for in the dark: pytest's lines of dots are shown as they come, the rest in the end.
    """

    title: str
    command: Sequence[str]
    in_sight: bool = False
    needs: tuple[str, ...] = ()
    seconds: float = 600


@dataclass(frozen=True)
class Result:
    title: str
    is_ok: bool
    took: float


DOTS = re.compile(r"\[ *\d+%\]$")
LONGEST_LINE = 2**24
LONG_SECONDS = 1800
MEMORY, ROOM = Path("/dev/shm"), 6 << 30  # noqa: S108 - a folder of our own is made in it
# Tests also wait: for timers, for servers to start, and those in the browser most of all. Each of either kind keeps a
# good third of a core busy, and both kinds run at once: more of them leave no core idle and only make each other late.
CORES = min(os.cpu_count() or 2, 4)
WORKERS = BROWSERS = ("-n", str(CORES + 1), "--dist", "worksteal")

PYTHON = (
    Check("Python format", ("ruff", "format", "--check", ".")),
    Check("Python lint", ("ruff", "check", ".")),
    Check("Python security", ("bandit", "-c", "pyproject.toml", "-q", "-r", "src/kefu")),
    Check("Import layers", ("lint-imports", "--no-logo")),
    Check("Python types", ("mypy",)),
)
WEB = (Check("Web lint and types", ("npm", "run", "check", "--silent")),)
QUICK = (
    Check("Web tests", ("npm", "test", "--silent")),
    Check("Web sizes", ("npm", "run", "size", "--silent")),
    Check("First load of the workbench", ("python", "scripts/first_load.py")),
    Check("OpenAPI and its client are fresh", ("python", "scripts/openapi.py", "--check")),
    Check("Golden questions", ("python", "-m", "evals.run")),
    Check("Labelled messages", ("python", "-m", "evals.analysis")),
)
TESTS = Check("Tests", ("pytest", *WORKERS), in_sight=True, seconds=LONG_SECONDS)
IN_THE_BROWSER = Check(
    "In the browser",
    ("pytest", "e2e", *BROWSERS),
    in_sight=True,
    needs=("chromium-headless-shell", "fonts-noto-cjk", "nginx"),
    seconds=LONG_SECONDS,
)
# What a lane holds runs one after the other. The two long ones side by side leave no core idle when one of them waits.
LANES: dict[str, tuple[tuple[Check, ...], ...]] = {
    "lint": (PYTHON, WEB),
    "all": ((*PYTHON, *WEB, *QUICK, IN_THE_BROWSER), (TESTS,)),
}


def is_ci() -> bool:
    return os.environ.get("CI", "").lower() in {"true", "1"}


def provide() -> list[str]:
    """Install what is missing when we may; what is missing still. In CI that ends the run."""
    debian.install(debian.missing())
    missing = debian.missing()
    if missing and is_ci():
        stop(f"missing: {', '.join(missing)}", f"apt-get install {' '.join(missing)}")
    return missing


async def _run_until_stopped(lanes: Sequence[Sequence[Check]]) -> list[Result]:
    """What was started ends with us, also when we are told to by SIGTERM rather than Ctrl-C."""
    with scratch():
        lanes_run = asyncio.ensure_future(run_lanes(lanes))
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, lanes_run.cancel)
        return await lanes_run


@contextmanager
def scratch() -> Iterator[None]:
    """Where the tests put their databases: in memory, if there is room.

    They commit many thousand times, side by side, to files that are thrown away; on a disk each commit waits for what
    all the others write. No test cuts the power: who is killed with -9 leaves the same files behind in memory.
    """
    is_there = MEMORY.is_dir() and os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free > ROOM
    folder = MEMORY if is_there else None
    with tempfile.TemporaryDirectory(prefix="kefu-test-", dir=folder, ignore_cleanup_errors=True) as made:
        Path(made).chmod(0o755)  # PostgreSQL runs as somebody else
        os.environ["TMPDIR"] = made
        yield


async def run_lanes(lanes: Sequence[Sequence[Check]]) -> list[Result]:
    """The results in the order of the lanes, whichever ended first."""
    return [one for lane in await asyncio.gather(*map(_run_lane, lanes)) for one in lane]


async def _run_lane(lane: Sequence[Check]) -> list[Result]:
    return [await _run(check) for check in lane]


async def _run(check: Check) -> Result:
    began = time.monotonic()
    if check.in_sight:
        print(f"  {BOLD}▶{PLAIN} {check.title} …", flush=True)
    log: list[str] = []
    is_ok = await _execute(check, log)
    result = Result(check.title, is_ok, time.monotonic() - began)
    print(f"  {mark(result)} {check.title} {result.took:.1f} s", flush=True)
    if check.in_sight or not is_ok:
        print(*(f"    {line}" for line in log), sep="\n", flush=True)
    return result


async def _execute(check: Check, log: list[str]) -> bool:
    """Say whether it went well; what it wrote goes to `log`, but for what was shown at once. Ends all it started."""
    process = await asyncio.create_subprocess_exec(
        *check.command,
        cwd=ROOT,
        env=environment(),
        stdin=DEVNULL,
        stdout=PIPE,
        stderr=STDOUT,
        limit=LONGEST_LINE,
        process_group=0,
    )
    try:
        async with asyncio.timeout(check.seconds):
            await _listen(process, check, log)
            return await process.wait() == 0
    except TimeoutError:
        log.append(f"It was ended after {check.seconds:.0f} s.")
        return False
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.communicate()


async def _listen(process: Process, check: Check, log: list[str]) -> None:
    assert process.stdout
    async for raw in process.stdout:
        line = raw.decode(errors="replace").rstrip()
        if check.in_sight and DOTS.search(line):
            print(f"    {check.title:<14} {line}", flush=True)
        else:
            log.append(line)


def mark(result: Result) -> str:
    return f"{GREEN}✓{PLAIN}" if result.is_ok else f"{RED}✗{PLAIN}"


def main(which: str) -> int:
    missing = provide() if which == "all" else []
    runnable = [[check for check in lane if not set(check.needs) & set(missing)] for lane in LANES[which]]
    left_out = [check.title for lane in LANES[which] for check in lane if set(check.needs) & set(missing)]
    print(f"{BOLD}Checks{PLAIN}")
    try:
        results = asyncio.run(_run_until_stopped(runnable))
    except (KeyboardInterrupt, asyncio.CancelledError):
        sys.exit(f"\n{RED}✗ stopped{PLAIN}")
    report(results, left_out, missing)
    return 0 if all(one.is_ok for one in results) else 1


def report(results: list[Result], left_out: list[str], missing: list[str]) -> None:
    print(f"\n{BOLD}Results{PLAIN}")
    for one in results:
        print(f"  {mark(one)} {one.title} ({one.took:.1f} s)")
    for title in left_out:
        print(f"  {RED}– {title}: did not run{PLAIN}")
    if missing:
        print(f"\n{RED}{BOLD}{len(missing)} MISSING: {', '.join(missing)}. What needs them was not tested.{PLAIN}")
        print(f"  → apt-get install {' '.join(missing)}")
    failed = sum(not one.is_ok for one in results)
    print(f"\n{len(results) - failed} passed, {failed} failed, {len(left_out)} did not run")


if __name__ == "__main__":
    os.chdir(ROOT)
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else "all"))
