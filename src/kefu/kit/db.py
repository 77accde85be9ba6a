"""The database: one transaction per command, opened at the edge.

`Database.read()` and `Database.write()` give an SQLAlchemy session; `write()` commits when its block ends well and then
runs what was left with `after_commit`. The hot path has lanes of its own, for single statements: `execute` and `fetch`,
grouped on SQLite (`kit.sqlite`), on connections of their own on PostgreSQL (`kit.postgres`).
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager, nullcontext, suppress
from contextvars import ContextVar
from pathlib import Path
from time import perf_counter
from typing import Any

import asyncpg
from sqlalchemy import BigInteger, Integer, MetaData, text
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker
from sqlalchemy.orm import DeclarativeBase

from kefu.kit import postgres, sqlite
from kefu.kit.errors import Busy, StorageFailed
from kefu.kit.postgres import BY_WORDS, CONNECTIONS, NOT_NOW, SEEKERS, Statements, Together
from kefu.kit.sealed import SEALING, Sealing, no_keys
from kefu.kit.slow import SlowQueries
from kefu.kit.sqlite import GroupCommit, GroupRead, numbered

# To close what one pool holds, before it is left to the kernel.
CLOSE_SECONDS = 3

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


def after_commit(tx: AsyncSession, action: Callable[[], None]) -> None:
    """Run `action` once the transaction is durable; never when it is rolled back. It must not raise."""
    tx.info.setdefault("after_commit", []).append(action)


def before_commit(tx: AsyncSession, action: Callable[[AsyncSession], Awaitable[None]]) -> None:
    """Run `action(tx)` as the last thing of the transaction, when all else is written and every other lock is held.

    What it raises undoes the transaction.
    """
    tx.info.setdefault("before_commit", []).append(action)


def announce(tx: AsyncSession, topic: str, what: Any) -> None:
    """Tell this process's listeners of `topic` once the transaction is durable."""
    signals: Signals = tx.info["signals"]
    after_commit(tx, lambda: signals.send(topic, what))


def is_sqlite(tx: AsyncSession) -> bool:
    """For the few statements that the engines take in different words."""
    return tx.get_bind().dialect.name == "sqlite"


async def rows_in(tx: AsyncSession, sql: str, *arguments: Any) -> list[Any]:
    """The rows of one statement, written as for `Database.fetch`, in this transaction."""
    await tx.flush()
    connection = await tx.connection()
    return [*await connection.exec_driver_sql(numbered(sql) if is_sqlite(tx) else sql, arguments)]


async def plan_by_values(tx: AsyncSession) -> None:
    """Have PostgreSQL plan each statement of this transaction for its own values.

    Its plans for any value take a rare state, or a small shop, for an average one, and read everything.
    """
    if not is_sqlite(tx):
        await tx.execute(text("SET LOCAL plan_cache_mode = force_custom_plan"))


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


