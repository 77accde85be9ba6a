"""Sessions in which nothing happens are closed by the system, once, and never under a visitor who writes."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from sqlalchemy import update

from faults.waiting import until
from jobs.work import let_pauses_pass, rows
from kefu.jobs.queue import Taken, ensure, take
from kefu.kit.clock import now_ms
from kefu.kit.config import Settings
from kefu.kit.db import Database
from kefu.main import create_app
from kefu.sessions import idle
from kefu.sessions.fold import fold_all
from kefu.sessions.idle import close_idle, close_some
from kefu.sessions.models import Session
from kefu.sessions.post import post
from kefu.sessions.service import post_by_visitor
from kefu.sessions.states import Status
from kefu.sessions.work import CloseIdle
from kefu.workers import bulk_worker
from sessions.records import all_of, bring_to, columns_of, log_of, open_session, row_of

DAY = timedelta(days=1)


@pytest.fixture
async def other(database_url: str) -> AsyncIterator[Database]:
    """As another process has it."""
    db = Database(database_url)
    yield db
    await db.close()


async def let_pass(db: Database, seconds: float, *names: str) -> None:
    """As if nothing had happened in these sessions for so long."""
    async with db.write() as tx:
        silent = update(Session).where(Session.name.in_(names))
        await tx.execute(silent.values(updated_at=Session.updated_at - int(seconds * 1000)))


async def taken(db: Database) -> Taken:
    """The recurring work, under a lease."""
    async with db.write() as tx:
        await ensure(tx, CloseIdle(), CloseIdle.kind)
    await let_pauses_pass(db)
    return next(job for job in await take(db, "bulk", "test", 10) if job.kind == CloseIdle.kind)


async def test_a_day_without_an_event_closes_a_session_in_any_state_and_a_minute_less_does_not(db: Database) -> None:
    """Except where somebody left an address: an answer is owed, however long the weekend."""
    for status in Status:
        for age in ("old", "young"):
            await open_session(db, f"{status}-{age}")
            await bring_to(db, f"{status}-{age}", status)
    await let_pass(db, 86_401, *(f"{status}-old" for status in Status))
    await let_pass(db, 86_340, *(f"{status}-young" for status in Status))
    before = {status: await all_of(db, f"{status}-old") for status in Status}
    await close_idle(db, DAY, await taken(db))
    for status in Status:
        assert (await row_of(db, f"{status}-young"))["status"] == status
        row, log = await all_of(db, f"{status}-old")
        was, earlier = before[status]
        if status in {Status.CLOSED, Status.AFTER_HOURS_EMAIL}:
            assert (row, log) == (was, earlier)
            continue
        closed = log[len(earlier)]
        assert (len(log), closed.type, closed.audience, closed.actor) == (
            len(earlier) + 1,
            "session.closed",
            "public",
            '{"kind":"system"}',
        )
        assert closed.facts == {"reason": "idle", "from": status, "to": "closed", "epoch": was["epoch"] + 1}
        assert (row["status"], row["epoch"], row["agent_id"]) == ("closed", was["epoch"] + 1, None)
        assert columns_of(fold_all(f"{status}-old", log)) == row


async def test_many_are_closed_in_one_run_and_the_work_is_due_again_in_a_minute(
    db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(idle, "BATCH", 4)
    names = [f"s-{n}" for n in range(10)]
    for name in names:
        await open_session(db, name)
    await let_pass(db, 90_000, *names)
    await close_idle(db, DAY, await taken(db))
    assert {(await row_of(db, name))["status"] for name in names} == {"closed"}
    (job,) = [row for row in await rows(db) if row.kind == CloseIdle.kind]
    assert 50_000 < job.run_at - now_ms() <= 60_000


async def test_two_workers_close_each_session_once(db: Database, other: Database) -> None:
    names = [f"s-{n}" for n in range(120)]
    for name in names:
        await open_session(db, name)
    await let_pass(db, 90_000, *names)
    before = now_ms() - 86_400_000

    async def close_all(door: Database) -> int:
        closed = 0
        for _ in range(12):
            async with door.write() as tx:
                closed += await close_some(tx, before)
        return closed

    shares = await asyncio.gather(*(close_all(door) for door in (db, other, db, other)))
    assert sum(shares) == len(names)
    for name in names:
        assert [one.type for one in await log_of(db, name)] == ["session.opened", "session.closed"]


async def close_once(db: Database) -> int:
    async with db.write() as tx:
        return await close_some(tx, now_ms() - 86_400_000)


async def test_a_message_that_is_being_stored_keeps_the_session_open(db: Database, other: Database) -> None:
    await open_session(db, "s")
    await let_pass(db, 90_000, "s")
    async with other.write() as tx:
        await post_by_visitor(tx, "s", "still there?", "m")
        closing = asyncio.create_task(close_once(db))
        await asyncio.sleep(0.1)
    assert await closing == 0
    assert [one.type for one in await log_of(db, "s")] == ["session.opened", "message.posted"]


async def test_a_message_at_the_same_moment_keeps_the_session_open_or_reopens_it(db: Database, other: Database) -> None:
    for n in range(40):
        name = f"s-{n}"
        await open_session(db, name)
        await let_pass(db, 90_000, name)

        closing, writing = close_once(db), post(other, name, "still there?", "m")
        await asyncio.gather(*([closing, writing] if n % 2 else [writing, closing]))
        row, log = await all_of(db, name)
        types = [one.type for one in log[1:]]
        assert types in (["message.posted"], ["session.closed", "session.reopened", "message.posted"])
        assert (row["status"], row["last_visitor_seq"]) == ("bot_active", len(log))
        assert [one.seq for one in log] == list(range(1, len(log) + 1))
        assert columns_of(fold_all(name, log)) == row


async def test_the_process_of_an_embedded_database_closes_them_and_elsewhere_the_worker(
    settings: Settings, db: Database
) -> None:
    await open_session(db, "s")
    await let_pass(db, 90_000, "s")

    async def is_closed() -> bool:
        return bool((await row_of(db, "s"))["status"] == Status.CLOSED)

    app = create_app(settings)
    async with app.router.lifespan_context(app):
        if db.is_sqlite:
            await until(is_closed, 20)
        else:
            worker = bulk_worker(db, settings)
            left = "close_idle" not in {job.key for job in await rows(db)}
            assert left, "the app processes of PostgreSQL leave it to the worker"
            worker.start()
            await until(is_closed, 20)
            await worker.stop()
    assert "close_idle" in [job.key for job in await rows(db)]
