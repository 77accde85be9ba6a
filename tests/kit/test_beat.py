"""What recurs comes at the same moments, whenever each began."""

import asyncio

from kefu.kit.beat import beat, next_beat, rung


async def test_who_begins_later_is_woken_with_the_others() -> None:
    loop, together = asyncio.get_running_loop(), list[float]()

    async def wait_after(pause: float) -> None:
        await asyncio.sleep(pause)
        together.append(next_beat(60))
        await beat(0.3)

    begun = loop.time()
    await asyncio.gather(*(wait_after(pause) for pause in (0, 0.01, 0.03)))
    assert len({round(one, 6) for one in together}) <= 2, "two where a minute ended meanwhile"
    assert all(begun < one < begun + 64 for one in together)


async def test_a_beat_is_not_taken_twice_though_its_timer_is_early() -> None:
    coming = next_beat(10)
    assert next_beat(10) in {coming, coming + 10}
    loop = asyncio.get_running_loop()
    was = loop.time()
    for _ in range(3):
        await beat(0.1)
    assert loop.time() - was > 0.19, "three moments are at least two pauses apart"


async def test_a_ring_is_heard_at_once_and_the_beat_comes_without_one() -> None:
    ring = asyncio.Event()
    assert await rung(ring, 0.1) is False
    asyncio.get_running_loop().call_later(0.05, ring.set)
    async with asyncio.timeout(20):
        assert await rung(ring, 3600) is True
