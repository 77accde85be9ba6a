"""The text of HTML, Markdown and plain text files."""

import re
from collections.abc import Iterator
from typing import Any

from kefu.knowledge.documents.marks import escaped, heading, one_line, table
from kefu.knowledge.documents.refusals import DocumentTooComplex

FRONT_MATTER = re.compile(r"\A---\n.*?\n---\n", re.DOTALL)
NOT_TEXT = ["script", "style", "noscript", "template", "iframe", "object", "svg", "canvas", "form", "nav", "head"]
BLOCKS = frozenset(
    {"address", "article", "aside", "blockquote", "body", "dd", "details", "div", "dl", "dt", "fieldset", "figcaption"}
    | {"figure", "footer", "header", "html", "main", "p", "section", "summary"}
)
DEEPEST = 200


def decoded(data: bytes) -> str:
    """UTF-8, or GB18030 as Windows writes it in China; other bytes do not come here. Lines end as ours do."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = data.decode("gb18030", errors="replace")
    return text.replace("\r\n", "\n").replace("\r", "\n").replace("\f", "\n\n")


def plain(data: bytes) -> str:
    return escaped(decoded(data)).strip()


def markdown(data: bytes) -> str:
    return FRONT_MATTER.sub("", decoded(data)).strip()


def html(data: bytes) -> str:
    """Raises DocumentTooComplex for what is nested without end."""
    from selectolax.lexbor import LexborHTMLParser  # noqa: PLC0415 - only who reads HTML needs it

    page = LexborHTMLParser(decoded(data))
    page.strip_tags(NOT_TEXT)
    return "\n\n".join(filter(None, _blocks(page.body, 0))) if page.body else ""


def _blocks(node: Any, depth: int) -> Iterator[str]:
    if depth > DEEPEST:
        raise DocumentTooComplex
    line = ""
    for child in node.iter(include_text=True):
        tag = child.tag
        if tag in {"-text", "br"} or not _is_block(child):
            line += "\n" if tag == "br" else _inline(child)
            continue
        yield _lines(line)
        line = ""
        yield from _block(child, depth)
    yield _lines(line)


def _is_block(node: Any) -> bool:
    tag = node.tag
    return tag in BLOCKS or tag in {"ul", "ol", "table", "pre", "hr"} or (len(tag) == 2 and tag[0] == "h")


def _block(node: Any, depth: int) -> Iterator[str]:
    tag = node.tag
    if len(tag) == 2 and tag[0] == "h" and tag[1].isdigit():
        yield heading(int(tag[1]), node.text())
    elif tag in {"ul", "ol"}:
        yield "\n".join(f"- {said}" for one in node.css("li") if (said := one_line(_own(one))))
    elif tag == "table":
        rows = [[cell.text(separator=" ") for cell in row.css("th, td")] for row in node.css("tr")]
        yield table(rows)
    elif tag != "hr":
        yield from _blocks(node, depth + 1)


def _own(point: Any) -> str:
    """What a point of a list says itself: the lists inside it are points of their own."""
    said = (one.text(separator=" ") for one in point.iter(include_text=True) if one.tag not in {"ul", "ol"})
    return " ".join(said)


def _inline(node: Any) -> str:
    return str(node.text() if node.tag != "-text" else node.text_content)


def _lines(text: str) -> str:
    return "\n".join(filter(None, (one_line(line) for line in text.split("\n")))) if text.strip() else ""
