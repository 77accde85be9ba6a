"""The operator's verbs about work, and about who is locked out."""

import asyncio
from pathlib import Path

import pytest
from sqlalchemy import text, update
from typer.testing import CliRunner, Result

from audit.audited import entries
from jobs.work import put, rows
from kefu.accounts import locks
from kefu.accounts.locks import Attempt
from kefu.cli import cli
from kefu.jobs.models import Job
from kefu.kit.config import BadSettings
from kefu.kit.db import Database
from kefu.kit.errors import Locked
from kefu.ops.migrate import newest_migration

MEI = Attempt.of("mei", "192.0.2.7")


@pytest.fixture
def kefu(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CliRunner:
    monkeypatch.setenv("DATABASE_URL", database_url)
    monkeypatch.setenv("KEFU_DATA_DIR", str(tmp_path))
    return CliRunner()


def run(kefu: CliRunner, *words: str) -> Result:
    return kefu.invoke(cli, words)


async def give_up(url: str) -> int:
    """Leave a dead job; its id."""
    db = Database(url)
    await put(db, 7)
    async with db.write() as tx:
        await tx.execute(update(Job).values(is_dead=True, attempts=8, last_error="it rained"))
    (job,) = await rows(db)
    await db.close()
    return job.id


async def is_dead(url: str) -> bool:
    db = Database(url)
    (job,) = await rows(db)
    await db.close()
    return job.is_dead


async def audited(url: str) -> list[tuple[str, str, str]]:
    db = Database(url)
    found = [(one.action, one.actor_role, one.object_id) for one in await entries(db)]
    await db.close()
    return found


def test_a_job_that_was_given_up_is_shown_and_brought_back(kefu: CliRunner, database_url: str) -> None:
    assert "No job was given up." in run(kefu, "jobs", "dead").output
    number = asyncio.run(give_up(database_url))
    shown = run(kefu, "jobs", "dead").output
    assert all(part in shown for part in (str(number), "count", '{"upto":7}', "it rained"))
    assert run(kefu, "jobs", "retry", str(number)).exit_code == 0
    assert not asyncio.run(is_dead(database_url))
    assert asyncio.run(audited(database_url)) == [("job.retried", "system", str(number))]
    again = run(kefu, "jobs", "retry", str(number))
    assert (again.exit_code, f"No job {number} was given up." in again.output) == (2, True)
    assert run(kefu, "jobs", "retry", "nonsense").exit_code == 2


async def set_migration(url: str, to: str) -> None:
    db = Database(url)
    async with db.write() as tx:
        await tx.execute(text("UPDATE alembic_version SET version_num = :to"), {"to": to})
    await db.close()


def test_it_says_what_a_migration_would_do_and_lets_a_newer_schema_be(kefu: CliRunner, database_url: str) -> None:
    assert run(kefu, "migrate", "--check").output == "The database is up to date.\n"
    try:
        asyncio.run(set_migration(database_url, "0029"))
        due = run(kefu, "migrate", "--check")
        assert due.exit_code == 1
        assert "The database has schema 0029. To be done:\n0030  How the chat of each shop looks" in due.output
        assert due.output.endswith("The database needs a migration. Run: kefu migrate\n")
        asyncio.run(set_migration(database_url, "9999"))
        for words in (("migrate", "--check"), ("migrate",), ("search", "rebuild")):
            ahead = run(kefu, *words)
            assert ahead.exit_code == 0
            assert "schema 9999, of a newer release" in ahead.output
    finally:  # which no emptying of this worker's database does
        asyncio.run(set_migration(database_url, newest_migration()))


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_worker_beside_an_embedded_database_is_refused_with_the_remedy(kefu: CliRunner) -> None:
    refused = run(kefu, "worker").exception
    assert isinstance(refused, BadSettings)
    assert "kefu serve does this work" in str(refused)


def test_the_search_is_made_anew(kefu: CliRunner) -> None:
    result = run(kefu, "search", "rebuild")
    assert (result.exit_code, result.stdout) == (0, "The search knows 0 events.\n")


async def fail(url: str) -> None:
    """Five failed sign-ins of mei from one address."""
    db = Database(url)
    async with db.write() as tx:
        trial = await locks.trial(tx, MEI)
        for _ in range(locks.FAILURES):
            trial.failed()
    await db.close()


async def is_locked(url: str) -> bool:
    db = Database(url)
    try:
        async with db.read() as tx:
            await locks.refuse_locked(tx, MEI)
    except Locked:
        return True
    finally:
        await db.close()
    return False


def test_an_operator_lets_in_who_is_locked_out(kefu: CliRunner, database_url: str) -> None:
    asyncio.run(fail(database_url))
    assert run(kefu, "agent", "unlock", "--username", "MEI").exit_code == 0
    assert asyncio.run(is_locked(database_url))
    assert run(kefu, "agent", "unlock", "--address", "192.0.2.7").output == "192.0.2.7 may try again.\n"
    assert not asyncio.run(is_locked(database_url))
    assert run(kefu, "agent", "unlock").exit_code == 2


def test_an_operator_resets_a_second_factor(kefu: CliRunner) -> None:
    assert "Nobody has the username mei." in run(kefu, "agent", "reset-second-factor", "--username", "mei").output
    create = ("agent", "create", "--username", "mei", "--name", "Mei", "--password", "correct-horse-7")
    assert run(kefu, *create).exit_code == 0
    reset = run(kefu, "agent", "reset-second-factor", "--username", "mei")
    assert (reset.exit_code, reset.output) == (0, "mei signs in by the password alone.\n")
