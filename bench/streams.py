"""`python -m bench.streams`: a model's answers on their way to visitors, beside the same client at the provider itself.

The whole product answers: policies, search, prompt, masking, books, citations. Writes bench/streams.md. Ends with
1 when a figure misses its bound.
"""

import asyncio
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path.append(str(Path(__file__).parent.parent / "tests"))

import aiohttp
import orjson
import psutil
import uvloop

import bench.report
from bench.figures import Bound, Judged, Table, milliseconds
from bench.report import Report, machine
from bench.stages import HELLO, LIMIT, QUESTION, prompt_of, stages
from kefu.ai.ports import Message
from kefu.answering.models import BotSettings
from kefu.kit.config import Settings
from kefu.kit.db import Database
from kefu.knowledge.service import Content, put_published
from kefu.ops.migrate import upgrade
from kefu.porting.demo import load_demo
from kefu.shops.service import FIRST_SHOP, put_shop
from servers import free_port

FOLDER = Path(__file__).parent
KEFU = str(Path(sys.executable).with_name("kefu"))
AT_50 = {0.5: Bound("at most", 5), 0.99: Bound("at most", 20)}
AT_200 = {0.99: Bound("at most", 150)}
CPU = Bound("at most", 15)
STALLED = Bound("at most", 1.2)
PATIENCE = 120.0
# The shop with the demo's knowledge, and one whose provider hangs.
WELL, STUCK = "demo", "stalled"
RETURNS = Content("en", "Returns", "You can return goods within 14 days.", "returns", questions=[QUESTION])


async def prepare(folder: Path, provider: str) -> tuple[Sequence[Message], Table]:
    """The shops; what their model is asked, and what that takes."""
    db = Database(Settings(data_dir=folder).database)
    await upgrade(db)
    await load_demo(db)
    async with db.write() as tx:
        await put_shop(tx, **FIRST_SHOP | {"id": STUCK})
        await put_published(tx, STUCK, [RETURNS])
        for shop in (WELL, STUCK):
            choice = {"provider": "custom", "url": provider, "model": shop, "version": 1, "updated_by": "bench"}
            tx.add(BotSettings(shop=shop, updated_at=0, coze={}, budgets={"session": LIMIT}, **choice))
    found = await prompt_of(db, WELL), await stages(db, WELL)
    await db.close()
    return found


@contextmanager
def running(*command: str, **settings: str) -> Iterator[psutil.Process]:
    process = subprocess.Popen(command, cwd=FOLDER.parent, env={**os.environ, **settings})
    try:
        yield psutil.Process(process.pid)
    finally:
        process.terminate()
        process.wait(30)


@dataclass(frozen=True, slots=True)
class First:
    """The first delta: seconds from asking until the provider sent it, and on its way from there."""

    sent: float
    way: float

    @property
    def seen(self) -> float:
        return self.sent + self.way


def first_of(asked_at: int, text: str) -> First:
    now, sent_at = time.monotonic_ns(), int(text.partition(";")[0])
    return First((sent_at - asked_at) / 1e9, (now - sent_at) / 1e9)


class Load:
    """Visitors of Kefu at `address`, and readers of the provider itself, who ask what Kefu's bot asks."""

    def __init__(self, http: aiohttp.ClientSession, address: str, provider: str, prompt: Sequence[Message]) -> None:
        self._http, self._address, self._provider = http, address, provider
        messages = [{"role": one.role, "content": one.content} for one in prompt]
        self._body = {"model": WELL, "stream": True, "messages": messages}

    async def direct(self) -> First:
        began, first = time.monotonic_ns(), None
        async with self._http.post(f"{self._provider}/chat/completions", json=self._body) as answer:
            async for frame in _frames(answer):
                first = first or first_of(began, frame["choices"][0]["delta"]["content"])
        assert first
        return first

    async def visit(self, shop: str) -> "Visit":
        async with self._http.post(f"{self._address}/api/conversation/new", json={"shop": shop}) as answer:
            opened = await answer.json()
        visit = Visit(self._http, f"{self._address}/api/sessions/{opened['session_name']}", opened["visitor_token"])
        visit.watching = asyncio.create_task(visit.watch())
        return visit


