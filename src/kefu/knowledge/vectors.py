"""The passages nearest to a question by what they mean: exact, in this process (docs/adr/0023).

All vectors of a shop are kept as one matrix for each language, read again when its knowledge or its vectors changed;
meanwhile the one that is there goes on serving. Passages that are gone are found by no query, so that does no harm.
"""

import asyncio
import time
from collections import OrderedDict, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, Protocol

import structlog

from kefu.kit.db import Database, rows_in
from kefu.kit.i18n import Locale

if TYPE_CHECKING:
    import numpy as np

log = structlog.get_logger()

# What all matrices of a process may take together, and so the most of one shop: 43,000 passages at 1,536 dimensions.
MOST_BYTES = 256 << 20
# How long a search waits for a matrix that is being read, and how often one is read again at most.
WAIT_SECONDS = 0.3
REFRESH_SECONDS = 10.0
# Of a language, whose share of passages must have a vector. With fewer the passage that answers might have none.
ENOUGH = 0.9
NEAREST = 20
PAGE = 500
# Numbers to multiply, from which on others would notice.
IN_A_THREAD = 200_000

STATE = """
SELECT knowledge_states.stamp, vector_states.done FROM knowledge_states
JOIN vector_states ON vector_states.shop = knowledge_states.shop AND vector_states.model = $2
WHERE knowledge_states.shop = $1 AND vector_states.done > 0
"""
COUNT = "SELECT lang, count(*) FROM passages WHERE shop = $1 GROUP BY lang"
READ = """
SELECT passages.number, passages.id, passages.lang, passage_vectors.vector FROM passages
JOIN passage_vectors ON passage_vectors.shop = passages.shop AND passage_vectors.sense_hash = passages.sense_hash
    AND passage_vectors.model = $2
WHERE passages.shop = $1 AND passages.number > $3 ORDER BY passages.number LIMIT $4
"""

Key = tuple[str, str]


class Near(NamedTuple):
    """Passages near a question by an embedder's `model`: by language their ids and cosines, the nearest first.

    None where the embedder failed, was too slow, or has not enough vectors yet.
    """

    model: str
    by_language: Mapping[str, Sequence[tuple[str, float]]]


@dataclass(frozen=True, slots=True)
class Asker:
    """Who asks. `visitor` and `session`: empty when it is for the team."""

    shop: str
    locale: Locale
    visitor: str = ""
    session: str = ""


class NearOf(Protocol):
    async def __call__(self, asker: Asker, texts: Sequence[str]) -> Sequence[Near | None]:
        """Of each text; None where the shop has no embedder. Bounded in time. Raises ShopNotFound, Busy.

        Not to be called inside a transaction.
        """


async def by_words_alone(asker: Asker, texts: Sequence[str]) -> Sequence[Near | None]:  # noqa: ARG001 - of the port
    return [None] * len(texts)


@dataclass(frozen=True, slots=True)
class Matrix:
    """`version`: of what it was read from."""

    version: tuple[str, int]
    read_at: float
    by_language: "Mapping[str, tuple[Sequence[str], np.ndarray]]"

    @property
    def size(self) -> int:
        return sum(rows.nbytes for _, rows in self.by_language.values())

    def nearest(self, vector: bytes) -> dict[str, list[tuple[str, float]]]:
        import numpy as np  # noqa: PLC0415 - only who has an embedder needs it

        asked, found = np.frombuffer(vector, "<f4"), dict[str, list[tuple[str, float]]]()
        for language, (ids, rows) in self.by_language.items():
            if rows.shape[1] == len(asked):
                cosines = rows @ asked
                some = np.argpartition(-cosines, min(NEAREST, len(ids)) - 1)[:NEAREST]
                order = sorted(some.tolist(), key=lambda n: (-cosines[n], ids[n]))
                found[language] = [(ids[n], float(cosines[n])) for n in order]
        return found


class Vectors:
    """The matrices of this process. `most_bytes`: the least used go when they are more."""

    def __init__(self, db: Database, most_bytes: int = MOST_BYTES) -> None:
        self._db = db
        self._most_bytes = most_bytes
        self._kept: OrderedDict[Key, Matrix] = OrderedDict()
        self._reading: dict[Key, asyncio.Task[None]] = {}

    async def have(self, shop: str, model: str) -> bool:
        """Whether there are vectors at all. Has them read where they changed, and does not wait for that."""
        key = (shop, model)
        state = next(iter(await self._db.fetch(STATE, *key)), None)
        if state is None:
            return False
        kept, version = self._kept.get(key), (state[0], state[1])
        is_due = kept is None or (kept.version != version and time.monotonic() > kept.read_at + REFRESH_SECONDS)
        if is_due and key not in self._reading:
            task = asyncio.create_task(self._read(key, version), name=f"vectors-{shop}")
            self._reading[key] = task
            task.add_done_callback(lambda _: self._reading.pop(key, None))
        return True

    async def nearest(self, shop: str, model: str, vector: bytes) -> Mapping[str, Sequence[tuple[str, float]]]:
        """Empty while they are being read for the first time. `vector`: of length one."""
        key = (shop, model)
        if key not in self._kept and (task := self._reading.get(key)):
            await asyncio.wait([task], timeout=WAIT_SECONDS)
        matrix = self._kept.get(key)
        if matrix is None:
            return {}
        self._kept.move_to_end(key)
        if matrix.size // 4 < IN_A_THREAD:
            return matrix.nearest(vector)
        return await asyncio.to_thread(matrix.nearest, vector)

    async def _read(self, key: Key, version: tuple[str, int]) -> None:
        """Keeps nothing where too many are missing, or they are more than may be kept."""
        try:
            parts = await _parts(self._db, key, self._most_bytes)
        except Exception:
            log.warning("vectors.not_read", shop=key[0], exc_info=True)
            return
        self._kept[key] = matrix = Matrix(version, time.monotonic(), parts)
        log.debug("vectors.read", shop=key[0], model=key[1], bytes=matrix.size)
        while sum(one.size for one in self._kept.values()) > self._most_bytes:
            self._kept.popitem(last=False)

    def start(self) -> None:
        """Nothing to do: the first search reads."""

    async def stop(self) -> None:
        tasks = list(self._reading.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _parts(db: Database, key: Key, most: int) -> "Mapping[str, tuple[Sequence[str], np.ndarray]]":
    """Page by page, so that nobody waits long behind it."""
    import numpy as np  # noqa: PLC0415 - as above

    ids, rows = defaultdict[str, list[str]](list), defaultdict[str, list[bytes]](list)
    reached, size = 0, 0
    async with db.read() as tx:
        counts = {row[0]: row[1] for row in await rows_in(tx, COUNT, key[0])}
        while page := await rows_in(tx, READ, *key, reached, PAGE):
            for reached, passage, language, vector in page:  # noqa: B007 - the last one is where the next page begins
                ids[language].append(passage)
                rows[language].append(vector)
                size += len(vector)
            if size > most:
                log.warning("vectors.too_many", shop=key[0], most_bytes=most)
                return {}
            await asyncio.sleep(0)
    found = {}
    for language, vectors in rows.items():
        is_one_size = len({len(one) for one in vectors}) == 1
        if is_one_size and len(vectors) >= ENOUGH * counts.get(language, 0):
            joined = await asyncio.to_thread(b"".join, vectors)
            found[language] = (ids[language], np.frombuffer(joined, "<f4").reshape(len(vectors), -1))
    return found
