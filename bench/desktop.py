"""An agent's browser at the workbench, watched from outside: what Chromium's own trace says of it."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median
from typing import Any

import orjson
from playwright.async_api import Browser, CDPSession, Page

from bench.figures import quantile

# Tasks of the page's main thread, and what became of each frame that was to be drawn.
TRACED = ("devtools.timeline", "disabled-by-default-devtools.timeline", "disabled-by-default-devtools.timeline.frame")
TALL = 78
SPEED = 9_000  # pixels a second: 115 rows

# From the click to the picture: a frame is asked for, and what comes behind it is told after it was drawn.
SWITCH = """
async (name) => {
  const log = () => document.querySelector('[role="log"]');
  const before = log();
  const row = document.querySelector(`[data-name="${name}"]`);
  const began = performance.now();
  row.click();
  while (log() === before || !log()?.querySelector("[data-seq]"))
    await new Promise((done) => requestAnimationFrame(done));
  await new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
  return performance.now() - began;
}
"""


@dataclass(frozen=True, slots=True)
class Seen:
    """What a trace says of a stretch of time: frames that were shown, and the page's longest task (ms)."""

    fps: float
    frames: int
    longest_task: float


@dataclass(frozen=True, slots=True)
class Loaded:
    kilobytes: float
    ready_ms: float


class Desktop:
    def __init__(self, browser: Browser, page: Page, wire: CDPSession) -> None:
        self._browser, self.page, self._wire = browser, page, wire

    @classmethod
    async def open(cls, browser: Browser, address: str, username: str, password: str) -> "Desktop":
        context = await browser.new_context(locale="en-GB", viewport={"width": 1440, "height": 900})
        page = await context.new_page()
        await page.goto(f"{address}/workbench/")
        await page.get_by_label("User name").fill(username)
        await page.get_by_label("Password", exact=True).fill(password)
        await page.get_by_role("button", name="Sign in", exact=True).click()
        await page.get_by_role("tablist").first.wait_for()
        return cls(browser, page, await context.new_cdp_session(page))

    async def first_load(self) -> Loaded:
        """With nothing in the browser's cache."""
        sizes: dict[str, float] = {}
        kinds: dict[str, str] = {}
        self._wire.on("Network.responseReceived", lambda e: kinds.__setitem__(e["requestId"], e["type"]))
        self._wire.on("Network.loadingFinished", lambda e: sizes.__setitem__(e["requestId"], e["encodedDataLength"]))
        await self._wire.send("Network.enable")
        await self._wire.send("Network.setCacheDisabled", {"cacheDisabled": True})
        await self.page.reload()
        await self.page.locator("[data-name]").first.wait_for()
        ready = await self.page.evaluate("performance.now()")
        await self._wire.send("Network.setCacheDisabled", {"cacheDisabled": False})
        await self._wire.send("Network.disable")
        total = sum(size for of, size in sizes.items() if kinds.get(of) in {"Script", "Stylesheet"})
        return Loaded(total / 1000, ready)

    async def scrolls_through(self, count: int) -> Seen:
        await self.page.get_by_role("tab", name="All").click()
        await self.page.locator("[data-name]").first.wait_for()
        await self._trace()
        for _ in range(30):
            await self._scroll(-30_000)
            tall = await self.page.evaluate("document.querySelector('.rows').offsetHeight")
            if tall >= count * TALL:
                break
        print("tall", tall)
        return await self._traced()

    async def scrolls_back(self) -> Seen:
        await self._trace()
        await self._scroll(120_000, 30_000)
        await self._scroll(-120_000, 30_000)
        return await self._traced()

    async def _scroll(self, by: int, speed: int = SPEED) -> None:
        await self._wire.send(
            "Input.synthesizeScrollGesture",
            {"x": 250, "y": 600, "yDistance": by, "speed": speed, "gestureSourceType": "mouse", "preventFling": True},
        )

    async def newest(self, count: int) -> list[str]:
        await self.page.evaluate("document.querySelector('.scroller').scrollTo(0, 0)")
        await asyncio.sleep(0.5)
        await self.page.set_viewport_size({"width": 1440, "height": 2000})
        await asyncio.sleep(0.5)
        return await self.page.evaluate(
            "(n) => [...document.querySelectorAll('[data-name]')].slice(0, n).map((row) => row.dataset.name)", count
        )

    async def switches(self, names: list[str]) -> list[float]:
        took = []
        for name in names:
            took.append(await self.page.evaluate(SWITCH, name))
            await asyncio.sleep(0.15)
        return took

    async def begins_anew(self, name: str) -> None:
        """As a page that has just been loaded, with the session in its list and no conversation in its memory."""
        await self.page.goto(self.page.url.partition("/sessions")[0])
        await self.page.get_by_role("tab", name="All").click()
        await self.page.get_by_label("Search name or message").fill(name)
        await self.page.locator(f'[data-name="{name}"]').wait_for()
        await asyncio.sleep(1)

    async def opens(self, name: str) -> float:
        return float(await self.page.evaluate(SWITCH, name))

    async def _trace(self) -> None:
        await self._browser.start_tracing(page=self.page, categories=list(TRACED))

    async def _traced(self) -> Seen:
        return seen_in(orjson.loads(await self._browser.stop_tracing())["traceEvents"])


def seen_in(events: Sequence[Any]) -> Seen:
    """`fps`: the median of the whole seconds between the first and the last frame."""
    main = {(one["pid"], one["tid"]) for one in events if one["args"].get("name") == "CrRendererMain"}
    tasks = [one["dur"] / 1000 for one in events if one["name"] == "RunTask" and (one["pid"], one["tid"]) in main]
    busy = [
        one.get("tdur", 0) / 1000 for one in events if one["name"] == "RunTask" and (one["pid"], one["tid"]) in main
    ]
    drawn = sorted(one["ts"] for one in events if one["name"] == "DrawFrame")
    each = Counter((at - drawn[0]) // 1_000_000 for at in drawn)
    seconds = [each[n] for n in range((drawn[-1] - drawn[0]) // 1_000_000)]
    gaps = [(b - a) / 1000 for a, b in pairwise(drawn)]
    print(
        seconds,
        "gaps",
        quantile(gaps, 0.5),
        quantile(gaps, 0.95),
        max(gaps),
        "tasks",
        sorted(tasks)[-5:],
        sorted(busy)[-5:],
    )
    return Seen(median(seconds), len(drawn), max(tasks))
