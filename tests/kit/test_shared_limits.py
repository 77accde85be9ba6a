"""Several processes count together in Redis, and each for itself while it is away."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, suppress

import pytest

from faults.proxy import Proxy
from faults.waiting import until
from kefu.kit.errors import TooMany
from kefu.kit.limits import RATES, Limits
from kefu.kit.redis import Redis


@pytest.fixture
async def wire(redis_url: str) -> AsyncIterator[Proxy]:
    async with Proxy(int(redis_url.rpartition(":")[2].partition("/")[0])) as proxy:
        yield proxy


@pytest.fixture
async def processes(redis_url: str, wire: Proxy) -> AsyncIterator[list[Redis]]:
    host, _, rest = redis_url.rpartition(":")
    url = f"{host}:{wire.port}/{rest.partition('/')[2]}"
    async with AsyncExitStack() as stack:
        found = [Redis(url, 8, "ours") for _ in range(2)]
        for redis in found:
            stack.push_async_callback(redis.close)
        yield found


async def uses(limits: list[Limits], times: int, key: str) -> int:
    """How many of these uses were refused, by turns in each process."""
    refused = 0
    for n in range(times):
        try:
            await limits[n % len(limits)].take("chat", visitor=key, address=key)
        except TooMany as error:
            refused += 1 <= error.details["retry_after"] <= 61
    return refused


async def test_they_count_together(processes: list[Redis], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Redis.ask, "__defaults__", (5.0,))  # how long Redis may take is for other tests
    limits = [Limits(enabled=True, redis=redis) for redis in processes]
    assert await uses(limits, 20, "a") == 0
    assert await uses(limits, 4, "a") == 4
    assert await uses(limits, 20, "b") == 0
    assert not any(redis.is_away for redis in processes)


async def test_who_was_refused_costs_redis_nothing(
    processes: list[Redis], wire: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Redis.ask, "__defaults__", (5.0,))
    limits = [Limits(enabled=True, redis=processes[0])]
    assert await uses(limits, 21, "e") == 1
    wire.hush()
    async with asyncio.timeout(4):
        assert await uses(limits, 100, "e") == 100
    assert not processes[0].is_away


async def test_who_was_refused_is_served_when_their_time_has_come(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(RATES, "search", {"agent": "1/1second"})
    limits = Limits(enabled=True)
    await limits.take("search", agent="f")
    with pytest.raises(TooMany) as refusal:
        await limits.take("search", agent="f")
    assert refusal.value.details["retry_after"] in {1, 2}
    async with asyncio.timeout(20):
        while True:
            with suppress(TooMany):
                await limits.take("search", agent="f")
                break
            await asyncio.sleep(0.05)


async def test_each_counts_for_itself_while_redis_is_away(
    processes: list[Redis], wire: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    limits = [Limits(enabled=True, redis=redis) for redis in processes]
    wire.hush()
    async with asyncio.timeout(10):
        assert await uses(limits, 40, "c") == 0
        assert await uses(limits, 4, "c") == 4
    wire.speak()
    await until(lambda: not any(redis.is_away for redis in processes), 10)
    monkeypatch.setattr(Redis.ask, "__defaults__", (5.0,))
    assert await uses(limits, 20, "d") == 0
    assert await uses(limits, 4, "d") == 4
