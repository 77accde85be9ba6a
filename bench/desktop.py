"""An agent's browser at the workbench: what it does, and what Chromium's own trace says of it."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median
from typing import Any, Self

import orjson
from playwright.async_api import Browser, CDPSession, Page

from bench.figures import quantile

TRACED = ("devtools.timeline", "disabled-by-default-devtools.timeline", "disabled-by-default-devtools.timeline.frame")
ROW = 78  # pixels
# Pixels a second: 230 rows where they are fetched meanwhile, 385 where they are there.
READING, LEAFING = 18_000, 30_000
LONGEST_WAY = 30
SETTLED = 0.1
WIDTH, HEIGHT = 1440, 900
LONGEST_WAIT = 10_000  # ms

# From what sets it off to the picture: a frame is asked for, and what comes behind it is told after it was drawn.
DRAWN = """
  await new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
  return performance.now() - began;
"""
SWITCH = f"""
async (name) => {{
  const log = () => document.querySelector('[role="log"]');
  const before = log();
  const row = document.querySelector(`[data-name="${{name}}"]`);
  const began = performance.now();
  row.click();
  while (log() === before || !log()?.querySelector("[data-seq]"))
    await new Promise((done) => requestAnimationFrame(done));
  {DRAWN}
}}
"""
GO_TO_A_DAY = f"""
async (day) => {{
  const field = document.querySelector('input[type="date"]');
  const began = performance.now();
  field.value = day;
  field.dispatchEvent(new Event("change"));
  while (!document.querySelector(".found") && performance.now() - began < {LONGEST_WAIT})
    await new Promise((done) => requestAnimationFrame(done));
  {DRAWN}
}}
"""
NEWEST = "(count) => [...document.querySelectorAll('[data-name]')].slice(0, count).map((row) => row.dataset.name)"


@dataclass(frozen=True, slots=True)
class Seen:
    """What the trace says of a stretch of time. `fps`: the median of its whole seconds; the rest in ms.

    `busiest` is what a task of the page's main thread ran at most, of `longest` from its beginning to its end.
    """

    fps: float
    frames: int
    gap: float
    longest: float
    busiest: float


def seen_in(events: Sequence[Any]) -> Seen:
    main = {(one["pid"], one["tid"]) for one in events if one["args"].get("name") == "CrRendererMain"}
    tasks = [one for one in events if one["name"] == "RunTask" and (one["pid"], one["tid"]) in main]
    drawn = sorted(one["ts"] for one in events if one["name"] == "DrawFrame")
    each = Counter((at - drawn[0]) // 1_000_000 for at in drawn)
    return Seen(
        fps=median(each[n] for n in range((drawn[-1] - drawn[0]) // 1_000_000)),
        frames=len(drawn),
        gap=quantile([(after - before) / 1000 for before, after in pairwise(drawn)], 0.95),
        longest=max(one.get("dur", 0) for one in tasks) / 1000,
        busiest=max(one.get("tdur", 0) for one in tasks) / 1000,
    )


class Desktop:
    """The workbench in a window of 1440 × 900, with somebody signed in."""

    def __init__(self, browser: Browser, page: Page, wire: CDPSession) -> None:
        self._browser, self._page, self._wire = browser, page, wire

    @classmethod
    async def open(cls, browser: Browser, address: str, username: str, password: str) -> Self:
        context = await browser.new_context(locale="en-GB", viewport={"width": WIDTH, "height": HEIGHT})
        page = await context.new_page()
        await page.goto(f"{address}/workbench/")
        await page.get_by_label("User name").fill(username)
        await page.get_by_label("Password", exact=True).fill(password)
        await page.get_by_role("button", name="Sign in", exact=True).click()
        await page.get_by_role("tablist").first.wait_for()
        return cls(browser, page, await context.new_cdp_session(page))

    async def loads(self) -> float:
        """Milliseconds until the list is there, with nothing in the browser's cache."""
        await self._wire.send("Network.enable")
        await self._wire.send("Network.setCacheDisabled", {"cacheDisabled": True})
        await self._page.reload()
        await self._page.locator("[data-name]").first.wait_for()
        took = float(await self._page.evaluate("performance.now()"))
        await self._wire.send("Network.setCacheDisabled", {"cacheDisabled": False})
        return took

    async def scrolls_through(self, count: int) -> Seen:
        """Down the list of all sessions, which is read page by page meanwhile, until so many are there."""
        await self._page.get_by_role("tab", name="All").click()
        await self._page.locator("[data-name]").first.wait_for()
        await self._trace()
        for _ in range(LONGEST_WAY):
            await self._scroll(-2 * READING, READING)
            if await self._page.evaluate("document.querySelector('.rows').offsetHeight") >= count * ROW:
                return await self._traced()
        raise RuntimeError(f"the list does not come to {count} sessions")

    async def scrolls_back(self) -> Seen:
        """Up and down again, where all is there."""
        await self._trace()
        await self._scroll(5 * LEAFING, LEAFING)
        await self._scroll(-5 * LEAFING, LEAFING)
        return await self._traced()

    async def newest(self, count: int) -> list[str]:
        """The names of the sessions at the top, all in sight."""
        await self._page.evaluate("document.querySelector('.scroller').scrollTo(0, 0)")
        await self._page.set_viewport_size({"width": WIDTH, "height": count * ROW + 400})
        await self._page.locator("[data-name]").nth(count - 1).wait_for()
        names: list[str] = await self._page.evaluate(NEWEST, count)
        return names

    async def opens(self, name: str) -> float:
        """Milliseconds from the click on the row to the newest messages on the screen."""
        return float(await self._page.evaluate(SWITCH, name))

    async def switches(self, names: Sequence[str]) -> list[float]:
        took = []
        for name in names:
            took.append(await self.opens(name))
            await asyncio.sleep(SETTLED)
        return took

    async def begins_anew(self, name: str) -> None:
        """As a page that has just been loaded: the session in its list, and no conversation in its memory."""
        await self._page.goto(self._page.url.partition("/sessions")[0])
        await self._page.get_by_role("tab", name="All").click()
        await self._page.get_by_label("Search name or message").fill(name)
        await self._page.locator(f'[data-name="{name}"]').wait_for()
        await asyncio.sleep(1)

    async def goes_to(self, day: str) -> float:
        """Milliseconds from the choice of the day to its first message on the screen."""
        await self._page.get_by_role("button", name="Find in this conversation").click()
        await self._page.get_by_label("Go to a day").wait_for()
        return float(await self._page.evaluate(GO_TO_A_DAY, day))

    async def _scroll(self, by: int, speed: int) -> None:
        gesture = {"x": 250, "y": 600, "yDistance": by, "speed": speed, "gestureSourceType": "mouse"}
        await self._wire.send("Input.synthesizeScrollGesture", {**gesture, "preventFling": True})

    async def _trace(self) -> None:
        await self._browser.start_tracing(page=self._page, categories=list(TRACED))

    async def _traced(self) -> Seen:
        return seen_in(orjson.loads(await self._browser.stop_tracing())["traceEvents"])
