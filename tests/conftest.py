"""Each test gets a clean, migrated database of its own, on SQLite and on PostgreSQL, with real commits."""

import asyncio
import gc
import os
import secrets
import shutil
import socket
import ssl
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import NoReturn

import asyncpg
import httpx2
import pytest
import structlog
import uvloop
from fastapi import FastAPI

from actors import Agent, Stage, Visitor
from compiled import keep_compiled
from dealing import dealt, workers_of
from kefu.accounts.audit import keys_of, seal_with
from kefu.answering.ports import Answerer
from kefu.answering.scripted import ScriptedAnswerer
from kefu.kit.config import Settings
from kefu.kit.db import Database
from kefu.kit.sealed import sealing_of
from kefu.main import create_app
from kefu.ops.migrate import upgrade
from kefu.shops.service import first_shop
from servers import Missing, Servers
from serving import served

ABSENT = "MISSING SERVER: "
LONG = (
    "test_cluster",
    "test_killed_server",
    "test_any_input",
    "test_fence",
    "test_killed_team",
    "test_races",
    "faults",
)
SHARED = "KEFU_TEST_SERVERS"
SERVERS = pytest.StashKey[Servers]()
STATEMENT_SECONDS = 60
GARBAGE = (10_000, 10, 20)
# For what is refused before any database is asked.
ON_ONE_DATABASE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
# The same for all databases of a run, so that they share compiled statements (`compiled`).
SECRET = secrets.token_hex(32)
UNLIMITED = httpx2.Limits(max_connections=None)
# Loading the authorities anew costs each client 26 ms.
NO_TLS = ssl.create_default_context()


def pytest_configure(config: pytest.Config) -> None:
    """The first process of a run makes the folder; its workers find it in the environment."""
    if not hasattr(config, "workerinput"):
        os.environ[SHARED] = tempfile.mkdtemp(prefix="kefu-tests-")
    config.stash[SERVERS] = Servers(Path(os.environ[SHARED]))
    keep_compiled()


def pytest_unconfigure(config: pytest.Config) -> None:
    config.stash[SERVERS].close()
    if not hasattr(config, "workerinput"):
        shutil.rmtree(os.environ.pop(SHARED), ignore_errors=True)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    items[:] = dealt(items, workers_of(config), LONG)


def pytest_asyncio_loop_factories(item: pytest.Item) -> dict[str, Callable[[], asyncio.AbstractEventLoop]]:
    """The event loop of the product: asyncio's own takes a tenth more of every test.

    Who breaks wires and kills servers of other processes does so from asyncio's.
    """
    return {"loop": asyncio.new_event_loop if "faults" in item.path.parts else uvloop.new_event_loop}


def pytest_collection_finish() -> None:
    """All that is loaded now stays to the end; walking it again and again took another tenth."""
    gc.freeze()
    gc.set_threshold(*GARBAGE)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Tests that did not run for want of a server are counted aloud."""
    counts: dict[str, int] = {}
    for report in terminalreporter.stats.get("skipped", []):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else ""
        if ABSENT in reason:
            server = reason.partition(ABSENT)[2]
            counts[server] = counts.get(server, 0) + 1
    for server, count in counts.items():
        terminalreporter.write_line(f"{count} TESTS DID NOT RUN: {server} is not installed", red=True, bold=True)


def do_without(server: str) -> NoReturn:
    """In CI nothing may be missing; elsewhere the test is skipped and counted."""
    if os.environ.get("CI", "").lower() in {"true", "1"}:
        pytest.fail(f"{ABSENT}{server}", pytrace=False)
    pytest.skip(f"{ABSENT}{server}")


@pytest.fixture(scope="session")
def servers(pytestconfig: pytest.Config) -> Servers:
    return pytestconfig.stash[SERVERS]


@pytest.fixture(scope="session")
def sqlite_template(servers: Servers) -> Path:
    """A migrated file to copy."""

    def make() -> str:
        file = Path(os.environ[SHARED], "template.db")
        asyncio.run(_migrate(f"sqlite:///{file}"))
        return str(file)

    return Path(servers.once("sqlite-template", make))


@pytest.fixture(scope="session")
def postgres_database(servers: Servers, worker_id: str) -> str:
    """The URL of this worker's database, migrated."""
    try:
        server = servers.postgres()
    except Missing as missing:
        do_without(str(missing))

    def make() -> str:
        asyncio.run(_execute(f"{server}/postgres", "CREATE DATABASE template"))
        asyncio.run(_migrate(f"{server}/template"))
        return "template"

    template = servers.once("postgres-template", make)
    asyncio.run(_execute(f"{server}/postgres", f"CREATE DATABASE {worker_id} TEMPLATE {template}"))
    return f"{server}/{worker_id}"


