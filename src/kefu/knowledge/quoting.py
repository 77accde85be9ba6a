"""Which of a passage's own words answer a question."""

from kefu.knowledge.asking import Question
from kefu.knowledge.passages import blocks, plain, sentences
from kefu.knowledge.ranking import match
from kefu.knowledge.vocabulary import Vocabulary
from kefu.knowledge.words import terms

QUOTE_LIMIT = 600
EXCERPT_LIMIT = 160
ALSO_FITS = 0.5


def quote(asked: Question, text: str, words: Vocabulary, limit: int = QUOTE_LIMIT) -> str:
    """The paragraphs of a Markdown text that fit the question best, unchanged and in their order.

    Together they have about `limit` characters. The first paragraph comes along when there is room, for it says what
    the text is about.
    """
    paragraphs = _paragraphs(text)
    said = [frozenset(terms(plain(one))) for one in paragraphs]
    fits = [sum(match(part, one, words) for part in asked.parts) for one in said]
    order = sorted(range(len(paragraphs)), key=lambda at: (-fits[at], at))
    wanted = [order[0], 0, *(at for at in order[1:] if fits[at] >= ALSO_FITS * fits[order[0]])]
    chosen: set[int] = set()
    for at in wanted:
        if not chosen or sum(len(paragraphs[one]) for one in chosen | {at}) <= limit:
            chosen.add(at)
    return "\n\n".join(_shortened(paragraphs[at], limit) for at in sorted(chosen))


def excerpt(markdown: str) -> str:
    """The beginning as one plain line."""
    text = plain(markdown)
    return text if len(text) <= EXCERPT_LIMIT else text[: EXCERPT_LIMIT - 1].rstrip() + "…"


def _paragraphs(text: str) -> list[str]:
    """Blocks; a line that announces a list stays with it."""
    parts: list[str] = []
    for block in blocks(text):
        if parts and parts[-1].rstrip().endswith((":", "：")):
            parts[-1] += "\n\n" + block
        else:
            parts.append(block)
    return parts


def _shortened(part: str, limit: int) -> str:
    """Whole sentences or lines up to the limit, at least one."""
    if len(part) <= limit:
        return part
    held = ""
    for sentence in sentences(part):
        if held and len(held) + len(sentence) > limit:
            break
        held += sentence
    return held.rstrip()
