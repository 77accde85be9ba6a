"""Text that others wrote, as data in a prompt: it cannot end its fence, and looks like nobody's instruction.

A fence is a line `«mark what»`, the text and a line `«/mark»`. The mark is drawn anew for each prompt, and no angle
bracket or guillemet of the text is left, so that neither a fence nor a token of a chat template can stand in it.
"""

import re
import secrets
import unicodedata

# Of any width: < > « » become single guillemets.
BRACKETS = str.maketrans(dict.fromkeys("<«\uff1c\ufe64", "\u2039") | dict.fromkeys(">»\uff1e\ufe65", "\u203a"))
# `[INST]`, `[/SYS]` and the like, which some models take for a turn; `[1]`, which is how a passage is named.
TOKENS = re.compile(r"\[(\s*/?\s*(?:[A-Z_]{2,24}|\^?\d{1,3}(?:\s*[,，、-]\s*\d{1,3})*)\s*)\]")
NUMBERED = re.compile(r"【(\s*\d{1,3}\s*)】")
# What is seen by no reader and by every model.
HIDDEN = {"Cf", "Cc", "Co", "Cs", "Cn"}
KEPT = "\n\t"
SELECTORS = re.compile("[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]")


def new_mark() -> str:
    return secrets.token_hex(8)


def harmless(text: str) -> str:
    """What people see of the text, with no character that a model may read as more than text. Safe to repeat."""
    seen = "".join(one for one in SELECTORS.sub("", text) if one in KEPT or unicodedata.category(one) not in HIDDEN)
    return NUMBERED.sub(r"(\1)", TOKENS.sub(r"(\1)", seen.translate(BRACKETS)))


def fenced(mark: str, what: str, text: str) -> str:
    """The text as data. `what` is ours: `passage 1`, `question`."""
    return f"«{mark} {what}»\n{harmless(text).replace(mark, '')}\n«/{mark}»"
