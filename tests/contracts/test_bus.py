"""What every bus promises: to this process at once, to the others soon, in order, and never in anybody's way."""

import asyncio
import struct
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest

from faults.proxy import Proxy
from faults.waiting import until
from kefu.bus import redis as wires
from kefu.bus.local import LocalBus
from kefu.bus.ports import Bus, Notice
from kefu.bus.redis import QUEUE_LIMIT, RedisBus, pack, unpack
from kefu.kit.redis import Redis

PATIENCE = 10.0


def notice(seq: int, data: bytes = b'{"type":"x"}', stream: str = "session/s") -> Notice:
    return Notice(stream, seq, data, public=seq % 2 == 0, type="message.posted")


async def redis_bus(stack: AsyncExitStack, url: str, whose: str = "ours") -> RedisBus:
    """A bus as another process has one, which hears already."""
    redis = Redis(url, 8, whose)
    stack.push_async_callback(redis.close)
    bus = RedisBus(redis)
    bus.start()
    stack.push_async_callback(bus.stop)
    async with asyncio.timeout(PATIENCE):
        await bus.hears.wait()
    return bus


@pytest.fixture
async def stack() -> AsyncIterator[AsyncExitStack]:
    async with AsyncExitStack() as stack:
        yield stack


@pytest.fixture(params=["local", "redis"])
async def bus(request: pytest.FixtureRequest, stack: AsyncExitStack) -> Bus:
    if request.param == "local":
        return LocalBus()
    return await redis_bus(stack, request.getfixturevalue("redis_url"))


def heard_by(bus: Bus) -> list[Notice]:
    heard: list[Notice] = []
    bus.listen(heard.append)
    return heard


async def test_every_listener_hears_at_once_and_in_order(bus: Bus) -> None:
    first, second = heard_by(bus), heard_by(bus)
    sent = [notice(seq) for seq in range(100)]
    for one in sent:
        bus.publish(one)
    assert first == second == sent


async def test_nobody_hears_a_notice_twice(bus: Bus) -> None:
    heard = heard_by(bus)
    bus.publish(notice(1))
    await asyncio.sleep(0.2)
    assert heard == [notice(1)]


async def test_publishing_more_than_can_be_sent_neither_waits_nor_fails(bus: Bus) -> None:
    heard = heard_by(bus)
    began = time.monotonic()
    for seq in range(QUEUE_LIMIT + 1000):
        bus.publish(notice(seq))
    assert time.monotonic() - began < 5
    assert len(heard) == QUEUE_LIMIT + 1000


async def test_other_processes_hear_it_in_order_and_byte_for_byte(stack: AsyncExitStack, redis_url: str) -> None:
    one, other = await redis_bus(stack, redis_url), await redis_bus(stack, redis_url)
    heard, own = heard_by(other), heard_by(one)
    sent = [
        notice(2**40, '{"type":"answer.delta","text":"电池 🔋"}'.encode(), "session/" + "n" * 80),
        notice(0, b"", "desk"),
        notice(7, b"x" * 400_000),
        *(notice(seq) for seq in range(3000)),
    ]
    for n, each in enumerate(sent):
        one.publish(each)
        if n % 100 == 0:
            await asyncio.sleep(0)
    await until(lambda: len(heard) >= len(sent), PATIENCE)
    other.publish(notice(9))
    await until(lambda: len(own) > len(sent), PATIENCE)
    assert heard == [*sent, notice(9)]
    assert own == [*sent, notice(9)]


async def test_another_installation_on_the_same_redis_hears_nothing(stack: AsyncExitStack, redis_url: str) -> None:
    one, same = await redis_bus(stack, redis_url), await redis_bus(stack, redis_url)
    foreign = await redis_bus(stack, redis_url, "theirs")
    elsewhere = await redis_bus(stack, redis_url.rpartition("/")[0] + "/15")
    heard, unheard = heard_by(same), [*map(heard_by, (foreign, elsewhere))]
    one.publish(notice(1))
    await until(lambda: bool(heard), PATIENCE)
    await asyncio.sleep(0.1)
    assert unheard == [[], []]


@pytest.mark.parametrize("how", ["cut", "silent"])
async def test_it_hears_again_and_says_that_there_was_a_gap(
    stack: AsyncExitStack, redis_url: str, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wires, "BEAT_SECONDS", 0.2)
    monkeypatch.setattr(wires, "SILENCE_SECONDS", 1.0)
    port = int(redis_url.rpartition(":")[2].partition("/")[0])
    wire = await stack.enter_async_context(Proxy(port))
    one = await redis_bus(stack, redis_url)
    other = await redis_bus(stack, redis_url.replace(f":{port}/", f":{wire.port}/"))
    heard, gaps = heard_by(other), list[float]()
    other.on_gap(lambda: gaps.append(time.monotonic()))
    if how == "cut":
        wire.cut_all()
    else:
        wire.hush()
    one.publish(notice(1))
    other.publish(notice(2))
    await until(lambda: not other.hears.is_set(), PATIENCE)
    wire.speak()
    await until(lambda: bool(gaps), PATIENCE)
    one.publish(notice(3))
    await until(lambda: notice(3) in heard, PATIENCE)


def test_a_packet_that_is_none_is_refused() -> None:
    whole = pack(notice(1)) + pack(notice(2))
    assert list(unpack(whole)) == [notice(1), notice(2)]
    for end in (3, len(whole) - 1):
        with pytest.raises((struct.error, ValueError)):
            list(unpack(whole[:end]))
