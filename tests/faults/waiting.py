"""Waiting for what nobody rings a bell for."""

import asyncio
from collections.abc import Awaitable, Callable
from inspect import isawaitable

STEP_SECONDS = 0.02


async def until(happened: Callable[[], bool | Awaitable[bool]], seconds: float) -> float:
    """Look again and again until it has happened; returns the seconds that took. Raises TimeoutError."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    async with asyncio.timeout(seconds):
        while True:
            answer = happened()
            if await answer if isawaitable(answer) else answer:
                return loop.time() - began
            await asyncio.sleep(STEP_SECONDS)
