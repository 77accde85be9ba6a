"""The database: one transaction per command, opened at the edge.

`Database.read()` and `Database.write()` give an SQLAlchemy session; `write()` commits when its block ends well and then
runs what was left with `after_commit`. The hot path has lanes of its own: `GroupCommit` on SQLite, a bare asyncpg pool
on PostgreSQL.

SQLite has one writer. Inside this process writers queue at a fair gate rather than in SQLite's busy loop; other
processes (the command line) meet at the file and wait up to `BUSY_MS`.
"""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager, nullcontext
from pathlib import Path
from typing import Any, TypeVar

import asyncpg
from sqlalchemy import BigInteger, Integer, MetaData, event
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase
from sqlalchemy.pool import AsyncAdaptedQueuePool

from kefu.kit.errors import Unavailable

T = TypeVar("T")

BUSY_MS = 10_000
POSTGRES_POOL = 8
# Seconds to wait for a free connection, to give it back, for a new one, for a lock and for one statement: whoever asks
# is told 503 in time, however silent PostgreSQL or the way to it is. A free one is worth the most patience: a thousand
# followers who come back at once queue for it. A transaction left open for IDLE_SECONDS gives its locks back.
FREE_SECONDS = 5
RELEASE_SECONDS = 1
CONNECT_SECONDS = 3
LOCK_SECONDS = 3
STATEMENT_SECONDS = 4
IDLE_SECONDS = 15
BATCH = 200

# What PostgreSQL and the way to it say when they cannot serve a statement now; its sender asks again.
NOT_NOW = (
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.TransactionRollbackError,
    asyncpg.LockNotAvailableError,
    asyncpg.IdleInTransactionSessionTimeoutError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    TimeoutError,
    OSError,
)

# An auto-increment key: SQLite knows only INTEGER for it.
Big = BigInteger().with_variant(Integer, "sqlite")


class Table(DeclarativeBase):
    """Base of all tables. Times are whole milliseconds UTC."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
        }
    )


class Busy(Unavailable):
    """The database did not answer in time; nothing was written."""

    code = "DATABASE_BUSY"


def after_commit(tx: AsyncSession, action: Callable[[], None]) -> None:
    """Run `action` once the transaction is durable; never when it is rolled back. It must not raise."""
    tx.info.setdefault("after_commit", []).append(action)


def tune_sqlite(connection: Any) -> None:
    """The pragmas every connection of ours runs with: WAL and full durability."""
    cursor = connection.cursor()
    for pragma in (
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
        f"busy_timeout={BUSY_MS}",
        "cache_size=-16000",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def announce(tx: AsyncSession, topic: str, what: Any) -> None:
    """Tell this process's listeners of `topic` once the transaction is durable."""
    signals: Signals = tx.info["signals"]
    after_commit(tx, lambda: signals.send(topic, what))


class Signals:
    """What was just committed by this process, by topic: `log` carries entries, `jobs` a lane.

    Listeners must not block or raise.
    """

    def __init__(self) -> None:
        self._listeners: dict[str, list[Callable[[Any], None]]] = {}

    def listen(self, topic: str, listener: Callable[[Any], None]) -> None:
        self._listeners.setdefault(topic, []).append(listener)

    def send(self, topic: str, what: Any) -> None:
        for listener in self._listeners.get(topic, ()):
            listener(what)


class GroupCommit:
    """Short write functions on one SQLite connection and one thread; what waits together is committed together.

    Each function runs in a savepoint: its error undoes only its own part and reaches only its own caller. A caller gets
    its result after the commit is on the disk, never before.
    """

    def __init__(self, path: str, gate: asyncio.Lock) -> None:
        self._path = path
        self._gate = gate
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="sqlite-writer")
        self._waiting: list[tuple[Callable[[sqlite3.Connection], Any], asyncio.Future[Any]]] = []
        self._drain: asyncio.Task[None] | None = None
        self._connection: sqlite3.Connection | None = None

    async def run(self, write: Callable[[sqlite3.Connection], T]) -> T:
        """Run `write(connection)` and return its result once committed. Raises what `write` raises, or Busy."""
        done: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._waiting.append((write, done))
        if self._drain is None or self._drain.done():
            self._drain = asyncio.create_task(self._commit_all())
        return await done

    async def _commit_all(self) -> None:
        loop = asyncio.get_running_loop()
        while self._waiting:
            async with self._gate:
                batch, self._waiting = self._waiting[:BATCH], self._waiting[BATCH:]
                try:
                    results = await loop.run_in_executor(self._thread, self._commit, [write for write, _ in batch])
                except sqlite3.Error:
                    results = [(False, Busy())] * len(batch)
            for (_, done), (ok, result) in zip(batch, results, strict=True):
                if not done.done():
                    done.set_result(result) if ok else done.set_exception(result)

    def _commit(self, writes: list[Callable[[sqlite3.Connection], Any]]) -> list[tuple[bool, Any]]:
        connection = self._connection = self._connection or self._connect()
        results: list[tuple[bool, Any]] = []
        connection.execute("BEGIN IMMEDIATE")
        try:
            for write in writes:
                connection.execute("SAVEPOINT one")
                try:
                    results.append((True, write(connection)))
                except Exception as error:  # noqa: BLE001 - it belongs to the caller that waits for this write
                    connection.execute("ROLLBACK TO one")
                    results.append((False, error))
                connection.execute("RELEASE one")
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise
        return results

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._path, isolation_level=None, cached_statements=256)
        try:
            tune_sqlite(connection)
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