class Visit:
    """Says hello, which needs no model, and asks when that is answered."""

    watching: asyncio.Task[First]

    def __init__(self, http: aiohttp.ClientSession, place: str, token: str) -> None:
        self._http, self._place = http, place
        self._headers = {"Authorization": f"Bearer {token}"}
        self._asked_at = 0
        self.is_greeted = asyncio.Event()

    async def ask(self) -> None:
        self._asked_at = time.monotonic_ns()
        await self._post(QUESTION, "2")

    async def _post(self, text: str, client_msg_id: str) -> None:
        body = {"content": text, "client_msg_id": client_msg_id}
        async with self._http.post(f"{self._place}/messages", json=body, headers=self._headers) as answer:
            assert answer.status == 201, await answer.text()

    async def watch(self) -> First:
        """Until the answer stands there whole, with the passages that say it."""
        first = None
        async with self._http.get(f"{self._place}/events", headers=self._headers) as answer:
            async for frame in _frames(answer):
                what = frame["type"]
                if what == "stream.ready":
                    await self._post(HELLO, "1")
                elif what == "answer.delta" and self._asked_at:
                    first = first or first_of(self._asked_at, frame["text"])
                elif what == "message.posted" and frame["role"] == "assistant" and first is None:
                    self.is_greeted.set()
                elif what == "message.posted" and first is not None:
                    assert frame["sources"], frame
                    return first
        raise AssertionError("no answer")


async def _frames(answer: aiohttp.ClientResponse) -> AsyncIterator[Any]:
    async for line in answer.content:
        if line.startswith(b"data: {"):
            yield orjson.loads(line[6:])


async def spread(count: int) -> None:
    """So that `count` begin within the second that an answer takes, and not in one instant."""
    await asyncio.sleep(1 / count)


async def visits(load: Load, count: int, shop: str = WELL) -> list[Visit]:
    found = [await load.visit(shop) for _ in range(count)]
    async with asyncio.timeout(PATIENCE):
        for one in found:
            await one.is_greeted.wait()
    return found


async def answers(found: Sequence[Visit]) -> list[First]:
    asking = []
    for one in found:
        asking.append(asyncio.create_task(one.ask()))
        await spread(len(found))
    await asyncio.gather(*asking)
    async with asyncio.timeout(PATIENCE):
        return list(await asyncio.gather(*(one.watching for one in found)))


async def direct(load: Load, count: int) -> list[First]:
    reading = []
    for _ in range(count):
        reading.append(asyncio.create_task(load.direct()))
        await spread(count)
    return list(await asyncio.gather(*reading))


async def overhead(load: Load, process: psutil.Process, count: int) -> tuple[list[Judged], list[str]]:
    """Readers of the provider, then as many visitors; CPU is counted while these are answered."""
    own = await direct(load, count)
    found = await visits(load, count)
    before = sum(process.cpu_times()[:2])
    told = await answers(found)
    cpu = (sum(process.cpu_times()[:2]) - before) / count * 1000
    ways = [one.way for one in own], [one.way for one in told]
    name, judged = f"{count} streams", list[Judged]()
    for share, bound in (AT_50 if count == 50 else AT_200).items():
        later = milliseconds(ways[1], share) - milliseconds(ways[0], share)
        judged.append(Judged("sqlite", f"{name}: first delta later, p{share * 100:g}", later, "ms", bound))
    judged.append(Judged("sqlite", f"{name}: CPU per answer", cpu, "ms", CPU))
    columns = *ways, [one.sent for one in told], [one.seen for one in told]
    figures = [f"{milliseconds(one, share):.1f}" for one in columns for share in (0.5, 0.99)]
    return judged, [name, *figures, f"{cpu:.1f}"]


