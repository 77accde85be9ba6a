"""`kefu …`: every verb of the operator."""

import asyncio
import gc
import signal
import sys
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Annotated, Literal, NoReturn, TypeVar

import asyncpg
import typer
from sqlalchemy.exc import DBAPIError
from uvicorn.config import Config

from kefu.accounts import locks
from kefu.accounts.audit import audit, keys_of, seal_with
from kefu.accounts.passwords import hash_password, is_acceptable
from kefu.accounts.service import (
    FirstAdmin,
    NewAgent,
    create_agent,
    first_admin,
    password_of,
    reset_second_factor,
)
from kefu.jobs.queue import dead, retry
from kefu.kit.config import BadSettings, Problem, Settings, load_settings
from kefu.kit.db import Database
from kefu.kit.errors import KefuError
from kefu.kit.logs import set_up_logs
from kefu.kit.sealed import sealing_of
from kefu.ops.migrate import is_current, upgrade
from kefu.server import DRAIN_SECONDS, Server, listener
from kefu.shops.service import first_shop

T = TypeVar("T")
cli = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Kefu: AI customer service for online shops.",
)
agents = typer.Typer(no_args_is_help=True, help="The team's accounts.")
cli.add_typer(agents, name="agent")
jobs = typer.Typer(no_args_is_help=True, help="Work that was given up.")
cli.add_typer(jobs, name="jobs")
search = typer.Typer(no_args_is_help=True, help="The search over messages.")
cli.add_typer(search, name="search")

secrets = typer.Typer(no_args_is_help=True, help="What is sealed in the database, and with which key.")
cli.add_typer(secrets, name="secrets")
audits = typer.Typer(no_args_is_help=True, help="The audit log.")
cli.add_typer(audits, name="audit")

# Walking all objects takes 40 ms with a thousand open streams, during which nobody is served; a stream that ends is
# freed without it. So the young are looked at often, all only after some ten million new ones.
GARBAGE = (10_000, 10, 100)


def main() -> NoReturn:
    """The command line. Exit code 2: what was asked cannot be done as asked."""
    try:
        cli()
    except BadSettings as error:
        _fail(str(error))
    except KefuError as error:
        _fail(error.message("en"))
    except (OSError, DBAPIError, asyncpg.PostgresError) as error:
        _fail(f"The database does not take the connection ({type(error).__name__}: {error})\n    → Check DATABASE_URL.")
    sys.exit(0)


def _fail(why: str) -> NoReturn:
    typer.secho(why, err=True, fg="red")
    sys.exit(2)


def _on_database(work: Callable[[Database], Awaitable[T]], *, is_patient: bool = False) -> T:
    """Run `work` on the database of the settings and close it again."""

    async def run() -> T:
        settings = load_settings()
        db = Database(settings.database, is_patient=is_patient)
        db.slow.seconds = settings.log_slow_query_ms / 1000
        seal_with(db, keys_of(settings))
        db.seal_with(sealing_of(settings))
        try:
            return await work(db)
        finally:
            await db.close()

    return asyncio.run(run())