class Database:
    """One database, either SQLite (`sqlite:///path`) or PostgreSQL (`postgresql://…`).

    `is_patient`: statements and locks of PostgreSQL may take as long as they need.
    """

    def __init__(self, url: str, *, is_patient: bool = False) -> None:
        self.is_sqlite = url.startswith("sqlite")
        self.url = url
        self.signals = Signals()
        self._gate = asyncio.Lock()
        self._pool: asyncpg.Pool[Any] | None = None
        self._pool_gate = asyncio.Lock()
        self._group: GroupCommit | None = None
        if self.is_sqlite:
            self.path = url.removeprefix("sqlite:///")
            Path(self.path).parent.mkdir(parents=True, exist_ok=True)
            self._writer = _sqlite_engine(self.path, "BEGIN IMMEDIATE", size=1)
            self._reader = _sqlite_engine(self.path, "BEGIN", size=4)
        else:
            self._writer = self._reader = _postgres_engine(url, is_patient=is_patient)
        self._new_write = async_sessionmaker(self._writer, expire_on_commit=False, info={"signals": self.signals})
        self._new_read = async_sessionmaker(self._reader, expire_on_commit=False)

    @property
    def engine(self) -> AsyncEngine:
        return self._writer

    @property
    def group(self) -> GroupCommit:
        """The hot path on SQLite."""
        if self._group is None:
            self._group = GroupCommit(self.path, self._gate)
        return self._group

    async def pool(self) -> "asyncpg.Pool[Any]":
        """The hot path on PostgreSQL."""
        async with self._pool_gate:
            if self._pool is None:
                self._pool = await asyncpg.create_pool(
                    plain_postgres(self.url),
                    min_size=1,
                    max_size=POSTGRES_POOL,
                    reset=_leave_as_it_is,
                    **_bounds(is_patient=False),
                )
        return self._pool

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Any]:
        """A connection of `pool`, for single statements that leave nothing behind. Raises Busy."""
        try:
            pool = await self.pool()
            connection = await pool.acquire(timeout=FREE_SECONDS)
            try:
                yield connection
            finally:
                await pool.release(connection, timeout=RELEASE_SECONDS)
        except NOT_NOW as error:
            raise Busy from error

    async def statement(self, sql: str, *arguments: Any) -> list[Any]:
        """The rows of one statement in the lane of the hot path, committed; its parameters are `$1`, `$2`, ….

        Raises Busy.
        """
        if self.is_sqlite:
            plain = sql.replace("$", "?")
            return await self.group.run(lambda connection: connection.execute(plain, arguments).fetchall())
        async with self.connection() as connection:
            rows: list[Any] = await connection.fetch(sql, *arguments)
            return rows

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncSession]:
        """A session that sees one state of the database and commits nothing."""
        with _as_busy():
            async with self._new_read() as tx:
                yield tx

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncSession]:
        """One transaction: committed when the block ends well, undone when it raises.

        Raises Busy when the database is.
        """
        gate = self._gate if self.is_sqlite else nullcontext()
        with _as_busy():
            async with gate, self._new_write() as tx:
                async with tx.begin():
                    yield tx
                actions = tx.info.get("after_commit", [])
        for action in actions:
            action()

    async def close(self) -> None:
        if self._group:
            await self._group.close()
        if self._pool:
            await self._pool.close()
        await self._writer.dispose()
        if self._reader is not self._writer:
            await self._reader.dispose()


@contextmanager
def _as_busy() -> Iterator[None]:
    """Turn the drivers' ways of saying "not now" into one 503."""
    try:
        yield
    except (PoolTimeout, OperationalError, *NOT_NOW) as error:
        raise Busy from error
    except DBAPIError as error:
        if error.connection_invalidated or isinstance(getattr(error.orig, "__cause__", None), NOT_NOW):
            raise Busy from error
        raise


def plain_postgres(url: str) -> str:
    """The address as asyncpg takes it, without SQLAlchemy's driver name."""
    return "postgresql://" + url.split("://", 1)[1]


async def _leave_as_it_is(_: Any) -> None:
    """Resetting a connection costs a round trip per statement, and may fail after a commit."""


def _bounds(*, is_patient: bool) -> dict[str, Any]:
    """What asyncpg is told of how long things may take. Anything else may be unbounded, connecting never is."""
    if is_patient:
        return {"timeout": CONNECT_SECONDS}
    limits = {"lock_timeout": LOCK_SECONDS, "idle_in_transaction_session_timeout": IDLE_SECONDS}
    return {
        "timeout": CONNECT_SECONDS,
        "command_timeout": STATEMENT_SECONDS,
        "server_settings": {name: f"{seconds}s" for name, seconds in limits.items()},
    }


def _postgres_engine(url: str, *, is_patient: bool) -> AsyncEngine:
    return create_async_engine(
        "postgresql+asyncpg://" + url.split("://", 1)[1],
        pool_size=POSTGRES_POOL,
        max_overflow=0,
        pool_timeout=FREE_SECONDS,
        pool_pre_ping=True,
        connect_args=_bounds(is_patient=is_patient),
    )


def _sqlite_engine(path: str, begin: str, size: int) -> AsyncEngine:
    engine = create_async_engine(
        f"sqlite+aiosqlite:///{path}", poolclass=AsyncAdaptedQueuePool, pool_size=size, max_overflow=0, pool_timeout=30
    )

    @event.listens_for(engine.sync_engine, "connect")
    def _connect(connection: Any, _: Any) -> None:
        connection.isolation_level = None
        tune_sqlite(connection)

    @event.listens_for(engine.sync_engine, "begin")
    def _begin(connection: Any) -> None:
        connection.exec_driver_sql(begin)

    return engine
