"""A bot that waits in the middle of its answer."""

import asyncio
from collections.abc import AsyncGenerator

from kefu.answering.ports import Answer, Delta, Turn
from kefu.answering.scripted import ScriptedAnswerer

PATIENCE = 20.0


class HeldAnswerer:
    """Says the first word of `text`, sets `has_begun` and goes on when `may_end` is set."""

    def __init__(self, text: str = "Yes, it is.") -> None:
        self._script = ScriptedAnswerer(text, pause=0)
        self.has_begun = asyncio.Event()
        self.may_end = asyncio.Event()

    async def answer(self, turn: Turn) -> AsyncGenerator[Delta | Answer]:
        async for piece in self._script.answer(turn):
            yield piece
            self.has_begun.set()
            await self.may_end.wait()

    async def begins(self) -> None:
        async with asyncio.timeout(PATIENCE):
            await self.has_begun.wait()
