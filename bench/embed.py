"""`python -m bench.embed`: what the one line costs a shop's page before anybody touches the chat.

Exit code 1 when a figure misses its bound.

Chromium loads the same page with and without the line, by turns, in a context of its own each time, and traces what its
main thread does until the page has been quiet for a while. The script comes from another origin, as it does in a shop.
"""

import gzip
import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from statistics import median
from threading import Thread
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright

LOADER = Path(__file__).parents[1] / "src/kefu/static/sdk/fiido-kefu.js"
REPORT = Path(__file__).with_name("embed.md")
ROUNDS, MOST_SECONDS = 9, 48
QUIET_MS = 2_500  # longer than the loader waits for an idle moment
MOST_MS, MOST_BYTES = 20.0, 6 * 1024
ROWS = "".join(f"<li><h3>Bike {n}</h3><p>{'A good bike. ' * 20}</p></li>" for n in range(200))
PAGE = f"""<!doctype html><html lang="en"><head><meta charset="utf-8"><title>A shop</title>
<link rel="icon" href="data:,"></head><body><h1>A shop</h1><ul>{ROWS}</ul>%s</body></html>"""
BEFORE = """
window.shifts = 0; window.namesBefore = null; window.namesBefore = new Set(Object.keys(window));
new PerformanceObserver((list) => { for (const one of list.getEntries()) window.shifts += one.value; })
  .observe({ type: "layout-shift", buffered: true });
"""
AFTER = """() => ({
  shifts: window.shifts,
  names: Object.keys(window).filter((name) => !namesBefore.has(name)).sort(),
  cookies: document.cookie,
  hosts: document.querySelectorAll("#fiido-kefu").length,
  frames: frames.length,
})"""


@dataclass(frozen=True)
class Visit:
    """`busy_ms`, `longest_ms`: all tasks of the page's main thread, the longest; `requests`: to the loader's site."""

    busy_ms: float
    longest_ms: float
    requests: int
    found: dict[str, Any]


@contextmanager
def site(pages: dict[str, tuple[str, bytes]]) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            kind, content = pages.get(self.path, ("text/plain", b""))
            self.send_response(200 if content else 404)
            self.send_header("Content-Type", kind)
            if kind == "text/javascript":
                self.send_header("Content-Encoding", "gzip")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
            """Says nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def visit(browser: Browser, url: str, script: str) -> Visit:
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    page = context.new_page()
    asked = list[str]()
    page.on("request", lambda request: asked.append(request.url))
    page.add_init_script(BEFORE)
    page.goto("about:blank")
    browser.start_tracing(page=page, categories=["toplevel", "__metadata"])
    page.goto(url)
    page.wait_for_timeout(QUIET_MS)
    found = page.evaluate(AFTER)
    busy, longest = _main_thread(browser.stop_tracing(), page)
    context.close()
    return Visit(busy, longest, len([one for one in asked if one.startswith(script)]), found)


def _main_thread(trace: bytes, page: Page) -> tuple[float, float]:
    """Milliseconds of all tasks on the page's main thread, and of the longest one.

    Of the processor: what else a machine does meanwhile is not the page's.
    """
    events = json.loads(trace)["traceEvents"]
    mains = {
        (one["pid"], one["tid"])
        for one in events
        if one["name"] == "thread_name" and one["args"].get("name") == "CrRendererMain"
    }
    assert mains, page.url
    tasks = [
        one.get("tdur", 0) / 1000
        for one in events
        if one["ph"] == "X" and (one["pid"], one["tid"]) in mains and one["name"] == "ThreadControllerImpl::RunTask"
    ]
    return sum(tasks), max(tasks)


def measure() -> tuple[list[Visit], list[Visit]]:
    """Without and with the line."""
    script = gzip.compress(LOADER.read_bytes(), 9)
    with site({"/sdk/fiido-kefu.js": ("text/javascript", script)}) as kefu:
        line = f'<script async src="{kefu}/sdk/fiido-kefu.js" data-shop="demo"></script>'
        pages = {"/without": ("text/html", (PAGE % "").encode()), "/with": ("text/html", (PAGE % line).encode())}
        with site(pages) as shop, sync_playwright() as play:
            browser = play.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox", "--disable-gpu"])
            found = by_turns(browser, shop, kefu)
            browser.close()
    return found


def by_turns(browser: Browser, shop: str, kefu: str) -> tuple[list[Visit], list[Visit]]:
    visit(browser, f"{shop}/with", kefu)  # the first one warms the browser up
    found: tuple[list[Visit], list[Visit]] = ([], [])
    ends = time.monotonic() + MOST_SECONDS
    while len(found[0]) < ROUNDS and time.monotonic() < ends:
        for visits, path in zip(found, ("/without", "/with"), strict=True):
            visits.append(visit(browser, f"{shop}{path}", kefu))
    return found


def rows_of(without: list[Visit], with_it: list[Visit]) -> list[tuple[str, str, str, bool]]:
    """What was measured, its value, its bound, and whether it holds; the worst visit counts where one is enough."""
    size = len(gzip.compress(LOADER.read_bytes(), 9))
    added = median(one.busy_ms for one in with_it) - median(one.busy_ms for one in without)
    requests = max(one.requests for one in with_it)
    shifts, frames = (max(one.found[name] for one in with_it) for name in ("shifts", "frames"))
    names = sorted({name for one in with_it for name in one.found["names"]})
    cookies = any(one.found["cookies"] for one in with_it)
    assert all(one.found["hosts"] == 1 for one in with_it), "the chat did not come"
    return [
        ("script, gzipped", f"{size} bytes", f"≤ {MOST_BYTES}", size <= MOST_BYTES),
        ("requests before anybody touches it", f"{requests}", "1", requests == 1),
        ("main thread, added", f"{added:.1f} ms", f"≤ {MOST_MS:g} ms", added <= MOST_MS),
        ("layout shift", f"{shifts:g}", "0", shifts == 0),
        ("frames loaded", f"{frames}", "0", frames == 0),
        ("names on the window", ", ".join(names), "these two", names == ["FiidoChat", "FiidoKefu"]),
        ("cookies", "some" if cookies else "none", "none", not cookies),
    ]


def report(without: list[Visit], with_it: list[Visit], rows: list[tuple[str, str, str, bool]]) -> str:
    lines = [f"| {what} | {value} | {bound} | {'yes' if holds else 'NO'} |" for what, value, bound, holds in rows]
    busy = [median(one.busy_ms for one in visits) for visits in (without, with_it)]
    longest = [median(one.longest_ms for one in visits) for visits in (without, with_it)]
    return "\n".join(
        [
            "# What the one line costs a shop's page",
            "",
            f"`python -m bench.embed`: {len(with_it)} visits of each kind, by turns.",
            "",
            "| what | measured | bound | holds |",
            "|---|---|---|---|",
            *lines,
            "",
            f"Processor time of the page's main thread until {QUIET_MS / 1000:g} s after its load, median:",
            f"{busy[0]:.1f} ms without the line, {busy[1]:.1f} ms with it; its longest task {longest[0]:.1f} and",
            f"{longest[1]:.1f} ms.",
            "",
        ]
    )


def main() -> int:
    without, with_it = measure()
    rows = rows_of(without, with_it)
    REPORT.write_text(report(without, with_it, rows), encoding="utf-8")
    sys.stdout.write(REPORT.read_text(encoding="utf-8"))
    return 0 if all(holds for *_, holds in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
