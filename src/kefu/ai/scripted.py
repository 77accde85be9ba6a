"""A model that says what a function makes of the prompt: for tests and demonstrations. Refused in production."""

import asyncio
import re
from collections.abc import AsyncGenerator, Callable

from kefu.ai.ports import Ask, Finished, Piece, Usage


class ScriptedModel:
    """Says `script(ask)` word by word, `pause` seconds apart. `asked` keeps what it was asked, newest last."""

    def __init__(self, script: Callable[[Ask], str], pause: float = 0.0) -> None:
        self._script = script
        self._pause = pause
        self.asked: list[Ask] = []

    async def stream(self, ask: Ask) -> AsyncGenerator[Piece | Finished]:
        self.asked.append(ask)
        words = re.findall(r"\S+\s*|\s+", self._script(ask))
        for word in words:
            await asyncio.sleep(self._pause)
            yield Piece(word)
        read = sum(len(message.content.split()) for message in ask.messages)
        yield Finished("scripted", "script", Usage(read, len(words), is_estimated=True))
