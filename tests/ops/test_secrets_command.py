"""`kefu secrets`, as the operator runs it."""

import asyncio
from pathlib import Path

import pytest
from sqlalchemy import select
from typer.testing import CliRunner

from kefu.accounts.models import AuditEntry
from kefu.cli import cli
from kefu.kit.config import Settings
from kefu.kit.db import Database
from kefu.kit.sealed import UNREADABLE, sealing_of
from kefu.log.log import VISITOR
from kefu.sessions.service import Opening, locked, moved, open_session, record
from kefu.sessions.states import Move
from kefu.shops.service import first_shop
from sessions.records import row_of

SECRET, NEWER = "a-long-secret-of-this-test-0123456789", "another-long-one-of-this-test-98765"


@pytest.fixture
def kefu(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CliRunner:
    for name, value in (("DATABASE_URL", database_url), ("JWT_SECRET_KEY", SECRET), ("KEFU_DATA_DIR", str(tmp_path))):
        monkeypatch.setenv(name, value)
    return CliRunner()


async def leave(url: str, name: str) -> None:
    """Somebody leaves an address."""
    db = Database(url)
    db.seal_with(sealing_of(Settings()))
    async with db.write() as tx:
        await first_shop(tx)
        await open_session(tx, Opening(name, "default", "en"))
        session = await locked(tx, name)
        await record(tx, session, moved(session, Move.DEFER, VISITOR, reason="manual", email="anna@example.com"))
    await db.close()


async def email(url: str, name: str) -> str:
    db = Database(url)
    db.seal_with(sealing_of(Settings()))
    found: str = (await row_of(db, name))["email"]
    await db.close()
    return found


async def audited(url: str) -> list[tuple[str, str | None]]:
    db = Database(url)
    async with db.read() as tx:
        found = [(one.action, one.after) for one in await tx.scalars(select(AuditEntry))]
    await db.close()
    return found


def run(kefu: CliRunner, verb: str) -> tuple[int, list[str]]:
    result = kefu.invoke(cli, ["secrets", verb])
    return result.exit_code, result.stdout.splitlines()


def test_keys_are_changed_in_four_steps_and_it_says_when_the_old_one_may_go(
    kefu: CliRunner, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    only = "No other key is needed to open anything."
    assert run(kefu, "check") == (0, ["0 values are sealed with JWT_SECRET_KEY.", only])
    asyncio.run(leave(database_url, "one"))
    monkeypatch.setenv("FIELD_KEYS", NEWER)
    asyncio.run(leave(database_url, "two"))
    of_each = ["2 values are sealed with FIELD_KEYS, number 1.", "2 values are sealed with JWT_SECRET_KEY."]
    todo = ["Still needed to open them: JWT_SECRET_KEY.", "    → kefu secrets rotate"]
    assert run(kefu, "check") == (1, [*of_each, *todo])
    done = ["4 values are sealed with FIELD_KEYS, number 1.", "0 values are sealed with JWT_SECRET_KEY.", only]
    assert run(kefu, "rotate") == run(kefu, "rotate") == run(kefu, "check") == (0, done)
    assert asyncio.run(audited(database_url)) == [("secrets.rotated", '{"values":4}')] * 2
    monkeypatch.setenv("JWT_SECRET_KEY", "signs-tokens-and-opens-nothing-000111")
    assert [asyncio.run(email(database_url, name)) for name in ("one", "two")] == ["anna@example.com"] * 2
    monkeypatch.delenv("FIELD_KEYS")
    assert asyncio.run(email(database_url, "one")) == UNREADABLE
    code, told = run(kefu, "rotate")
    assert (code, told[1:4:2]) == (
        1,
        [
            "2 values of events.payload open with none of these keys.",
            "2 values of sessions.email open with none of these keys.",
        ],
    )
    monkeypatch.setenv("FIELD_KEYS", NEWER)
    assert asyncio.run(email(database_url, "one")) == "anna@example.com"
