"""Redis has what the database has: soon after a commit, and again after everything that may happen to Redis."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from statistics import quantiles

import orjson
import pytest
from bench.reads import time_gets
from fastapi import FastAPI
from prometheus_client import REGISTRY
from redis.asyncio import Redis as Client

from actors import Agent, Stage, Visitor, data_of
from faults.waiting import until
from kefu.kit.config import Settings
from kefu.kit.db import Database
from kefu.kit.redis import Redis
from kefu.kit.sealed import opened_json
from kefu.sessions.fold import blank
from kefu.sessions.mirror import Mirror
from kefu.sessions.models import Session
from kefu.sessions.post import post
from kefu.sessions.redis_store import RedisStore
from kefu.sessions.service import Opening, open_session
from kefu.sessions.since import changed_after
from kefu.sessions.states import Status
from kefu.sessions.store import DatabaseStore, row_of, rows_of

HEALED_WITHIN = 15.0
EXPIRE_SECONDS = 86_400


@pytest.fixture
def settings(database_url: str, redis_url: str, tmp_path: Path) -> Settings:
    return Settings(data_dir=tmp_path, database_url=database_url, redis_url=redis_url, rate_limits="off")


@pytest.fixture
async def raw(redis_url: str) -> AsyncIterator[Client]:
    """Redis as its operator sees it."""
    async with Client.from_url(redis_url) as client:
        yield client


@pytest.fixture
def store(app: FastAPI) -> RedisStore:
    found = app.state.store
    assert isinstance(found, RedisStore)
    return found


def hits() -> float:
    return REGISTRY.get_sample_value("kefu_store_asked_total", {"outcome": "hit"}) or 0


async def equals_the_database(store: RedisStore, db: Database) -> bool:
    """Whether Redis itself, not the database behind it, says of every session and state what is so."""
    truth, before, asked = DatabaseStore(db, EXPIRE_SECONDS), hits(), 0
    equal = True
    for status in Status:
        rows = await truth.list_by_status(status, 1000)
        equal &= [*map(row_of, await store.list_by_status(status, 1000))] == [*map(row_of, rows)]
        equal &= await store.count_by_status(status) == len(rows)
        some = rows[:10]
        for row in some:
            found = await store.get(row.name)
            equal &= found is not None and row_of(found) == row_of(row)
        asked += 2 + len(some)
    equal &= await store.get_stats() == await truth.get_stats()
    return equal and hits() - before == asked + 1


async def healed(store: RedisStore, db: Database) -> float:
    return await until(lambda: equals_the_database(store, db), HEALED_WITHIN)


async def test_what_happens_over_http_is_in_redis(
    stage: Stage, visitor: Visitor, agent: Agent, store: RedisStore, db: Database
) -> None:
    await healed(store, db)
    await visitor.says("hello")
    await visitor.asks_for_a_person()
    other = await stage.visitor()
    await agent.takes_over(other)
    await agent.closes(other)
    await healed(store, db)
    stats = data_of(await agent.get("/api/sessions/stats"))
    assert 0 <= stats.pop("oldest_wait_seconds") < 60
    assert stats == {
        "counts": {"bot_active": 0, "pending_manual": 1, "manual_live": 0, "after_hours_email": 0, "closed": 1},
        "total": 2,
        "waiting": 1,
    }


async def test_a_row_that_is_read_past_the_orm_has_the_same_in_it(db: Database) -> None:
    customer = {"id": "c-7", "name": "梅", "email": "mei@example.com", "verified_by": "token"}
    row = row_of(blank("s-1")) | {"shop": "default", "locale": "zh", "conversation_id": "c", "created_at": 1}
    row |= {"updated_at": 2, "tags": ["t1", "t2"], "customer": customer, "is_vip": True, "email": "m@example.com"}
    assert await DatabaseStore(db, EXPIRE_SECONDS).save(Session(**row))
    [found] = await rows_of(db, ["s-1", "nobody"])
    assert found["is_vip"] is True
    kept = orjson.dumps(found).decode()
    assert "example.com" not in kept
    assert orjson.loads(opened_json(kept, db.sealing)) == row


async def test_who_may_not_read_sessions_gets_no_stats(stage: Stage, visitor: Visitor) -> None:
    assert (await stage.http.get("/api/sessions/stats")).status_code == 401
    assert (await visitor.get("/api/sessions/stats")).status_code == 403


async def test_a_process_reads_what_it_wrote(visitor: Visitor, store: RedisStore, db: Database) -> None:
    await healed(store, db)
    for n in range(20):
        seq = await visitor.says(f"message {n}")
        found = await store.get(visitor.name)
        assert found is not None
        assert found.seq >= seq


async def test_an_emptied_redis_is_filled_again(stage: Stage, store: RedisStore, db: Database, raw: Client) -> None:
    async with db.write() as tx:
        for n in range(450):
            await open_session(tx, Opening(f"old-{n}", "default", "en"))
    await healed(store, db)
    await raw.flushdb()
    visitor = await stage.visitor()
    answer = await stage.http.post(
        "/api/conversation/new", json={"session_id": visitor.name}, headers={"Authorization": f"Bearer {visitor.token}"}
    )
    assert data_of(answer)["session_name"] == visitor.name
    await healed(store, db)


async def test_a_commit_that_nobody_brought_to_redis_is_found(
    visitor: Visitor, store: RedisStore, db: Database
) -> None:
    """As of a process that was killed between the two, or that lost its way to Redis."""
    await healed(store, db)
    await post(db, visitor.name, "from a process that is gone", "gone-1")
    await healed(store, db)


async def test_what_an_old_snapshot_brought_back_is_overwritten(
    visitor: Visitor, store: RedisStore, db: Database, raw: Client
) -> None:
    """Redis restarts with what it had saved some time ago: sessions, sets and the cursor of then."""
    await healed(store, db)
    kept = [key async for key in raw.scan_iter(f"{store.prefix}*") if not key.endswith(b"fresh")]
    snapshot = {key: await raw.dump(key) for key in kept}
    await visitor.says("one more")
    await visitor.asks_for_a_person()
    await healed(store, db)
    await raw.flushdb()
    for key, value in snapshot.items():
        assert value is not None
        await raw.restore(key, 0, value, replace=True)  # the mirror may have been there already
    await healed(store, db)


class EmptiedMeanwhile(Mirror):
    """Redis is emptied in the middle of a comparison."""

    raw: Client

    async def _catch_up(self, heads: list[tuple[str, int]]) -> None:
        await super()._catch_up(heads)
        await self.raw.flushdb()


@pytest.fixture
async def alone(db: Database, redis_url: str) -> AsyncIterator[RedisStore]:
    """A store that only the test's own mirrors look after."""
    redis = Redis(redis_url, 8, "alone")
    yield RedisStore(redis, db, EXPIRE_SECONDS)
    await redis.close()


