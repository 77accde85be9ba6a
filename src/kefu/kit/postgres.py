"""PostgreSQL: how long things may take, SQLAlchemy's engine, and the connections of the hot path."""

import asyncio
import time
from collections.abc import Mapping
from contextlib import nullcontext, suppress
from typing import Any

import asyncpg
import orjson
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

CONNECTIONS = 8
SEEKERS = 2  # more, for looking words up
# Seconds to wait for a free connection, for a new one, for a lock, for one statement, and for its end when it was cut
# off: whoever asks is told 503 in time, however silent PostgreSQL or the way to it is. A free one is worth the most
# patience: a thousand followers who come back at once queue for it. A transaction left open for IDLE_SECONDS gives its
# locks back.
FREE_SECONDS = 5
CONNECT_SECONDS = 3
LOCK_SECONDS = 3
STATEMENT_SECONDS = 4
STOP_SECONDS = 1
IDLE_SECONDS = 15
# A connection that has rested longer may have been cut on the way by something that says nothing.
REST_SECONDS = 300
# How many questions go in one statement, and how many such statements are under way for one kind of question.
TOGETHER = 16
ASKERS = 2

# While PostgreSQL believes that there are few passages, it would read them all for each word: it counts late. What is
# left to it is the index of the words.
BY_WORDS = {"enable_seqscan": "off", "enable_indexscan": "off"}

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


class Statements:
    """Single statements that leave nothing behind, on so many connections at most, which have these `settings`.

    Whoever waits for one gets it in turn. asyncpg's pool lets who comes late overtake, so that one in a hundred waited
    ten times as long as the others; and with its timers and tasks it took twice the time of the statement itself.
    """

    def __init__(self, url: str, connections: int, settings: Mapping[str, str] | None = None) -> None:
        self._url = plain_postgres(url)
        self._bounds = bounds(is_patient=False)
        self._bounds["server_settings"] |= settings or {}
        self._turns = asyncio.Semaphore(connections)
        self._free: list[tuple[asyncpg.Connection[Any], float]] = []
        self._using = 0

    async def run(self, sql: str, arguments: tuple[Any, ...]) -> list[Any]:
        """The rows of one statement, committed. Raises one of NOT_NOW, or what PostgreSQL says of the statement."""
        async with asyncio.timeout(FREE_SECONDS) if self._turns.locked() else nullcontext():
            await self._turns.acquire()
        self._using += 1
        try:
            connection = self._rested() or await asyncpg.connect(self._url, **self._bounds)
            try:
                rows: list[Any] = await connection.fetch(sql, *arguments)
            except asyncpg.PostgresError:
                self._put_back(connection)
                raise
            except BaseException:
                await _stop(connection)
                raise
            self._put_back(connection)
            return rows
        finally:
            self._using -= 1
            self._turns.release()

    @property
    def counted(self) -> tuple[int, int]:
        """Connections in use, and free ones."""
        return self._using, len(self._free)

    def _rested(self) -> "asyncpg.Connection[Any] | None":
        """The one that was used last."""
        while self._free:
            connection, since = self._free.pop()
            if not connection.is_closed() and time.monotonic() - since < REST_SECONDS:
                return connection
            connection.terminate()
        return None

    def _put_back(self, connection: "asyncpg.Connection[Any]") -> None:
        if not connection.is_closed():
            self._free.append((connection, time.monotonic()))

    async def close(self) -> None:
        while self._free:
            await self._free.pop()[0].close()


CLOSED = asyncpg.InterfaceError("nobody asks any more")
# What one asks with, and where the rows are waited for.
Asker = tuple[tuple[Any, ...], asyncio.Future[list[Any]]]


