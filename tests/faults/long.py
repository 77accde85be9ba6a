"""The long form of the fault tests (`make faults`): a whole crowd, the whole catalogue, and a report.

Exit code 1 when anything acknowledged was lost, doubled, reordered or not seen by somebody. The seed decides which
fault comes when and what everybody does; the machine decides what that meets, so no two runs are the same.
"""

import asyncio
import os
import platform
import random
import re
import subprocess
import sys
import time
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from faults.checker import violations
from faults.cluster import Cluster, cluster
from faults.crowd import Crowd
from faults.people import Line, at_work, line_to
from faults.stored import found, until_idle
from faults.storm import Storm
from kefu.jobs.queue import LEASE
from servers import Missing

REPORT = Path(__file__).with_name("report.md")
ALONE, WITH_AGENT, RIVALS, WANTED = 26, 8, 4, 4
LEGEND = """\
# Faults

Written by `make faults`: clients who do not give up, while every process is killed and every wire is broken again and
again. Afterwards the log, the rows and what everybody saw are compared with what was acknowledged
(`tests/faults/checker.py`)."""
CLIENTS = ALONE + 2 * WITH_AGENT + RIVALS + WANTED
ENOUGH = 10_000
STORM_SECONDS = 285
WHOLE_SECONDS = 360
GIVEN_UP = 12.0
IDLE_WITHIN = LEASE.total_seconds() * 2 + 15


@dataclass
class Outcome:
    seed: int
    took: float = 0
    served_after: float = 0
    wrong: list[str] = field(default_factory=list)
    tables: dict[str, dict[str, object]] = field(default_factory=dict)


async def run(options: Namespace) -> Outcome:
    outcome = Outcome(options.seed)
    began = time.monotonic()

    def say(what: str) -> None:
        print(f"{time.monotonic() - began:5.0f} s  {what}", flush=True)

    say(f"seed {options.seed}; {CLIENTS} clients")
    async with cluster(with_redis=not options.without_redis) as kefu, line_to(kefu.address, patience=GIVEN_UP) as line:
        crowd, storm = Crowd(line), Storm(kefu)
        await crowd.arrive(alone=ALONE, with_agent=WITH_AGENT)
        await crowd.rival(await kefu.hire(line, RIVALS), sessions=WANTED)
        crowd.integrate()
        say("everybody is there")
        async with at_work(crowd.talk(), *crowd.follow()) as tasks:
            left = began + STORM_SECONDS - time.monotonic()
            outcome.served_after = await storm.play(
                storm.deck(), crowd, lambda what: say(f"{len(line.told.acks):6} acknowledged  {what}"), left
            )
            crowd.leave.set()
            await tasks[0]
            say("everybody has left; waiting for the bot")
            await until_idle(kefu.db, IDLE_WITHIN)
            everything = await found(kefu.db, line.told, crowd.seen, feed=crowd.fed)
            await crowd.see_all(everything)
        outcome.wrong = [*violations(everything), *line.told.unpromised, *map(str, kefu.failed()), *_short(line, storm)]
        outcome.tables = dict(_tables(kefu, line, crowd, storm))
    outcome.took = time.monotonic() - began
    return outcome


def _short(line: Line, storm: Storm) -> Iterator[str]:
    """A run that did less than it should shows nothing."""
    if line.told.posts < ENOUGH:
        yield f"only {line.told.posts} messages were sent"
    yield from (f"there was no {name}" for name in storm.strikes if not storm.struck[name])


def _tables(kefu: Cluster, line: Line, crowd: Crowd, storm: Storm) -> Iterator[tuple[str, dict[str, object]]]:
    told = line.told
    yield (
        "Messages",
        {
            "clients": CLIENTS,
            "followers": len(crowd.seen),
            "sent": told.posts,
            "acknowledged": len(told.acks) - told.repeats,
            "acknowledged again": told.repeats,
            "given up by their sender": len(told.shouted),
            "requests repeated": told.retries,
            "requests without an answer": told.lost,
            "told 503": told.statuses[503],
            "takeovers raced for": len(told.races),
            "events seen by followers": sum(len(seen.events) for seen in crowd.seen),
            "events read from the feed": len(crowd.fed or ()),
            "streams resumed": crowd.resumed,
        },
    )
    is_kill = re.compile("kill|crash|empty|freeze|restart")
    yield "Processes", {name: count for name, count in sorted(storm.struck.items()) if is_kill.match(name)}
    yield "Wires broken", {name: count for name, count in sorted(storm.struck.items()) if not is_kill.match(name)}
    cuts = {f"{to}: {what}": count for to, wire in kefu.wires.items() for what, count in sorted(wire.done.items())}
    yield "Connections hit", dict(cuts)


def _machine(options: Namespace) -> dict[str, object]:
    versions = {"PostgreSQL": ("psql", "--version"), "nginx": ("nginx", "-v"), "Redis": ("redis-server", "--version")}
    if options.without_redis:
        versions.pop("Redis")
    return {
        "cores": os.cpu_count(),
        "load before the run": f"{options.load:.1f}",
        "system": f"{platform.system()} {platform.machine()}",
        "Python": platform.python_version(),
        **{name: _version(*command) for name, command in versions.items()},
    }


def _version(*command: str) -> str:
    path = f"{os.environ['PATH']}:/usr/sbin"
    said = subprocess.run(command, capture_output=True, text=True, check=True, env={**os.environ, "PATH": path})
    number = re.search(r"\d+(?:\.\d+)+", said.stdout + said.stderr)
    return number[0] if number else "?"


def _report(outcome: Outcome, options: Namespace) -> str:
    result = f"**{len(outcome.wrong)} violations** · seed {outcome.seed} · {outcome.took:.0f} s"
    parts = [
        LEGEND,
        f"{result} · served again {outcome.served_after:.1f} s after a fault was over, at the latest",
        *(f"- {one}" for one in outcome.wrong[:50]),
        _table("Machine", _machine(options)),
        *(_table(title, rows) for title, rows in outcome.tables.items()),
    ]
    return "\n\n".join(parts) + "\n"


def _table(title: str, rows: dict[str, object]) -> str:
    lines = [f"| {name} | {value} |" for name, value in rows.items()]
    return "\n".join([f"## {title}", "", "| what | how much |", "| --- | --- |", *lines])


def main() -> int:
    parser = ArgumentParser(description="The long form of the fault tests.")
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    parser.add_argument("--without-redis", action="store_true")
    options = parser.parse_args()
    options.load = os.getloadavg()[0]
    random.seed(options.seed)
    try:
        outcome = asyncio.run(asyncio.wait_for(run(options), WHOLE_SECONDS))
    except Missing as missing:
        print(f"not installed: {missing}", file=sys.stderr)
        return 2
    REPORT.write_text(_report(outcome, options))
    print(f"{len(outcome.wrong)} violations; {REPORT.name} is written", *outcome.wrong[:50], sep="\n")
    return 1 if outcome.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