async def test_a_redis_that_was_emptied_during_a_comparison_is_not_believed(
    alone: RedisStore, db: Database, raw: Client
) -> None:
    async with db.write() as tx:
        session = await open_session(tx, Opening("somebody", "default", "en"))
    broken = EmptiedMeanwhile(alone, db)
    broken.raw = raw
    await Mirror(alone, db).compare()
    await raw.delete(f"{alone.prefix}fresh")
    await raw.delete(f"{alone.prefix}cursor")
    for _ in range(2):  # while it fills, and while it compares
        await broken.compare()
        assert await raw.exists(f"{alone.prefix}fresh") == 0
        before = hits()
        found = await alone.get("somebody")
        assert found is not None
        assert row_of(found) == row_of(session)
        assert (await alone.get_stats()).total == 1
        assert hits() == before
        await Mirror(alone, db).compare()
        await raw.delete(f"{alone.prefix}fresh")


async def test_only_one_of_many_processes_looks_at_a_time(alone: RedisStore, db: Database, raw: Client) -> None:
    looked: list[Mirror] = []

    class Counted(Mirror):
        def _look_back(self) -> int:
            looked.append(self)
            return super()._look_back()

    mirrors = [Counted(alone, db) for _ in range(5)]
    await mirrors[0].compare()
    for mirror in mirrors:
        await mirror.compare()
    assert looked == []
    await raw.delete(f"{alone.prefix}fresh")
    for mirror in mirrors:
        await mirror.compare()
    assert len(looked) == 1


async def test_a_long_transaction_and_a_slow_clock_are_caught_up_with(
    alone: RedisStore, db: Database, raw: Client
) -> None:
    """A row whose time lies before the cursor, as one that was committed long after its clock was read."""
    mirror = Mirror(alone, db)
    await mirror.compare()
    async with db.write() as tx:
        session = await open_session(tx, Opening("slow", "default", "en"))
        session.updated_at -= 40_000
        session.created_at -= 40_000
    for _ in range(10):
        await raw.delete(f"{alone.prefix}fresh")
        await mirror.compare()
    before = hits()
    assert [one.name for one in await alone.list_by_status(Status.BOT_ACTIVE, 10)] == ["slow"]
    assert hits() == before + 1


async def test_pages_of_changes_leave_nobody_out(db: Database) -> None:
    """Also when many changed in the same millisecond."""
    for n in range(25):
        async with db.write() as tx:
            session = await open_session(tx, Opening(f"s-{n}", "default", "en"))
            session.updated_at = 1000 + n // 10
    seen, place = [], (1000, "")
    while True:
        page = await changed_after(db, *place, 7)
        seen += [name for name, _, _ in page]
        if len(page) < 7:
            break
        place = page[-1][2], page[-1][0]
    assert sorted(seen) == sorted(f"s-{n}" for n in range(25))


async def test_sixty_four_readers_are_answered_by_redis(
    alone: RedisStore, db: Database, record_property: Callable[[str, object], None]
) -> None:
    """The figures are for the report; bench/reads.py measures them on an idle machine."""
    async with db.write() as tx:
        names = [(await open_session(tx, Opening(f"s-{n}", "default", "en"))).name for n in range(300)]
    mirror = Mirror(alone, db)
    await mirror.compare()
    mirror.start()
    await time_gets(alone, names, 64, 2)
    before = hits()
    took = await time_gets(alone, names, 64, 50)
    answered = hits() - before
    await mirror.stop()
    record_property("get at 64 readers, p50", f"{quantiles(took, n=100)[49] * 1000:.1f} ms")
    record_property("get at 64 readers, p99", f"{quantiles(took, n=100)[98] * 1000:.1f} ms")
    record_property("answered by Redis", f"{answered:.0f} of {len(took)}")
    assert len(took) == 64 * 50
    assert answered > len(took) / 2
