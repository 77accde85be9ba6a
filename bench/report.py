"""What the run found, as lines for a terminal, as a page and as data."""

import os
import platform
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import orjson

from bench.figures import Judged, Table

FOLDER = Path(__file__).parent
LEGEND = """\
Read ratios, not absolutes: the load is made on the machine that serves it, and shares its cores, as does whatever else
runs there; a p99 counts only on an idle machine. *Bare* is a validated
POST with the body of a message on the same server, through the same middleware, without a token and without a database;
bare endpoint and post take turns, and each ratio is the median of the rounds' ratios. A post is answered after its
commit is on the disk. *Served by the bot*: each post also wakes the bot, which answers while the next ones come in.
*Post to seen*: from sending a post to the moment its event is read from a follower's stream; every follower counts."""


@dataclass(frozen=True)
class Report:
    judged: Sequence[Judged]
    tables: Sequence[Table]
    machine: dict[str, str]

    @property
    def missed(self) -> list[Judged]:
        return [one for one in self.judged if not one.holds]

    def page(self) -> str:
        parts = ["# Bench", LEGEND, _markdown(self._machine()), _markdown(self._bounds())]
        return "\n\n".join([*parts, *(_markdown(table) for table in self.tables)]) + "\n"

    def data(self) -> dict[str, Any]:
        judged = [{**asdict(one), "holds": one.holds} for one in self.judged]
        return {"machine": self.machine, "judged": judged, "tables": [asdict(table) for table in self.tables]}

    def save(self) -> None:
        (FOLDER / "report.md").write_text(self.page(), "utf-8")
        (FOLDER / "report.json").write_bytes(orjson.dumps(self.data(), option=orjson.OPT_INDENT_2) + b"\n")

    def lines(self) -> str:
        return "\n\n".join(_aligned(table) for table in (*self.tables, self._bounds()))

    def _machine(self) -> Table:
        return Table("Machine", list(self.machine), [list(self.machine.values())])

    def _bounds(self) -> Table:
        rows = [
            [
                "✓" if one.holds else "✗",
                one.database,
                one.what,
                f"{one.value:.3g} {one.unit}".strip(),
                f"{one.bound.sense} {one.bound.limit:g}",
                "" if one.bound.goal is None else f"{one.bound.goal:g}",
            ]
            for one in self.judged
        ]
        return Table("Targets", ["", "database", "figure", "measured", "must be", "next goal"], rows)


def machine() -> dict[str, str]:
    """Asked before the run, the load is what others make."""
    return {
        "cores": str(os.cpu_count()),
        "memory": f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2**30:.0f} GiB",
        "system": f"{platform.system()} {platform.machine()}",
        "Python": platform.python_version(),
        "load before the run": f"{os.getloadavg()[0]:.1f}",
    }


def _markdown(table: Table) -> str:
    lines = [
        f"## {table.title}",
        "",
        *(f"| {' | '.join(row)} |" for row in (table.columns, ["---"] * len(table.columns))),
    ]
    return "\n".join([*lines, *(f"| {' | '.join(row)} |" for row in table.rows)])


def _aligned(table: Table) -> str:
    rows = [table.columns, *table.rows]
    widths = [max(len(row[n]) for row in rows) for n in range(len(table.columns))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    return "\n".join([f"── {table.title}", *lines])
