"""What the metrics tell of the whole installation is what the database holds, on every process alike."""

from pathlib import Path

import pytest
from cryptography import x509
from fastapi import FastAPI
from sqlalchemy import insert, update

from actors import Stage, Visitor
from certificates import own_certificate
from kefu.ai.books import ModelUsage
from kefu.ai.budget import Books
from kefu.answering.models import BotSettings
from kefu.jobs.models import Job
from kefu.kit.clock import now_ms
from kefu.kit.db import Database
from kefu.kit.metrics import MOST_NAMES, few
from kefu.ops.health import space_of
from kefu.ops.installation import Installation, InstallationReader
from kefu.ops.metrics import certificate_ends
from kefu.shops.models import Shop
from routing.scene import has_waited


@pytest.fixture
def reader(app: FastAPI, db: Database) -> InstallationReader:
    return InstallationReader(db, app.state.hours, "Asia/Shanghai")


async def seen(reader: InstallationReader) -> Installation:
    reader.forget()
    now = await reader.read()
    assert now
    return now


async def test_sessions_queue_and_agents(
    reader: InstallationReader, stage: Stage, visitor: Visitor, db: Database
) -> None:
    before = await seen(reader)
    assert (before.sessions["bot_active"], before.sessions["pending_manual"], before.oldest_wait) == (1, 0, 0.0)
    assert "closed" not in before.sessions
    assert before.agents == 0
    await stage.agent("lin")
    await visitor.asks_for_a_person()
    await has_waited(db, visitor, 400)
    after = await seen(reader)
    assert after.sessions["pending_manual"] == 1
    assert 400 <= after.oldest_wait < 460
    assert (after.agents, after.open_shops) == (1, 1)
    async with db.write() as tx:
        await tx.execute(update(Shop).values(hours={"timezone": "UTC", "week": [[]] * 7, "special": {}}))
    assert (await seen(reader)).open_shops == 0


async def test_jobs_that_wait_and_jobs_given_up(reader: InstallationReader, db: Database) -> None:
    now = now_ms()
    row = {"lane": "idle", "kind": "test", "payload": "{}", "created_at": now}
    async with db.write() as tx:
        await tx.execute(
            insert(Job),
            [
                row | {"run_at": now - 90_000, "is_dead": False, "leased_until": None},
                row | {"run_at": now + 90_000, "is_dead": False, "leased_until": None},
                row | {"run_at": now - 90_000, "is_dead": True, "leased_until": None},
                row | {"run_at": now - 900_000, "is_dead": False, "leased_until": now + 60_000},  # is being done
            ],
        )
    found = await seen(reader)
    assert (found.due["idle"], found.dead["idle"]) == (1, 1)
    assert 90 <= found.oldest_due["idle"] < 150


async def test_the_budget_of_the_shop_that_used_most(reader: InstallationReader, db: Database) -> None:
    today = Books(db, "Asia/Shanghai", {}).today()
    used = {"provider": "openai", "model": "m", "purpose": "answer", "calls": 1}
    async with db.write() as tx:
        budgets = {"shop_day": {"tokens": 100}, "shop_month": {"usd": 10}}
        tx.add(BotSettings(shop="default", budgets=budgets, version=1, updated_at=now_ms(), updated_by=""))
        tx.add(ModelUsage(shop="default", day=today, tokens_in=40, tokens_out=10, cost=2_500_000, **used))
        tx.add(ModelUsage(shop="other", day=today, tokens_in=4000, tokens_out=10, cost=9_500_000, **used))
    assert (await seen(reader)).budgets == {"day": 0.5, "month": 0.25}


async def test_it_is_read_once_however_many_ask(reader: InstallationReader, visitor: Visitor) -> None:
    first = await reader.read()
    await visitor.asks_for_a_person()
    assert await reader.read() is first


def test_names_that_people_choose_stay_few() -> None:
    found = {few("of this test", f"model-{n}") for n in range(3 * MOST_NAMES)}
    assert len(found) == MOST_NAMES + 1
    assert few("of this test", "model-0") == "model-0"
    assert few("of this test", f"model-{MOST_NAMES}") == "other"


def test_the_end_of_a_certificate_is_told_and_one_that_cannot_be_read_has_ended(tmp_path: Path) -> None:
    file = own_certificate(tmp_path / "site.pem", x509.DNSName("shop.example"))
    ends = certificate_ends(file)
    assert ends
    assert 0 < ends - now_ms() / 1000 < 2 * 86_400
    assert certificate_ends(None) is None
    assert certificate_ends(tmp_path / "gone.pem") == 0.0
    file.write_text("no certificate")
    assert certificate_ends(file) == 0.0


def test_the_disk_of_a_folder_that_nobody_made_is_known(tmp_path: Path) -> None:
    assert space_of(tmp_path / "not/there/yet").total == space_of(tmp_path).total
