"""How many tokens a text is, by rule of thumb: for providers that do not say, and for what is not yet asked."""

import re
from collections.abc import Sequence

from kefu.ai.ports import Message

# Chinese, Japanese and Korean: about two tokens for three characters with the vocabularies of today, and a token for
# four characters of anything else.
WIDE = re.compile(r"[\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff\uff00-\uffef]")
PER_MESSAGE = 4


def estimate(text: str) -> int:
    """Rather more than less."""
    wide = len(WIDE.findall(text))
    return -(-(wide * 8 + (len(text) - wide) * 3) // 12)


def estimate_prompt(messages: Sequence[Message]) -> int:
    return sum(estimate(one.content) + PER_MESSAGE for one in messages)
