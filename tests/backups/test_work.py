"""Backups that are made by themselves, and how old the last one is."""

from pathlib import Path

import httpx2
import pytest
from fastapi import FastAPI
from pydantic import SecretStr

from faults.waiting import until
from jobs.work import rows
from kefu.backups.place import Place
from kefu.backups.sealed import Key
from kefu.backups.work import Backups, RunBackup
from kefu.jobs.queue import ensure, take
from kefu.kit.config import Settings
from kefu.kit.db import Database

KEY = "8f0c2a61d97e4b35a1c6e08d52f7b94310aa5c7d2e9f4b68"
pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> Settings:
    return Settings(
        data_dir=tmp_path,
        database_url=database_url,
        rate_limits="off",
        backup_to=tmp_path / "backups",
        backup_secret=SecretStr(KEY),
    )


async def test_the_running_service_backs_up_by_itself_and_says_when_it_did(
    app: FastAPI, client: httpx2.AsyncClient, db: Database
) -> None:
    settings: Settings = app.state.settings
    assert settings.backup_to
    place = Place(settings.backup_to, Key(KEY))
    name = "kefu_backup_last_success_timestamp_seconds"

    async def is_told() -> bool:
        return f'{name}{{part="database"}}' in (await client.get("/api/metrics")).text

    await until(is_told, 30)
    (only,) = place.names()
    text = (await client.get("/api/metrics")).text
    (line,) = [line for line in text.splitlines() if line.startswith(f"{name}{{")]
    assert float(line.rpartition(" ")[2]) == place.manifest(only).began / 1000

    async def is_due_again() -> bool:
        (job,) = [job for job in await rows(db) if job.kind == RunBackup.kind]
        return job.leased_until is None and job.run_at - job.created_at >= 4 * 60_000

    await until(is_due_again, 15)


async def test_who_turned_it_off_has_none(db: Database, tmp_path: Path) -> None:
    async with db.write() as tx:
        await ensure(tx, RunBackup(), RunBackup.kind)
    (job,) = await take(db, "bulk", "me", 1)
    await Backups(db, Settings(data_dir=tmp_path, database_url=db.url))(job)
    assert await rows(db) == []
