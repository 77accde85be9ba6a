"""Plain text as Markdown that says it: what looks like a mark is none."""

import re
from collections.abc import Iterable, Sequence

INLINE = re.compile(r"[\\`*\[<]|(?<!\w)_|_(?!\w)")
AT_LINE = re.compile(r"^(\s*)(#|>|\||=+\s*$|~~~)", re.MULTILINE)
BULLET = re.compile(r"^\s*[•·●○▪■◦‣\u2043\uf0b7]\s*", re.MULTILINE)
CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\ufffe\uffff]")


def escaped(text: str) -> str:
    """Lines stay lines; what printers use for bullets begins a list."""
    plain = BULLET.sub("- ", INLINE.sub(r"\\\g<0>", CONTROLS.sub("", text)))
    return AT_LINE.sub(r"\1\\\2", plain)


def one_line(text: str) -> str:
    return " ".join(escaped(text).split())


def heading(level: int, text: str) -> str:
    said = one_line(text)[:200]
    return f"{'#' * min(6, max(1, level))} {said}" if said else ""


def table(rows: Iterable[Sequence[str]]) -> str:
    """Each row as one line of a list: `- Model: E1; Range: 80 km`, the first row naming the columns.

    A row without the others' words would say nothing where it is found alone.
    """
    lines, names = list[str](), list[str]()
    for row in rows:
        cells = [one_line(cell) for cell in row]
        if not any(cells):
            continue
        if not names:
            names = cells
            continue
        said = [_cell(names[at] if at < len(names) else "", cell) for at, cell in enumerate(cells) if cell]
        lines.append(f"- {'; '.join(said)}")
    if names and not lines:  # a table of one row, or a frame around a text
        return "\n\n".join(filter(None, names))
    return "\n".join(lines)


def _cell(name: str, said: str) -> str:
    return f"{name}: {said}" if name and name != said else said