class Together:
    """One question that many ask in the same moment, as when a thousand followers come back: asked for all at once.

    Each statement is a round trip, which costs this process more than what is asked. `sql` takes as `$1` a JSON array
    of what each one asks with, as arrays; its rows begin with whose they are, from 1.
    """

    def __init__(self, statements: Statements, sql: str) -> None:
        self._statements, self._sql = statements, sql
        self._waiting: list[Asker] = []
        self._asking: set[asyncio.Task[None]] = set()
        self._askers = 0

    async def ask(self, arguments: tuple[Any, ...]) -> list[Any]:
        """One's own rows, without the number. Raises what `Statements.run` does, as do all who asked along."""
        answer: asyncio.Future[list[Any]] = asyncio.get_running_loop().create_future()
        self._waiting.append((arguments, answer))
        if self._askers < ASKERS:
            self._askers += 1
            asking = asyncio.create_task(self._ask_for_all(), name="ask together")
            self._asking.add(asking)
            asking.add_done_callback(self._asking.discard)
        return await answer

    async def close(self) -> None:
        """Who still waits is told that nobody asks any more."""
        for one in self._asking:
            one.cancel()
        await asyncio.gather(*self._asking, return_exceptions=True)
        _refuse(self._waiting, CLOSED)

    async def _ask_for_all(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting[:TOGETHER], self._waiting[TOGETHER:]
            try:
                rows = await self._rows([arguments for arguments, _ in batch])
            except NOT_NOW as error:  # nor would it serve those who wait
                batch, self._waiting = batch + self._waiting, []
                _refuse(batch, error)
            except asyncio.CancelledError:
                _refuse(batch, CLOSED)
                raise
            except Exception as error:  # noqa: BLE001 - whoever asked gets it
                _refuse(batch, error)
            else:
                _give(batch, rows)
        self._askers -= 1  # in the same breath: who asks next finds nobody who would ask for them

    async def _rows(self, questions: list[tuple[Any, ...]]) -> list[list[Any]]:
        rows: list[list[Any]] = [[] for _ in questions]
        for row in await self._statements.run(self._sql, (orjson.dumps(questions).decode(),)):
            rows[row[0] - 1].append(row[1:])
        return rows


def _give(waiting: list[Asker], rows: list[list[Any]]) -> None:
    for (_, answer), own in zip(waiting, rows, strict=True):
        if not answer.done():
            answer.set_result(own)


def _refuse(waiting: list[Asker], error: Exception) -> None:
    for _, answer in waiting:
        if not answer.done():
            answer.set_exception(error)


async def _stop(connection: "asyncpg.Connection[Any]") -> None:
    """Cut off in the middle, nobody knows what comes down this line next: it is closed.

    First PostgreSQL is told to stop, or what waits for a lock would be written after its sender was told to ask again.
    """
    with suppress(*NOT_NOW):
        async with asyncio.timeout(STOP_SECONDS):
            await connection.close()
    connection.terminate()


def plain_postgres(url: str) -> str:
    """The address as asyncpg takes it, without SQLAlchemy's driver name."""
    return "postgresql://" + url.split("://", 1)[1]


def bounds(*, is_patient: bool) -> dict[str, Any]:
    """What asyncpg is told of how long things may take. Anything else may be unbounded, connecting never is."""
    if is_patient:
        return {"timeout": CONNECT_SECONDS}
    limits = {"lock_timeout": LOCK_SECONDS, "idle_in_transaction_session_timeout": IDLE_SECONDS}
    return {
        "timeout": CONNECT_SECONDS,
        "command_timeout": STATEMENT_SECONDS,
        # Compiling a plan to machine code takes longer than any of our statements.
        "server_settings": {name: f"{seconds}s" for name, seconds in limits.items()} | {"jit": "off"},
    }


def engine(url: str, *, is_patient: bool) -> AsyncEngine:
    return create_async_engine(
        "postgresql+asyncpg://" + url.split("://", 1)[1],
        pool_size=CONNECTIONS,
        max_overflow=0,
        pool_timeout=FREE_SECONDS,
        pool_pre_ping=True,
        hide_parameters=True,  # what people wrote, which an error would say
        connect_args=bounds(is_patient=is_patient),
    )
