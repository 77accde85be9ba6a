"""SQLite: its pragmas, SQLAlchemy's engines, and the lanes of the hot path.

SQLite has one writer. Inside this process writers queue at a fair gate rather than in SQLite's busy loop; other
processes (the command line) meet at the file and wait up to `BUSY_MS`.
"""

import asyncio
import sqlite3
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager, nullcontext
from functools import lru_cache
from typing import Any, TypeVar

from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import AsyncAdaptedQueuePool

from kefu.kit.errors import Busy, StorageFailed

T = TypeVar("T")
Results = list[tuple[bool, Any]]

BUSY_MS = 10_000
BATCH = 200
# For each of the eight connections: what is not in it is in the system's cache, once for all of them.
CACHE_KIB = 4_000
# Of its result codes those that speak of the disk: https://sqlite.org/rescode.html
OF_THE_DISK = {sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN}


def tune(connection: Any) -> None:
    """The pragmas every connection of ours runs with: WAL and full durability."""
    cursor = connection.cursor()
    for pragma in (
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
        f"busy_timeout={BUSY_MS}",
        f"cache_size=-{CACHE_KIB}",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


@lru_cache(256)
def numbered(sql: str) -> str:
    """PostgreSQL's `$1` as SQLite's `?1`."""
    return sql.replace("$", "?")


def not_now(error: BaseException | None) -> Busy:
    """What to tell who asked, when SQLite cannot serve them."""
    code = getattr(error, "sqlite_errorcode", 0)
    return StorageFailed() if code & 0xFF in OF_THE_DISK else Busy()


class Lane(ABC):
    """Short functions on one SQLite connection and one thread; what waits together is run together."""

    def __init__(self, path: str, gate: AbstractAsyncContextManager[Any]) -> None:
        self._path = path
        self._gate = gate
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="sqlite-lane")
        self._waiting: list[tuple[Callable[[sqlite3.Connection], Any], asyncio.Future[Any]]] = []
        self._drain: asyncio.Task[None] | None = None
        self._connection: sqlite3.Connection | None = None

    async def run(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Run `work(connection)` and return its result. Raises what `work` raises, or Busy."""
        done: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._waiting.append((work, done))
        if self._drain is None or self._drain.done():
            self._drain = asyncio.create_task(self._run_all())
        return await done

    async def _run_all(self) -> None:
        loop = asyncio.get_running_loop()
        while self._waiting:
            async with self._gate:
                batch, self._waiting = self._waiting[:BATCH], self._waiting[BATCH:]
                try:
                    results = await loop.run_in_executor(self._thread, self._run, [work for work, _ in batch])
                except sqlite3.Error as error:
                    results = [(False, not_now(error))] * len(batch)
                except Exception as error:  # noqa: BLE001 - it belongs to all who wait, who would wait for ever
                    results = [(False, error)] * len(batch)
            for (_, done), (ok, result) in zip(batch, results, strict=True):
                if not done.done():
                    done.set_result(result) if ok else done.set_exception(result)

    def _run(self, works: Sequence[Callable[[sqlite3.Connection], Any]]) -> Results:
        connection = self._connection = self._connection or self._connect()
        return self._on(connection, works)

    @abstractmethod
    def _on(self, connection: sqlite3.Connection, works: Sequence[Callable[[sqlite3.Connection], Any]]) -> Results:
        """What came of each, in order. Raises sqlite3.Error when nothing did."""

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._path, isolation_level=None, cached_statements=256)
        try:
            tune(connection)
        except sqlite3.Error:
            connection.close()
            raise
        return connection

    async def close(self) -> None:
        if self._drain:
            await self._drain
        if self._connection:
            await asyncio.get_running_loop().run_in_executor(self._thread, self._connection.close)
        self._thread.shutdown()


class GroupCommit(Lane):
    """Writes. Each runs in a savepoint: its error undoes only its own part and reaches only its own caller.

    A caller gets its result after the commit is on the disk, never before.
    """

    def _on(self, connection: sqlite3.Connection, works: Sequence[Callable[[sqlite3.Connection], Any]]) -> Results:
        results: Results = []
        connection.execute("BEGIN IMMEDIATE")
        try:
            for work in works:
                results.append(_alone(connection, work))
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise
        return results


def _alone(connection: sqlite3.Connection, work: Callable[[sqlite3.Connection], Any]) -> tuple[bool, Any]:
    """Raises what is wrong with the disk: that is so for all, and SQLite may have undone everything already."""
    connection.execute("SAVEPOINT one")
    try:
        result = True, work(connection)
    except Exception as error:
        if isinstance(not_now(error), StorageFailed):
            raise
        connection.execute("ROLLBACK TO one")
        result = False, error
    connection.execute("RELEASE one")
    return result


class GroupRead(Lane):
    """Reads that need no transaction, for each is one statement."""

    def __init__(self, path: str) -> None:
        super().__init__(path, nullcontext())

    def _on(self, connection: sqlite3.Connection, works: Sequence[Callable[[sqlite3.Connection], Any]]) -> Results:
        results: Results = []
        for work in works:
            try:
                results.append((True, work(connection)))
            except sqlite3.OperationalError as error:
                results.append((False, not_now(error)))
            except Exception as error:  # noqa: BLE001 - it belongs to the caller that waits for this read
                results.append((False, error))
        return results


def engine(path: str, begin: str, size: int) -> AsyncEngine:
    """SQLAlchemy's door to the file. `begin`: how its transactions start."""
    made = create_async_engine(
        f"sqlite+aiosqlite:///{path}",
        poolclass=AsyncAdaptedQueuePool,
        pool_size=size,
        max_overflow=0,
        pool_timeout=30,
        hide_parameters=True,
    )

    @event.listens_for(made.sync_engine, "connect")
    def _connect(connection: Any, _: Any) -> None:
        connection.isolation_level = None
        tune(connection)

    @event.listens_for(made.sync_engine, "begin")
    def _begin(connection: Any) -> None:
        connection.exec_driver_sql(begin)

    return made
