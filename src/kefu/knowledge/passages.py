"""Cut an article's Markdown into passages."""

import hashlib
import re
from dataclasses import dataclass

from markdown_it import MarkdownIt

PASSAGE_LIMIT = 900
HEADING = re.compile(r"^(#{1,6})\s+(.+?)\s*#*\s*$")

# A line of words with single blanks between them, in which nothing means more than it says.
UNMARKED = re.compile(r"(?!.*(?:_|  | $))[^\W\d_][\w .,;:?%€$/'’“”()+=–，。：；？（）、-]*")
_markdown = MarkdownIt("commonmark", {"html": False}).enable("table")


# Between the pages of a document's text.
PAGE_BREAK = "\f"
# Of a document whose format knows no pages one part is about so long: what is read at once, and quickly made a page of.
PART_LIMIT = 8000
HEADING_LIMIT = 200
BETWEEN = " › "  # noqa: RUF001 - of the path of headings


@dataclass(frozen=True, slots=True)
class Piece:
    """`heading`: those above it, the outermost first, empty at the top.

    `text` is Markdown, at most about PASSAGE_LIMIT characters. `part`: of a document, from 1; 0 in an article.
    """

    heading: str
    text: str
    part: int = 0

    @property
    def text_hash(self) -> str:
        return hashlib.sha256(self.text.encode()).hexdigest()


def sense(title: str, heading: str, text: str) -> str:
    """What says what a passage means, where nothing around it does: its vector is that of this text."""
    return "\n".join(one for one in (title, heading, text) if one)


def sense_hash(title: str, heading: str, text: str) -> str:
    return hashlib.sha256(sense(title, heading, text).encode()).hexdigest()


def blocks(markdown: str) -> list[str]:
    """What blank lines part; a list or a table stays whole."""
    return [one.strip("\n") for one in re.split(r"\n\s*\n", markdown.replace("\r\n", "\n").strip()) if one.strip()]


def pieces(body: str) -> list[Piece]:
    """Passages of an article in order: never over a heading; short blocks together, long ones parted at sentences."""
    return _pieces(body, Headings(), 0)


def cut(kind: str, body: str) -> list[Piece]:
    """Passages of an article of this kind."""
    return document_pieces(body) if kind == "document" else pieces(body)


def document_pieces(body: str) -> list[Piece]:
    """The same of a document: never over the end of a page, but the headings above go on."""
    above = Headings()
    return [piece for number, part in enumerate(parts(body), 1) for piece in _pieces(part, above, number)]


def parts(body: str) -> list[str]:
    """The pages of a document, or pieces of about PART_LIMIT where it has none."""
    if PAGE_BREAK in body:
        return body.split(PAGE_BREAK)
    found, size = [""], 0
    for block in blocks(body):
        if size and size + len(block) > PART_LIMIT:
            found.append("")
            size = 0
        found[-1] += f"\n\n{block}" if size else block
        size += len(block)
    return found


class Headings:
    """Which headings stand above the place that was reached."""

    def __init__(self) -> None:
        self._titles: dict[int, str] = {}

    def come(self, level: int, title: str) -> None:
        self._titles = {above: one for above, one in self._titles.items() if above < level} | {level: title}

    def __str__(self) -> str:
        """The path; of a long one its end, which says more."""
        said = [one for one in self._titles.values() if one]
        while len(said) > 1 and len(BETWEEN.join(said)) > HEADING_LIMIT:
            said.pop(0)
        return BETWEEN.join(said)[:HEADING_LIMIT]


def _pieces(body: str, above: Headings, part: int) -> list[Piece]:
    found, held = list[Piece](), list[str]()

    def let_go() -> None:
        if held:
            found.append(Piece(str(above), "\n\n".join(held), part))
            held.clear()

    for block in blocks(body):
        first, _, rest = block.partition("\n")
        if title := HEADING.match(first):
            let_go()
            above.come(len(title[1]), plain(title[2]))
            block = rest  # noqa: PLW2901 - what follows the heading's line is the block
        for one in _parted(block):
            if held and sum(map(len, held)) + len(one) > PASSAGE_LIMIT:
                let_go()
            held.append(one)
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
    if UNMARKED.fullmatch(markdown):  # as most sentences are, and reading Markdown takes its time
        return markdown
    said: list[str] = []
    for token in _markdown.parse(markdown):
        if token.type in {"fence", "code_block"}:
            said.append(token.content)
        said += [child.content if child.type in {"text", "code_inline"} else " " for child in token.children or ()]
        said.append(" ")
    return " ".join("".join(said).split())
