"""What every session store promises, on both databases and on Redis before each of them."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TypeVar

import pytest
from redis.asyncio import Redis as Client

from faults.waiting import until
from kefu.kit.clock import now_ms
from kefu.kit.db import Database
from kefu.kit.ids import new_id
from kefu.kit.redis import Redis
from kefu.sessions.fold import blank
from kefu.sessions.models import Session
from kefu.sessions.redis_store import RedisStore
from kefu.sessions.states import Status
from kefu.sessions.store import DatabaseStore, SessionStore, row_of

pytestmark = pytest.mark.parametrize(
    ("database_url", "kind"),
    [("sqlite", "database"), ("postgresql", "database"), ("sqlite", "redis"), ("postgresql", "redis")],
    indirect=["database_url"],
)

EXPIRE_SECONDS = 60
T = TypeVar("T")


class Patient(Redis):
    """So that Redis, and not the database in its place, answers on a busy machine too."""

    async def ask(self, operation: str, call: Callable[[Client], Awaitable[T]], within: float = 10) -> T:
        return await super().ask(operation, call, max(within, 10))


@pytest.fixture
async def store(request: pytest.FixtureRequest, db: Database, kind: str) -> AsyncIterator[SessionStore]:
    if kind == "database":
        yield DatabaseStore(db, EXPIRE_SECONDS)
        return
    redis = Patient(request.getfixturevalue("redis_url"), 8, "a secret")
    store = RedisStore(redis, db, EXPIRE_SECONDS)
    await redis.ask("fresh", lambda client: client.set(f"{store.prefix}fresh", 1))
    yield store
    await redis.close()


def session(status: Status = Status.BOT_ACTIVE, *, ago: int = 0, seq: int = 1, **changes: object) -> Session:
    """One that changed `ago` ms ago."""
    now = now_ms()
    known = {
        "name": new_id("s"),
        "shop": "default",
        "status": status.value,
        "seq": seq,
        "locale": "zh",
        "conversation_id": new_id("conv"),
        "nickname": "访客 7",
        "created_at": now - ago,
        "updated_at": now - ago,
    }
    return Session(**(row_of(blank("")) | known | changes))


def later(old: Session, status: Status, **changes: object) -> Session:
    """The same session one event on."""
    return Session(**(row_of(old) | {"status": status.value, "seq": old.seq + 1, "updated_at": now_ms()} | changes))


async def names(store: SessionStore, status: Status, limit: int = 50, offset: int = 0) -> list[str]:
    return [one.name for one in await store.list_by_status(status, limit, offset)]


async def test_what_is_saved_is_found_with_every_field(store: SessionStore) -> None:
    assert await store.get("nobody") is None
    customer = {"id": "7", "name": '{"sealed":"x"}', "email": "a@b.example", "phone": None}
    kept = session(Status.MANUAL_LIVE, agent_id="a_1", agent_name="梅", last_text="你好 \n", email="a@b.example")
    kept.customer = customer | {"verified_by": None, "doubt": "no_proof"}
    assert await store.save(kept)
    found = await store.get(kept.name)
    assert found is not None
    assert row_of(found) == row_of(kept)


async def test_a_copy_in_redis_holds_no_contacts_in_the_clear(store: SessionStore, kind: str, redis_url: str) -> None:
    kept = session(email="a@b.example")
    kept.customer = {
        "id": "c@d.example",
        "name": "C",
        "email": None,
        "phone": "+4420",
        "verified_by": None,
        "doubt": None,
    }
    await store.save(kept)
    async with Client.from_url(redis_url) as client:
        values = [str(await client.get(key)) async for key in client.scan_iter("*session:*")]
    assert len(values) == (kind == "redis")
    assert not [one for one in values if "b.example" in one or "d.example" in one or "+4420" in one]


async def test_a_stale_write_never_wins(store: SessionStore) -> None:
    old = session(seq=4)
    new = later(old, Status.PENDING_MANUAL, escalated_at=now_ms())
    assert await store.save(new)
    assert not await store.save(old)
    assert not await store.save(new)
    found = await store.get(old.name)
    assert found is not None
    assert (found.seq, found.status) == (5, "pending_manual")
    assert await store.count_by_status(Status.BOT_ACTIVE) == 0


async def test_who_moves_leaves_no_ghost(store: SessionStore) -> None:
    one = session()
    await store.save(one)
    for status in (Status.PENDING_MANUAL, Status.MANUAL_LIVE, Status.CLOSED, Status.BOT_ACTIVE, Status.PENDING_MANUAL):
        one = later(one, status, escalated_at=7)
        await store.save(one)
        assert {each: await names(store, each) for each in Status} == {
            each: [one.name] if each is status else [] for each in Status
        }
        stats = await store.get_stats()
        assert stats.counts == dict.fromkeys(Status, 0) | {status: 1}
        assert stats.oldest_wait == (7 if status is Status.PENDING_MANUAL else None)


async def test_who_is_deleted_is_gone_everywhere(store: SessionStore) -> None:
    one = session(Status.PENDING_MANUAL, escalated_at=7)
    await store.save(one)
    await store.delete(one.name)
    await store.delete(one.name)
    assert await store.get(one.name) is None
    assert await names(store, Status.PENDING_MANUAL) == []
    stats = await store.get_stats()
    assert (stats.total, stats.waiting, stats.oldest_wait) == (0, 0, None)


async def test_the_last_changed_comes_first_page_by_page(store: SessionStore) -> None:
    saved = [session(ago=ago) for ago in (500, 100, 400, 200, 300)]
    for one in saved:
        await store.save(one)
    await store.save(session(Status.CLOSED))
    by_time = [one.name for one in sorted(saved, key=lambda one: -one.updated_at)]
    assert await names(store, Status.BOT_ACTIVE, limit=2) == by_time[:2]
    assert await names(store, Status.BOT_ACTIVE, limit=2, offset=2) == by_time[2:4]
    assert await names(store, Status.BOT_ACTIVE, limit=2, offset=4) == by_time[4:]
    assert await names(store, Status.BOT_ACTIVE, limit=2, offset=6) == []


async def test_counts_and_who_waits_longest(store: SessionStore) -> None:
    for status, since in ((Status.PENDING_MANUAL, 900), (Status.PENDING_MANUAL, 700), (Status.MANUAL_LIVE, 100)):
        await store.save(session(status, escalated_at=since))
    stats = await store.get_stats()
    assert (stats.total, stats.waiting, stats.oldest_wait) == (3, 2, 700)
    assert await store.count_by_status(Status.PENDING_MANUAL) == 2
    assert await store.count_by_status(Status.CLOSED) == 0


async def test_nothing_for_long_is_no_ghost_either(store: SessionStore) -> None:
    """It leaves lists, counts and stats by itself, also when it moved in between."""
    last = EXPIRE_SECONDS * 1000 - 400
    for status in Status:
        await store.save(session(status, ago=last, escalated_at=7))
    moved = session(Status.PENDING_MANUAL, ago=last, escalated_at=7)
    await store.save(moved)

    async def is_over() -> bool:
        return (await store.get_stats()).total == 0

    await until(is_over, 5)
    assert (await store.get_stats()).oldest_wait is None
    assert [await names(store, status) for status in Status] == [[]] * len(Status)
    assert [await store.count_by_status(status) for status in Status] == [0] * len(Status)
    await store.save(later(moved, Status.CLOSED))
    assert await names(store, Status.CLOSED) == [moved.name]
    assert (await store.get_stats()).total == 1
