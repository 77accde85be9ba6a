"""How quickly a session store answers many readers at once."""

import asyncio
import random
import time

from bench.subject import Place
from kefu.kit.clock import now_ms
from kefu.kit.config import Settings
from kefu.kit.db import Database
from kefu.kit.sealed import sealing_of
from kefu.main import Shared
from kefu.sessions.redis_store import ASKED
from kefu.sessions.since import changed
from kefu.sessions.store import SessionStore

READERS, EACH = 64, 200
SESSIONS = 1000
HOUR_MS = 3_600_000
PATIENCE_SECONDS = 30


async def measure(place: Place) -> tuple[list[float], float]:
    """Seconds of each `get` of READERS at once from the store in Redis, and the share that Redis answered."""
    settings = Settings(data_dir=place.folder, database_url=place.database_url, redis_url=place.redis_url)
    db = Database(place.database_url)
    db.seal_with(sealing_of(settings))
    shared = Shared(settings, db)
    shared.start()
    try:
        names = [name for name, _ in await changed(db, now_ms() - HOUR_MS, SESSIONS)]
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not await _answers(shared.store, names[0]):  # noqa: ASYNC110 - nobody tells when it is filled
                await asyncio.sleep(0.1)
        before = _hits()
        took = await time_gets(shared.store, names, READERS, EACH)
        return took, (_hits() - before) / len(took)
    finally:
        await shared.stop()
        await db.close()


async def _answers(store: SessionStore, name: str) -> bool:
    """Whether Redis has been filled, and answers by itself."""
    before = _hits()
    await store.get(name)
    return _hits() > before


def _hits() -> float:
    return sum(
        sample.value
        for metric in ASKED.collect()
        for sample in metric.samples
        if sample.name.endswith("_total") and sample.labels["outcome"] == "hit"
    )


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
