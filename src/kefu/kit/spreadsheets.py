"""Cells that a spreadsheet shows as text and never runs."""

import re

# What begins a formula, also in full width, and what may stand before it unseen.
FORMULA = re.compile(r"[\s\x00]*[=+\-@＝＋－＠|]|[\t\r\n]")  # noqa: RUF001 - these are meant
UNSEEN = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
LONGEST = 32_000
BOM = "\ufeff"


def cell(value: object) -> str:
    """A text that is no formula; what no cell can hold (Excel: 32,767 characters) is cut."""
    text = UNSEEN.sub("", "" if value is None else str(value))[:LONGEST]
    return f"'{text}" if FORMULA.match(text) else text


def csv_cell(value: object) -> str:
    """The cell as it stands in a CSV file: in quotation marks, whatever is in it."""
    return '"' + cell(value).replace('"', '""') + '"'


def csv_row(values: list[object]) -> str:
    return ",".join(map(csv_cell, values)) + "\r\n"