async def _migrate(url: str) -> None:
    """Closing the last connection leaves all of an SQLite database in its one file."""
    database = Database(url)
    await upgrade(database)
    await database.close()


async def _execute(url: str, statement: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(statement, timeout=STATEMENT_SECONDS)
    finally:
        await connection.close()


# Whoever is still connected, such as a server killed in the test before, goes first; then every row, in any order of
# foreign keys.
EMPTY = """
DO $$
DECLARE name text;
BEGIN
    PERFORM pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend';
    SET LOCAL session_replication_role = replica;
    FOR name IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'alembic_version' LOOP
        EXECUTE format('DELETE FROM %I', name);
    END LOOP;
END $$
"""


@pytest.fixture(scope="session")
def emptied_postgres(postgres_database: str) -> Iterator[Callable[[], str]]:
    """Empties this worker's database over one connection: a new one each time costs ten times the emptying."""
    with asyncio.Runner(loop_factory=asyncio.new_event_loop) as runner:
        connection = runner.run(asyncpg.connect(postgres_database))

        def emptied() -> str:
            runner.run(connection.execute(EMPTY, timeout=STATEMENT_SECONDS))
            return postgres_database

        yield emptied
        runner.run(connection.close())


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a clean, migrated database: a copy of a file, or this worker's own without the last test's rows."""
    (tmp_path / "jwt_secret").write_text(SECRET)
    if request.param == "postgresql":
        emptied: Callable[[], str] = request.getfixturevalue("emptied_postgres")
        return emptied()
    file = tmp_path / "kefu.db"
    shutil.copyfile(request.getfixturevalue("sqlite_template"), file)
    return f"sqlite:///{file}"


@pytest.fixture
async def db(database_url: str, tmp_path: Path) -> AsyncIterator[Database]:
    database, settings = Database(database_url), Settings(data_dir=tmp_path)
    seal_with(database, keys_of(settings))
    database.seal_with(sealing_of(settings))
    yield database
    await database.close()


@pytest.fixture
def redis_url(servers: Servers, worker_id: str) -> str:
    """The URL of this worker's own Redis database, emptied."""
    try:
        server = servers.redis()
    except Missing as missing:
        do_without(str(missing))
    number = int(worker_id.removeprefix("gw")) if worker_id != "master" else 0
    with socket.create_connection(("127.0.0.1", int(server.rpartition(":")[2])), timeout=10) as connection:
        connection.sendall(f"SELECT {number}\r\nFLUSHDB\r\n".encode())
        answer = b""
        while answer.count(b"\r\n") < 2:
            answer += connection.recv(64)
    assert answer == b"+OK\r\n+OK\r\n"
    return f"{server}/{number}"


@pytest.fixture(scope="session", autouse=True)
def _few_words() -> None:
    """A failed test shows what went wrong, without a line for each of its requests."""
    plain = structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback)
    structlog.configure([structlog.stdlib.add_log_level, plain], structlog.make_filtering_bound_logger("warning"))


@pytest.fixture
def answerer() -> Answerer:
    """The bot of these tests says its script at once; a folder or a module may put another in its place."""
    return ScriptedAnswerer(pause=0)


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> Settings:
    return Settings(data_dir=tmp_path, database_url=database_url, rate_limits="off")


@pytest.fixture
async def app(settings: Settings, db: Database, answerer: Answerer) -> AsyncIterator[FastAPI]:
    """The running application. `db` is a second door to its database, as another process has one."""
    async with db.write() as tx:
        await first_shop(tx)
    app = create_app(settings, answerer=answerer)
    async with app.router.lifespan_context(app):
        yield app


@pytest.fixture
async def client(app: FastAPI) -> AsyncIterator[httpx2.AsyncClient]:
    """For plain requests: to the application without a socket between."""
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app=app), base_url="http://kefu") as client:
        yield client


@pytest.fixture
async def server(app: FastAPI) -> AsyncIterator[httpx2.AsyncClient]:
    """For streams: to the application on a real port."""
    async with (
        served(app) as address,
        httpx2.AsyncClient(base_url=address, limits=UNLIMITED, timeout=30, verify=NO_TLS) as client,
    ):
        yield client


@pytest.fixture
async def stage(db: Database, server: httpx2.AsyncClient) -> AsyncIterator[Stage]:
    stage = Stage(db, server)
    yield stage
    await stage.close()


@pytest.fixture
async def visitor(stage: Stage) -> Visitor:
    return await stage.visitor()


@pytest.fixture
async def agent(stage: Stage) -> Agent:
    return await stage.agent()
