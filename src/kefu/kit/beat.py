"""What a process does again and again it does at the same moments, so that it is woken rarely while nothing happens.

A wake costs more than most of what is looked at then, and the more so where thousands of open streams have pushed
everything else out of the processor's caches.
"""

import asyncio
import time
from contextlib import suppress

# Each process counts from its own start, or all of a machine would ask the database in the same moment.
BEGUN = time.monotonic()
# A beat so close is the one that just came: timers are rounded to milliseconds.
CLOSE = 0.05


def next_beat(seconds: float) -> float:
    """By the clock of the event loop, which is the monotonic one."""
    past = asyncio.get_running_loop().time() - BEGUN
    return BEGUN + seconds * (past // seconds + 1 + (past % seconds > seconds * (1 - CLOSE)))


async def beat(seconds: float) -> None:
    """Wait for the next of the moments that are `seconds` apart."""
    await asyncio.sleep(next_beat(seconds) - asyncio.get_running_loop().time())


async def rung(ring: asyncio.Event, seconds: float) -> bool:
    """Wait until it rings, and at most for the next of the moments that are `seconds` apart; whether it rang."""
    with suppress(TimeoutError):
        async with asyncio.timeout_at(next_beat(seconds)):
            await ring.wait()
    return ring.is_set()
