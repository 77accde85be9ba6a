"""The text of Word and Excel files: headings, lists, and tables row by row. Nothing in them is run or fetched."""

import io
import re
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

from kefu.knowledge.documents.marks import escaped, heading, table
from kefu.knowledge.documents.refusals import DocumentBroken, DocumentTooLong

ROWS = 200_000
HEADING_STYLE = re.compile(r"(?:heading|标题) ?([1-6])$", re.IGNORECASE)
LIST_STYLE = re.compile(r"list|列表", re.IGNORECASE)


def word(data: bytes, done: Callable[[int, int], None]) -> str:
    """Raises DocumentBroken."""
    import docx  # noqa: PLC0415 - only who reads a Word file needs it

    try:
        blocks = list(docx.Document(io.BytesIO(data)).iter_inner_content())
    except Exception:  # noqa: BLE001 - whatever it finds wrong, in XML or zip
        raise DocumentBroken from None
    found = list[tuple[str, bool]]()
    for number, block in enumerate(blocks, 1):
        found.append(_block(block))
        done(number, len(blocks))
    return _joined(found)


def _block(block: Any) -> tuple[str, bool]:
    """Its Markdown, and whether it is a point of a list."""
    if hasattr(block, "rows"):
        return table([[cell.text for cell in _cells(row)] for row in block.rows]), False
    style = block.style.name if block.style is not None else ""
    if style == "Title":
        return heading(1, block.text), False
    if level := HEADING_STYLE.match(style):
        return heading(int(level[1]), block.text), False
    text = escaped(block.text).strip()
    is_point = bool(LIST_STYLE.search(style)) or _is_numbered(block)
    return (f"- {' '.join(text.split())}" if is_point and text else text), is_point and bool(text)


def _cells(row: Any) -> list[Any]:
    """One that reaches over several columns once."""
    return list({cell._tc: cell for cell in row.cells}.values())  # noqa: SLF001 - two objects may be one cell


def _is_numbered(paragraph: Any) -> bool:
    properties = paragraph._p.pPr  # noqa: SLF001 - the library has no other way to ask
    return properties is not None and properties.numPr is not None


def _joined(blocks: list[tuple[str, bool]]) -> str:
    """Points that follow each other are one list."""
    text, was_point = "", False
    for said, is_point in blocks:
        if said:
            text += ("\n" if is_point and was_point else "\n\n") + said
            was_point = is_point
    return text.strip()


def sheets(data: bytes, done: Callable[[int, int], None]) -> str:
    """Each sheet under its name. Raises DocumentBroken, DocumentTooLong."""
    import python_calamine  # noqa: PLC0415 - only who reads an Excel file needs it

    try:
        book = python_calamine.load_workbook(io.BytesIO(data))
    except python_calamine.CalamineError:
        raise DocumentBroken from None
    found = list[str]()
    for number, name in enumerate(book.sheet_names, 1):
        try:
            sheet = book.get_sheet_by_name(name)
        except python_calamine.WorksheetNotFound:  # a chart
            continue
        except python_calamine.CalamineError:
            raise DocumentBroken from None
        if sheet.total_height > ROWS:
            raise DocumentTooLong
        if rows := table(_rows(sheet)):
            found += [heading(1, name), rows]
        done(number, len(book.sheet_names))
    return "\n\n".join(found)


def _rows(sheet: Any) -> Iterator[list[str]]:
    for row in sheet.iter_rows():
        yield [_cell(one) for one in row]


def _cell(value: Any) -> str:
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, datetime):
        return value.isoformat(" ", "minutes").removesuffix(" 00:00")
    return str(value)
