"""`kefu audit verify`, as the operator runs it."""

import asyncio
from pathlib import Path

import pytest
from sqlalchemy import text
from typer.testing import CliRunner, Result

from kefu.accounts.audit import audit, keys_of, seal_with
from kefu.cli import cli
from kefu.kit.config import Settings
from kefu.kit.db import Database

SECRET = "a-long-secret-of-this-test-0123456789"


@pytest.fixture
def kefu(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CliRunner:
    for name, value in (("DATABASE_URL", database_url), ("JWT_SECRET_KEY", SECRET), ("KEFU_DATA_DIR", str(tmp_path))):
        monkeypatch.setenv(name, value)
    return CliRunner()


def verify(kefu: CliRunner, *words: str) -> Result:
    return kefu.invoke(cli, ["audit", "verify", *words])


async def write(url: str, *statements: str) -> None:
    """Three entries, or these statements as somebody who may do everything."""
    db = Database(url)
    seal_with(db, keys_of(Settings()))
    async with db.write() as tx:
        for statement in statements:
            await tx.execute(text(statement))
        for n in range(0 if statements else 3):
            audit(tx, "thing.changed", ("thing", str(n)))
    await db.close()


def test_it_says_that_all_is_well_and_what_to_write_down(kefu: CliRunner, database_url: str) -> None:
    assert "Nothing was written yet." in verify(kefu).stdout
    asyncio.run(write(database_url))
    result = verify(kefu)
    told, head = result.stdout.splitlines()
    assert (result.exit_code, told) == (0, "The audit log is what was written: 3 entries.")
    assert "3 of 3 entries" in result.stderr
    asyncio.run(write(database_url))
    assert verify(kefu, "--expect", head).exit_code == 0
    assert verify(kefu, "--expect", f"3:{'0' * 64}").exit_code == 1
    assert verify(kefu, "--expect", f"7:{'0' * 64}").exit_code == 1
    for wrong in ("3", "x:y", f"-1:{'0' * 64}", f"x:{'0' * 64}"):
        assert verify(kefu, "--expect", wrong).exit_code == 2


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_it_names_the_first_entry_that_is_not_what_was_written(
    kefu: CliRunner, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asyncio.run(write(database_url))
    monkeypatch.setenv("JWT_SECRET_KEY", "another-secret-of-this-test-9876543210")
    assert "Entry 1 is sealed with the key" in verify(kefu).stderr
    monkeypatch.setenv("JWT_SECRET_KEYS_OLD", f"an-older-one-that-is-long-enough, {SECRET}")
    assert verify(kefu).exit_code == 0
    change = "UPDATE audit_entries SET address = '192.0.2.1' WHERE seq = 2"
    asyncio.run(write(database_url, "DROP TRIGGER audit_entries_no_update", change))
    result = verify(kefu)
    assert (result.exit_code, "Entry 2 is not what was written" in result.stderr) == (1, True)
