"""The text of a PDF, page by page, with the titles of its outline as headings."""

import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from kefu.knowledge.documents.marks import escaped, heading
from kefu.knowledge.documents.refusals import DocumentBroken, DocumentEncrypted, DocumentScanned, DocumentTooComplex

PAGES = 3000
WRONG_PASSWORD = 4  # FPDF_ERR_PASSWORD
OUTLINE = 5000
NO_BLANK = re.compile(r"[\u3000-\u303f\u3400-\u9fff\uff00-\uffef]")
ENDS = re.compile(r"[.!?:;…。！？：；]\W?$")

Outline = Mapping[int, list[tuple[int, str]]]


def pages_of(data: bytes, done: Callable[[int, int], None]) -> list[str]:
    """Markdown of each page. `done` hears how many pages of all are read. Raises what `refusals` names."""
    import pypdfium2  # noqa: PLC0415 - only who reads a PDF needs it

    try:
        pdf = pypdfium2.PdfDocument(data)
    except pypdfium2.PdfiumError as error:
        raise DocumentEncrypted if error.err_code == WRONG_PASSWORD else DocumentBroken from None
    count = len(pdf)
    if count > PAGES:
        raise DocumentTooComplex
    outline, found = _outline(pdf), list[str]()
    for number in range(count):
        try:
            found.append(_page(pdf[number].get_textpage().get_text_range(), outline.get(number, [])))
        except pypdfium2.PdfiumError:  # one page that cannot be read does not cost the others
            found.append("")
        done(number + 1, count)
    if not any(found):
        raise DocumentScanned
    return found


def _outline(pdf: Any) -> Outline:
    """The titles that begin on each page, with their levels."""
    found: dict[int, list[tuple[int, str]]] = defaultdict(list)
    for count, mark in enumerate(pdf.get_toc(max_depth=4)):
        if count >= OUTLINE:
            break
        place = mark.get_dest()
        index = place.get_index() if place else None
        if index is not None:
            found[index].append((mark.level + 1, mark.get_title()))
    return found


def _page(text: str, titles: list[tuple[int, str]]) -> str:
    """A title stands where the page says it, or on top when it says it nowhere."""
    lines = [" ".join(line.split()) for line in text.replace("\ufffe", "").splitlines()]
    places = {" ".join(title.split()): level for level, title in titles}
    blocks, held = list[str](), list[str]()
    said = {line for line in lines if line in places}
    blocks += [heading(level, title) for title, level in places.items() if title not in said]
    for line in [*lines, ""]:
        if line and line not in said:
            held.append(line)
            continue
        blocks += map(escaped, _paragraphs(held))
        held.clear()
        if line:
            blocks.append(heading(places[line], line))
            said.discard(line)
    return "\n\n".join(filter(None, blocks))


def _paragraphs(lines: list[str]) -> Iterator[str]:
    """Lines that were only broken by the width of the page, together again."""
    widest, held = max(map(len, lines), default=0), ""
    for line in lines:
        if held:
            held += ("" if NO_BLANK.match(held[-1]) or NO_BLANK.match(line[0]) else " ") + line
        else:
            held = line
        if len(line) < widest * 0.7 or ENDS.search(line):
            yield held
            held = ""
    if held:
        yield held
