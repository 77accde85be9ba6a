"""An answerer that says a fixed text at a given pace: for tests of what happens while the bot speaks.

Refused in production.
"""

import asyncio
from collections.abc import AsyncGenerator
from hashlib import sha256

from kefu.answering.ports import Answer, Delta, Evidence, Turn

SCRIPT = "This answer is read from a script, word by word, and knows nothing of the shop."


class ScriptedAnswerer:
    """Says `text` word by word with `pause` seconds before each."""

    def __init__(self, text: str = SCRIPT, pause: float = 0.05) -> None:
        self._text = text
        self._pause = pause

    async def answer(self, turn: Turn) -> AsyncGenerator[Delta | Answer]:
        words = self._text.split(" ")
        for n, word in enumerate(words):
            await asyncio.sleep(self._pause)
            yield Delta(word if n == len(words) - 1 else f"{word} ")
        evidence = Evidence(
            provider="scripted",
            model="script",
            knowledge_version=0,
            passages=(),
            prompt_hash=sha256(turn.question.encode()).hexdigest(),
            tokens=0,
            cost=0.0,
            latency_ms=int(self._pause * len(words) * 1000),
            answered=True,
        )
        yield Answer(self._text, answered=True, sources=(), evidence=evidence)
