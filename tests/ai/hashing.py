"""An embedder without a model, over the real protocol: words and parts of words, hashed into a vector.

It knows no meaning, but that what is spelled alike is near, also where it is parted into other words.
"""

import re
from zlib import crc32

from ai.openai_wire import embeddings
from ai.provider import Heard, Reply, Script
from kefu.knowledge.words import terms

DIMENSION = 256
WORD = 2


def vector_of(text: str, dimension: int = DIMENSION) -> list[float]:
    together = re.sub(r"\W+", "", text.lower())
    parts = [*terms(text) * WORD, *(together[n : n + 4] for n in range(max(1, len(together) - 3)))]
    found = [0.0] * dimension
    for one in parts:
        at = crc32(one.encode())
        found[at % dimension] += 1.0 if at & 0x8000_0000 else -1.0
    found[0] += 0.001  # no text is without a direction
    return found


def embeds(dimension: int = DIMENSION, told: list[str] | None = None) -> Script:
    """`told`: takes what was asked for."""

    async def script(heard: Heard, reply: Reply) -> None:
        texts: list[str] = heard.body["input"]
        if told is not None:
            told.extend(texts)
        await reply.whole(embeddings([vector_of(one, dimension) for one in texts]))

    return script
