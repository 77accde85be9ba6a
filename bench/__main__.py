"""`python -m bench [--quick]`. Exit code 1 when a figure misses its bound."""

import argparse
import asyncio
import gc
import logging
import sys
from pathlib import Path

import structlog
import uvloop

sys.path.append(str(Path(__file__).parent.parent / "tests"))

from bench.run import FULL, QUICK, run


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="about a minute; judges, but leaves the report as it is")
    quick = parser.parse_args().quick
    gc.disable()  # to walk ten thousand followers of this process takes 140 ms, which would be put down to the server
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        report = runner.run(run(QUICK if quick else FULL))
    print(f"\n{report.lines()}")
    if not quick:
        report.save()
    for one in report.missed:
        print(f"✗ {one.database}: {one.what} is {one.value:.3g}, must be {one.bound.sense} {one.bound.limit:g}")
    return 1 if report.missed else 0


if __name__ == "__main__":
    sys.exit(main())