async def beside_a_stalled_one(load: Load) -> tuple[Judged, list[str]]:
    """100 visitors by themselves, and the same while 100 others wait for a provider that hangs; twice each."""
    alone, beside = list[float](), list[float]()
    for _ in range(2):
        alone += [one.seen for one in await answers(await visits(load, 100))]
    stuck = await visits(load, 100, STUCK)
    await asyncio.gather(*(one.ask() for one in stuck))
    await asyncio.sleep(0.5)
    for _ in range(2):
        beside += [one.seen for one in await answers(await visits(load, 100))]
    assert not any(one.watching.done() for one in stuck), "they do not wait"
    for one in stuck:
        one.watching.cancel()
    share = milliseconds(beside, 0.95) / milliseconds(alone, 0.95)
    judged = Judged("sqlite", "100 beside 100 at a stalled provider: p95 of the first delta", share, "x", STALLED)
    return judged, [f"{milliseconds(one, share):.1f}" for one in (alone, beside) for share in (0.5, 0.95)]


async def run(folder: Path) -> Report:
    port, at = free_port(), free_port()
    provider, address = f"http://127.0.0.1:{at}", f"http://127.0.0.1:{port}"
    prompt, alone = await prepare(folder, provider)
    settings = {"KEFU_DATA_DIR": str(folder), "OUTBOUND_ALLOW": "127.0.0.1/32", "RATE_LIMITS": "off"}
    settings["LOG_LEVEL"] = "warning"
    async with AsyncExitStack() as stack:
        stack.enter_context(running(sys.executable, "-m", "bench.provider", str(at)))
        process = stack.enter_context(running(KEFU, "serve", "--port", str(port), **settings))
        connector = aiohttp.TCPConnector(limit=0)
        http = await stack.enter_async_context(aiohttp.ClientSession(connector=connector, read_bufsize=2**18))
        async with asyncio.timeout(60):
            await _answering(http, address)
        load = Load(http, address, provider, prompt)
        await answers(await visits(load, 20))  # what is done once in a process is done
        few, few_row = await overhead(load, process, 50)
        many, many_row = await overhead(load, process, 200)
        stalled, stalled_row = await beside_a_stalled_one(load)
    ways = ("direct way p50", "p99", "Kefu's way p50", "p99", "until sent p50", "p99", "until seen p50", "p99", "CPU")
    beside = ("alone p50", "alone p95", "beside p50", "beside p95")
    tables = [
        Table("The first delta, in ms", ("", *ways), [few_row, many_row]),
        Table("From asking to the first delta beside a stalled provider, in ms", beside, [stalled_row]),
        alone,
    ]
    return Report([*few, *many, stalled], tables, machine())


async def _answering(http: aiohttp.ClientSession, address: str) -> None:
    while True:
        try:
            await (await http.get(f"{address}/health")).read()
        except aiohttp.ClientError:
            await asyncio.sleep(0.1)
        else:
            return


LEGEND = """\
200 deltas 5 ms apart from a provider on this machine, which says what the first passage of its prompt says; Kefu with
SQLite and the demo shop, the provider and who reads share its cores. The whole product answers: policies, search, a
prompt with history and masked contact data, budgets, citations checked; an answer without its passages fails the run.
The first delta carries the moment it was sent. *Way*: from there to the reader, *direct* to the same client at the
provider itself, *Kefu's* through client, unmasking, bus, hub and event stream; *later* is the difference.
*Until sent*: from the visitor's message on, with storing it, the job, the 10 ms in which further messages are waited
for, and what the last table shows; *until seen*: both. CPU is the service's, from the question to the whole answer.
The bounds are for an idle machine."""


def run_all() -> int:
    with tempfile.TemporaryDirectory(prefix="kefu-streams-") as folder:
        report = uvloop.run(run(Path(folder)))
    page = report.page().replace("# Bench", "# Answers on their way", 1).replace(bench.report.LEGEND, LEGEND)
    (FOLDER / "streams.md").write_text(page, "utf-8")
    print(report.lines())
    return 1 if report.missed else 0


if __name__ == "__main__":
    sys.exit(run_all())
