"""How quickly a session store answers many readers at once."""

import asyncio
import random
import time

from kefu.sessions.store import SessionStore


async def time_gets(store: SessionStore, names: list[str], readers: int, each: int) -> list[float]:
    """The seconds that each `get` took, of `readers` that ask `each` times one after the other for sessions that exist.

    Raises LookupError when one is not found.
    """

    async def read() -> list[float]:
        took = []
        for _ in range(each):
            began = time.perf_counter()
            session = await store.get(random.choice(names))
            took.append(time.perf_counter() - began)
            if session is None:
                raise LookupError
        return took

    return [seconds for took in await asyncio.gather(*(read() for _ in range(readers))) for seconds in took]