class Database:
    """One database, either SQLite (`sqlite:///path`) or PostgreSQL (`postgresql://…`).

    `is_patient`: statements and locks of PostgreSQL may take as long as they need. `info`: what every transaction that
    writes finds in its own `info`.
    """

    def __init__(self, url: str, *, is_patient: bool = False) -> None:
        self.is_sqlite = url.startswith("sqlite")
        self.url = url
        self.signals = Signals()
        self.sealing: Sealing = no_keys
        self.slow = SlowQueries()
        self.info: dict[str, Any] = {"signals": self.signals, SEALING: no_keys}
        self._gate = asyncio.Lock()
        self._group: GroupCommit | None = None
        self._readers: GroupRead | None = None
        self._seekers: GroupRead | None = None
        self._statements = None if self.is_sqlite else Statements(url, CONNECTIONS)
        self._seeking = None if self.is_sqlite else Statements(url, SEEKERS, BY_WORDS)
        self._together: dict[str, Together] = {}
        if self.is_sqlite:
            self.path = url.removeprefix("sqlite:///")
            Path(self.path).parent.mkdir(parents=True, exist_ok=True)
            self._writer = sqlite.engine(self.path, "BEGIN IMMEDIATE", size=1)
            self._reader = sqlite.engine(self.path, "BEGIN", size=4)
        else:
            self._writer = self._reader = postgres.engine(url, is_patient=is_patient)
        for engine in {self._writer, self._reader}:
            self.slow.listen(engine)
        self._new_write = async_sessionmaker(self._writer, expire_on_commit=False, info=self.info)
        self._new_read = async_sessionmaker(self._reader, expire_on_commit=False)

    def seal_with(self, sealing: Sealing) -> None:
        """What seals and opens the sealed columns of this database. Without, they read as `UNREADABLE`."""
        self.sealing = self.info[SEALING] = sealing
        for one in (self._writer, self._reader):
            setattr(one.dialect, SEALING, sealing)

    @property
    def engine(self) -> AsyncEngine:
        return self._writer

    @property
    def group(self) -> GroupCommit:
        """The hot path on SQLite."""
        if self._group is None:
            self._group = GroupCommit(self.path, self._gate)
        return self._group

    async def execute(self, sql: str, *arguments: Any) -> list[Any]:
        """Run one statement, committed; the rows it returns. Its parameters are `$1`, `$2`, …. Raises Busy."""
        if self.is_sqlite:
            return await self._run_on(self.group, sql, arguments)
        return await self._run(self._statements, sql, arguments)

    async def fetch(self, sql: str, *arguments: Any) -> list[Any]:
        """The rows of one query, of one state of the database. Its parameters are `$1`, `$2`, …. Raises Busy."""
        if self.is_sqlite:
            self._readers = self._readers or GroupRead(self.path)
            return await self._run_on(self._readers, sql, arguments)
        return await self._run(self._statements, sql, arguments)

    async def fetch_together(self, sql: str, *arguments: Any) -> list[Any]:
        """One's own rows of a query that takes many askers (`kit.postgres.Together`). Raises Busy.

        PostgreSQL only: SQLite reads together what waits together (`kit.sqlite.GroupRead`).
        """
        assert self._statements
        together = self._together.get(sql) or self._together.setdefault(sql, Together(self._statements, sql))
        began = perf_counter()
        try:
            return await together.ask(arguments)
        except NOT_NOW as error:
            raise _busy(error) from error
        finally:
            self.slow.look(sql, began)

    async def seek(self, sql: str, *arguments: Any) -> list[Any]:
        """As `fetch`, for what looks words up and takes longer: in a lane of its own, where nobody waits behind it."""
        if self.is_sqlite:
            self._seekers = self._seekers or GroupRead(self.path)
            return await self._run_on(self._seekers, sql, arguments)
        return await self._run(self._seeking, sql, arguments)

    async def _run(self, statements: Statements | None, sql: str, arguments: tuple[Any, ...]) -> list[Any]:
        assert statements
        began = perf_counter()
        try:
            return await statements.run(sql, arguments)
        except NOT_NOW as error:
            raise _busy(error) from error
        finally:
            self.slow.look(sql, began)

    async def _run_on(self, lane: GroupCommit | GroupRead, sql: str, arguments: tuple[Any, ...]) -> list[Any]:
        began = perf_counter()
        try:
            return await lane.run(lambda connection: connection.execute(numbered(sql), arguments).fetchall())
        finally:
            self.slow.look(sql, began)

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncSession]:
        """A session that sees one state of the database and commits nothing."""
        with _as_busy(), _open_transaction():
            async with self._new_read() as tx:
                yield tx

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncSession]:
        """One transaction: committed when the block ends well, undone when it raises.

        Raises Busy when the database is.
        """
        gate = self._gate if self.is_sqlite else nullcontext()
        with _as_busy(), _open_transaction():
            async with gate, self._new_write() as tx:
                async with tx.begin():
                    yield tx
                    await _run_last(tx)
                actions = tx.info.get("after_commit", [])
        for action in actions:
            action()

    async def close(self) -> None:
        for lane in (self._group, self._readers, self._seekers):
            if lane:
                await lane.close()
        for together in self._together.values():
            await _let_go(together.close())
        for statements in (self._statements, self._seeking):
            if statements:
                await _let_go(statements.close())
        await _let_go(self._writer.dispose())
        if self._reader is not self._writer:
            await _let_go(self._reader.dispose())


async def _let_go(closing: Coroutine[Any, Any, None]) -> None:
    """Close connections; a server that does not even hear that holds nobody up."""
    with suppress(*NOT_NOW):
        async with asyncio.timeout(CLOSE_SECONDS):
            await closing


async def _run_last(tx: AsyncSession) -> None:
    actions = tx.info.get("before_commit", ())
    if actions:
        await tx.flush()
    for action in actions:
        await action(tx)


_open: ContextVar[int] = ContextVar("open_transactions", default=0)


@contextmanager
def _open_transaction() -> Iterator[None]:
    token = _open.set(_open.get() + 1)
    try:
        yield
    finally:
        _open.reset(token)


def assert_no_open_transaction() -> None:
    """For whoever is about to wait for somebody else: nobody's locks shall wait with them."""
    assert _open.get() == 0, "a transaction is open here"


@contextmanager
def _as_busy() -> Iterator[None]:
    """Turn the drivers' ways of saying "not now" into one 503."""
    try:
        yield
    except (PoolTimeout, OperationalError, *NOT_NOW) as error:
        raise _busy(getattr(error, "orig", error)) from error
    except DBAPIError as error:
        cause = getattr(error.orig, "__cause__", None)
        if error.connection_invalidated or isinstance(cause, NOT_NOW):
            raise _busy(cause) from error
        raise


def _busy(error: BaseException | None) -> Busy:
    return StorageFailed() if isinstance(error, asyncpg.DiskFullError) else sqlite.not_now(error)
