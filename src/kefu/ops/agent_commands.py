"""`kefu agent …`: the team's accounts."""

import sys
from typing import Annotated, Literal

import typer

from kefu.accounts import locks
from kefu.accounts.audit import audit
from kefu.accounts.passwords import hash_password, is_acceptable
from kefu.accounts.service import NewAgent, create_agent, password_of, reset_second_factor
from kefu.kit.db import Database
from kefu.ops.command_line import bring_up, fail, on_database

agents = typer.Typer(no_args_is_help=True, help="The team's accounts.")


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
        fail("The password needs 8 to 128 characters, with a letter and a digit.")

    async def add(db: Database) -> str:
        await bring_up(db)
        hashed = await hash_password(password)
        new = NewAgent(username, name, role, hashed, must_change_password=False, max_sessions=max_sessions)
        async with db.write() as tx:
            return (await create_agent(tx, new)).id

    typer.echo(f"Created {role} {username} ({on_database(add)})")


@agents.command("unlock")
def unlock(
    username: Annotated[str, typer.Option(help="Whose failed sign-ins are forgotten")] = "",
    address: Annotated[str, typer.Option(help="From where they came")] = "",
) -> None:
    """Let somebody, or everybody at an address, sign in again before the quarter of an hour is over."""
    if not (username or address):
        fail("Nothing to unlock.\n    → Name a --username, an --address, or both.")

    async def let_in(db: Database) -> None:
        async with db.write() as tx:
            await locks.unlock(tx, username, address)
            known = await password_of(tx, username) if username else None
            place = {"address": address} if address else {}
            audit(tx, "agent.unlocked", ("agent", known.agent_id if known else ""), after=place)

    on_database(let_in)
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
                fail(f"Nobody has the username {username}.")
            await reset_second_factor(tx, known.agent_id)

    on_database(reset)
    typer.echo(f"{username} signs in by the password alone.")