@cli.command()
def serve(
    host: Annotated[str, typer.Option(help="Address to listen on")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port to listen on")] = 8000,
    with_demo: Annotated[bool, typer.Option("--demo", help="Load the demo shop first")] = False,  # noqa: FBT002 - a flag
) -> None:
    """Serve the API, the live streams and the web apps.

    Migrates an embedded database and makes the first admin by itself.
    """
    gc.disable()  # until all is loaded: none of it is garbage
    from kefu.main import create_app
    from kefu.realtime.server import OPTIONS

    settings = load_settings()
    logs = set_up_logs(settings.log_level, settings.log_file, settings.log_keep_days)
    try:
        if with_demo:
            typer.echo(_on_database(_load_demo))
        _greet(_on_database(_prepare), f"http://{host}:{port}")
        app = create_app(settings)
        gc.freeze()  # what was loaded stays: walking it again and again stopped every stream for up to 0.8 s
        gc.set_threshold(*GARBAGE)
        gc.enable()
        config = Config(
            app,
            host=host,
            port=port,
            log_config=None,
            access_log=False,
            server_header=False,
            forwarded_allow_ips=settings.trusted_proxies,
            timeout_graceful_shutdown=DRAIN_SECONDS,
            backlog=4096,
            **OPTIONS,
        )
        Server(config, app).run([listener(config)])
    finally:
        logs.stop()


async def _bring_up(db: Database) -> None:
    """Migrate an embedded database. Raises BadSettings for a server's that is behind: migrating that is a decision."""
    if db.is_sqlite:
        await upgrade(db)
    elif not await is_current(db):
        raise BadSettings([Problem("DATABASE_URL", "the database is not at the newest schema", "Run: kefu migrate")])


async def _prepare(db: Database) -> FirstAdmin | None:
    await _bring_up(db)
    async with db.write() as tx:
        await first_shop(tx)
    return await first_admin(db, load_settings())


def _greet(admin: FirstAdmin | None, address: str) -> None:
    """Where everything is, on standard output, for the person who started it."""
    lines = [f"  Shop page   {address}/demo", f"  Workbench   {address}/workbench/", f"  API         {address}/docs"]
    if admin and admin.one_time_password:
        lines += ["", f"  First admin        {admin.username}", f"  One-time password  {admin.one_time_password}", ""]
        lines += ["  It is shown only now; the workbench asks for a new one at the first sign-in."]
    elif admin:
        lines += ["", f"  First admin        {admin.username}  (password: SUPER_ADMIN_PASSWORD)"]
    typer.echo("\n".join(["", "  Kefu is starting", "", *lines, ""]))


@cli.command()
def worker() -> None:
    """Run what nobody waits for (closing idle sessions, filling the search) beside the app processes, until stopped."""
    settings = load_settings()
    logs = set_up_logs(settings.log_level, settings.log_file, settings.log_keep_days)
    try:
        _on_database(partial(_work, settings))
    finally:
        logs.stop()


async def _work(settings: Settings, db: Database) -> None:
    """Raises BadSettings for SQLite, whose one process does this work itself."""
    from kefu.knowledge.vectors import Vectors
    from kefu.main import Shared
    from kefu.workers import bulk_worker, helped_by, line_of, models_of

    if db.is_sqlite:
        raise BadSettings(
            [Problem("DATABASE_URL", "an embedded database has one process", "kefu serve does this work")]
        )
    await _bring_up(db)
    stop = asyncio.Event()
    for sign in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(sign, stop.set)
    shared = Shared(settings, db)
    line, vectors = line_of(settings), Vectors(db)
    helped = helped_by(settings, db, models_of(db, settings, line), vectors)
    parts = (shared, line.streams, vectors, bulk_worker(db, settings, helped))
    for part in parts:
        part.start()
    typer.echo("Kefu worker is running")
    await stop.wait()
    for part in reversed(parts):
        await part.stop()


@cli.command()
def migrate(
    *, check: Annotated[bool, typer.Option("--check", help="Only say whether a migration is due (exit code 1)")] = False
) -> None:
    """Bring the database to the newest schema."""
    if check:
        current = _on_database(is_current)
        typer.echo("The database is up to date." if current else "The database needs a migration. Run: kefu migrate")
        raise typer.Exit(0 if current else 1)
    _on_database(upgrade, is_patient=True)
    typer.echo("The database is up to date.")


@cli.command()
def demo() -> None:
    """Load the demo shop with its knowledge in English and Chinese. Repeating it changes nothing."""
    typer.echo(_on_database(_load_demo))


async def _load_demo(db: Database) -> str:
    from kefu.porting.demo import load_demo

    await _bring_up(db)
    loaded = await load_demo(db)
    return f"The demo shop has {loaded.articles} articles, {loaded.changed} of them new or changed."


@agents.command("create")
def create(
    username: Annotated[str, typer.Option(help="What they sign in with")],
    name: Annotated[str, typer.Option(help="What customers and colleagues see")],
    role: Annotated[Literal["super_admin", "supervisor", "agent", "inspector"], typer.Option()] = "agent",
    password: Annotated[str, typer.Option(help="- reads it from standard input; without it you are asked")] = "",
    max_sessions: Annotated[int, typer.Option(min=1, max=200, help="Conversations they may serve at once")] = 5,
) -> None:
    """Create an account."""
    if password == "-":  # noqa: S105 - the sign for standard input
        password = sys.stdin.readline().rstrip("\r\n")
    elif not password:
        password = typer.prompt("Password", hide_input=True, confirmation_prompt=sys.stdin.isatty())
    if not is_acceptable(password):
        _fail("The password needs 8 to 128 characters, with a letter and a digit.")

    async def add(db: Database) -> str:
        await _bring_up(db)
        hashed = await hash_password(password)
        new = NewAgent(username, name, role, hashed, must_change_password=False, max_sessions=max_sessions)
        async with db.write() as tx:
            return (await create_agent(tx, new)).id

    typer.echo(f"Created {role} {username} ({_on_database(add)})")


@agents.command("unlock")
def unlock(
    username: Annotated[str, typer.Option(help="Whose failed sign-ins are forgotten")] = "",
    address: Annotated[str, typer.Option(help="From where they came")] = "",
) -> None:
    """Let somebody, or everybody at an address, sign in again before the quarter of an hour is over."""
    if not (username or address):
        _fail("Nothing to unlock.\n    → Name a --username, an --address, or both.")

    async def let_in(db: Database) -> None:
        async with db.write() as tx:
            await locks.unlock(tx, username, address)
            known = await password_of(tx, username) if username else None
            place = {"address": address} if address else {}
            audit(tx, "agent.unlocked", ("agent", known.agent_id if known else ""), after=place)

    _on_database(let_in)
    typer.echo(f"{' and '.join(filter(None, (username, address)))} may try again.")


@agents.command("reset-second-factor")
def reset_factor(
    username: Annotated[str, typer.Option(help="Who has lost their phone and the recovery codes")],
) -> None:
    """Let somebody sign in by the password alone again; what they are signed in with ends."""

    async def reset(db: Database) -> None:
        async with db.write() as tx:
            known = await password_of(tx, username)
            if known is None:
                _fail(f"Nobody has the username {username}.")
            await reset_second_factor(tx, known.agent_id)

    _on_database(reset)
    typer.echo(f"{username} signs in by the password alone.")


@jobs.command("dead")
def show_dead() -> None:
    """Show the jobs that were given up, newest first, each with its last error."""

    async def look(db: Database) -> list[str]:
        async with db.read() as tx:
            return [f"{job.id}  {job.kind}  {job.payload}\n    {job.last_error}" for job in await dead(tx)]

    typer.echo("\n".join(_on_database(look)) or "No job was given up.")


@jobs.command("retry")
def retry_dead(job_id: Annotated[int, typer.Argument(metavar="ID", min=1, max=2**62)]) -> None:
    """Bring a job back that was given up; a worker takes it within a second."""

    async def bring_back(db: Database) -> bool:
        async with db.write() as tx:
            is_back = await retry(tx, job_id)
            if is_back:
                audit(tx, "job.retried", ("job", str(job_id)))
        return is_back

    if not _on_database(bring_back):
        _fail(f"No job {job_id} was given up.\n    → kefu jobs dead shows those that were.")
    typer.echo(f"Job {job_id} is due again.")


@search.command("rebuild")
def rebuild_search() -> None:
    """Make the index of the search anew from the log, while everything goes on. Stopped halfway, the worker goes on."""
    from kefu.sessions.indexing import rebuild

    async def make(db: Database) -> int:
        await _bring_up(db)
        followed = 0
        async for followed, there in rebuild(db):
            typer.echo(f"\r{followed:>12,} of {there:,} events  {followed * 100 // there:>3} %", nl=False, err=True)
        typer.echo("", err=True)
        return followed

    typer.echo(f"The search knows {_on_database(make, is_patient=True):,} events.")


@secrets.command("rotate")
def rotate_secrets() -> None:
    """Seal everything again under the first key, while everything goes on. Exit code 1: as of check."""
    _walk_sealed(changes=True)


@secrets.command("check")
def check_secrets() -> None:
    """Say what is sealed with which key. Exit code 1: something is not with the first, or cannot be opened."""
    _walk_sealed(changes=False)


def _walk_sealed(*, changes: bool) -> None:
    from kefu.ops.sealing import Tally, reseal
    from kefu.tables import Table

    tally = Tally()

    async def walk(db: Database) -> None:
        await _bring_up(db)
        async for where, seen in reseal(db, Table.metadata, tally, changes=changes):
            typer.echo(f"\r{seen:>12,} in {where:<30}", nl=False, err=True)
        typer.echo("", err=True)
        if changes:
            async with db.write() as tx:
                audit(tx, "secrets.rotated", ("secrets", db.sealing().kid), after={"values": tally.by_key[0]})

    _on_database(walk, is_patient=True)
    typer.echo(tally.told(load_settings().names_of_field_keys()))
    raise typer.Exit(0 if tally.is_done else 1)


@audits.command("verify")
def verify_audit(
    expect: Annotated[str, typer.Option(metavar="SEQ:HASH", help="A head that you wrote down elsewhere")] = "",
) -> None:
    """Check that the audit log is what was written. Exit code 1, and the first wrong entry, when it is not."""
    from kefu.accounts.verifying import Broken, Head, verify

    try:
        expected = Head.of(expect) if expect else None
    except ValueError:
        _fail("--expect takes SEQ:HASH, as an earlier check printed it.")
    keys = keys_of(load_settings())()

    async def check(db: Database) -> Head:
        await _bring_up(db)
        last = Head(0, "")
        async for last, there in verify(db, keys, expected):
            typer.echo(f"\r{last.seq:>12,} of {there:,} entries", nl=False, err=True)
        return last

    try:
        last = _on_database(check, is_patient=True)
    except Broken as broken:
        typer.secho(f"\n{broken}", err=True, fg="red")
        raise typer.Exit(1) from None
    typer.echo("", err=True)
    typer.echo(
        f"The audit log is what was written: {last.seq:,} entries.\n{last}" if last.seq else "Nothing was written yet."
    )
