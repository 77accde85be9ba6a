"""Cut an article's Markdown into passages."""

import hashlib
import re
from dataclasses import dataclass

from markdown_it import MarkdownIt

PASSAGE_LIMIT = 900
HEADING = re.compile(r"^#{1,6}\s+(.+?)\s*#*\s*$")

_markdown = MarkdownIt("commonmark", {"html": False}).enable("table")


@dataclass(frozen=True, slots=True)
class Piece:
    """`heading` is the nearest one above, empty at the top.

    `text` is Markdown, at most about PASSAGE_LIMIT characters.
    """

    heading: str
    text: str

    @property
    def text_hash(self) -> str:
        return hashlib.sha256(self.text.encode()).hexdigest()


def blocks(markdown: str) -> list[str]:
    """What blank lines part; a list or a table stays whole."""
    return [one.strip("\n") for one in re.split(r"\n\s*\n", markdown.replace("\r\n", "\n").strip()) if one.strip()]


def pieces(body: str) -> list[Piece]:
    """Passages in order: never over a heading; short blocks together, long ones parted at sentences."""
    heading, found, held = "", list[Piece](), list[str]()

    def let_go() -> None:
        if held:
            found.append(Piece(heading[:200], "\n\n".join(held)))
            held.clear()

    for block in blocks(body):
        first, _, rest = block.partition("\n")
        if title := HEADING.match(first):
            let_go()
            heading, block = plain(title[1]), rest  # noqa: PLW2901 - what follows the heading's line is the block
        for part in _parted(block):
            if held and sum(map(len, held)) + len(part) > PASSAGE_LIMIT:
                let_go()
            held.append(part)
    let_go()
    return found


def sentences(text: str) -> list[str]:
    """Parted after each end of a sentence or line; joined they are the text again."""
    return re.findall(r".+?(?:[.!?…]+(?=\s|$)\s*|[。！？；]+|\n+|$)", text, re.DOTALL)


def _parted(block: str) -> list[str]:
    if len(block) <= PASSAGE_LIMIT:
        return [block] if block.strip() else []
    parts, held = list[str](), ""
    for sentence in sentences(block):
        for start in range(0, len(sentence), PASSAGE_LIMIT):
            more = sentence[start : start + PASSAGE_LIMIT]
            if held and len(held) + len(more) > PASSAGE_LIMIT:
                parts.append(held.strip())
                held = ""
            held += more
    return [*parts, held.strip()] if held.strip() else parts


def plain(markdown: str) -> str:
    """The words alone: no marks, no addresses of links, one blank between words."""
    said: list[str] = []
    for token in _markdown.parse(markdown):
        if token.type in {"fence", "code_block"}:
            said.append(token.content)
        said += [child.content if child.type in {"text", "code_inline"} else " " for child in token.children or ()]
        said.append(" ")
    return " ".join("".join(said).split())
