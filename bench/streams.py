"""`python -m bench.streams`: a model's answers on their way to visitors, beside the same client at the provider itself.

Writes bench/streams.md. Exit code 1 when a figure misses its bound.
"""

import asyncio
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack, contextmanager
from hashlib import sha256
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
from kefu import cli, main
from kefu.ai.ports import Ask, Finished, Message, ModelOf, Piece
from kefu.answering.models import BotSettings
from kefu.answering.ports import Answer, Delta, Evidence, Speech, Turn
from kefu.kit.config import Settings
from kefu.kit.db import Database
from kefu.ops.migrate import upgrade
from kefu.shops.service import FIRST_SHOP, put_shop
from servers import free_port

FOLDER = Path(__file__).parent
AT_50 = {0.5: Bound("at most", 5), 0.99: Bound("at most", 20)}
AT_200 = {0.99: Bound("at most", 150)}
CPU = Bound("at most", 15)
STALLED = Bound("at most", 1.2)
PATIENCE = 120.0
SHOPS = ("well", "stalled")


class PlainAnswerer:
    """Says what the shop's model says, and nothing of its own: the way is measured, not the prompt."""

    def __init__(self, model_of: ModelOf) -> None:
        self.model_of = model_of

    async def answer(self, turn: Turn) -> Speech:
        model = await self.model_of(turn.shop)
        assert model
        text, end = "", None
        async for one in model.stream(Ask([Message("user", turn.question)], turn.session_name, "answer")):
            if isinstance(one, Piece):
                text += one.text
                yield Delta(one.text)
            else:
                end = one
        assert isinstance(end, Finished)
        digest = sha256(turn.question.encode()).hexdigest()
        evidence = Evidence(end.provider, end.model, 0, (), digest, end.usage.tokens_out, 0.0, 0, answered=True)
        yield Answer(text, answered=True, sources=(), evidence=evidence)


def kefu(port: int) -> None:
    """`kefu serve` with that answerer, in this process."""
    main.answerer_of = lambda _, __, models: PlainAnswerer(models)  # type: ignore[assignment]  # names do not matter here
    cli.serve(host="127.0.0.1", port=port)


async def prepare(folder: Path, provider: str) -> None:
    db = Database(Settings(data_dir=folder).database)
    await upgrade(db)
    async with db.write() as tx:
        for shop in SHOPS:
            await put_shop(tx, **FIRST_SHOP | {"id": shop})
            choice = {"provider": "custom", "url": provider, "model": shop, "version": 1, "updated_by": "bench"}
            tx.add(BotSettings(shop=shop, updated_at=0, mask_pii=False, coze={}, budgets={}, **choice))
    await db.close()


@contextmanager
def running(*command: str, **settings: str) -> Iterator[psutil.Process]:
    process = subprocess.Popen([sys.executable, "-m", *command], cwd=FOLDER.parent, env={**os.environ, **settings})
    try:
        yield psutil.Process(process.pid)
    finally:
        process.terminate()
        process.wait(30)


class Load:
    """Visitors of Kefu at `address`, and readers of the provider itself."""

    def __init__(self, http: aiohttp.ClientSession, address: str, provider: str) -> None:
        self._http, self._address, self._provider = http, address, provider

    async def direct(self) -> tuple[float, float]:
        """Seconds that the first delta was on its way, and from asking to it."""
        began = time.monotonic_ns()
        body = {"model": "well", "stream": True, "messages": [{"role": "user", "content": "Hello"}]}
        first, sent = 0, 0
        async with self._http.post(f"{self._provider}/chat/completions", json=body) as answer:
            async for line in answer.content:
                if not first and line.startswith(b"data: "):
                    first, sent = time.monotonic_ns(), _sent(orjson.loads(line[6:])["choices"][0]["delta"]["content"])
        assert first
        return (first - sent) / 1e9, (first - began) / 1e9

    async def visit(self, shop: str) -> "Visit":
        async with self._http.post(f"{self._address}/api/conversation/new", json={"shop": shop}) as answer:
            opened = await answer.json()
        return Visit(self._http, f"{self._address}/api/sessions/{opened['session_name']}", opened["visitor_token"])


class Visit:
    def __init__(self, http: aiohttp.ClientSession, place: str, token: str) -> None:
        self._http, self._place = http, place
        self._headers = {"Authorization": f"Bearer {token}"}
        self._asked_at = 0
        self.is_open = asyncio.Event()

    async def post(self) -> None:
        self._asked_at = time.monotonic_ns()
        body = {"content": "Hello", "client_msg_id": "1"}
        async with self._http.post(f"{self._place}/messages", json=body, headers=self._headers) as answer:
            assert answer.status == 201, await answer.text()

    async def watch(self) -> tuple[float, float]:
        """As `direct`, when the whole answer is there."""
        first, sent = 0, 0
        async with self._http.get(f"{self._place}/events", headers=self._headers) as answer:
            async for frame in _frames(answer):
                if frame["type"] == "stream.ready":
                    self.is_open.set()
                if frame["type"] == "answer.delta" and not first:
                    first, sent = time.monotonic_ns(), _sent(frame["text"])
                if frame["type"] == "message.posted" and frame["role"] == "assistant":
                    break
        return (first - sent) / 1e9, (first - self._asked_at) / 1e9


async def _frames(answer: aiohttp.ClientResponse) -> AsyncIterator[Any]:
    async for line in answer.content:
        if line.startswith(b"data: "):
            yield orjson.loads(line[6:])


def _sent(text: str) -> int:
    return int(text.partition(";")[0])


async def spread(count: int) -> None:
    """So that `count` begin within the second that an answer takes, and not in one instant."""
    await asyncio.sleep(1 / count)


async def answers(load: Load, count: int, shop: str = "well") -> list[tuple[float, float]]:
    visits = [await load.visit(shop) for _ in range(count)]
    watching = [asyncio.create_task(one.watch()) for one in visits]
    for one in visits:
        await one.is_open.wait()
    posting = []
    for one in visits:
        posting.append(asyncio.create_task(one.post()))
        await spread(count)
    await asyncio.gather(*posting)
    async with asyncio.timeout(PATIENCE):
        return list(await asyncio.gather(*watching))


async def direct(load: Load, count: int) -> list[tuple[float, float]]:
    reading = []
    for _ in range(count):
        reading.append(asyncio.create_task(load.direct()))
        await spread(count)
    return list(await asyncio.gather(*reading))


async def overhead(load: Load, process: psutil.Process, count: int) -> tuple[list[Judged], list[str]]:
    bare = await direct(load, count)
    before = sum(process.cpu_times()[:2])
    told = await answers(load, count)
    cpu = (sum(process.cpu_times()[:2]) - before) / count * 1000
    way, own = [one[0] for one in told], [one[0] for one in bare]
    name, judged = f"{count} streams", list[Judged]()
    for share, bound in (AT_50 if count == 50 else AT_200).items():
        later = milliseconds(way, share) - milliseconds(own, share)
        judged.append(Judged("sqlite", f"{name}: first delta later, p{share * 100:g}", later, "ms", bound))
    judged.append(Judged("sqlite", f"{name}: CPU per answer", cpu, "ms", CPU))
    asked = [one[1] for one in told]
    figures = [(one, share) for one in (own, way, asked) for share in (0.5, 0.99)]
    return judged, [name, *(f"{milliseconds(one, share):.1f}" for one, share in figures), f"{cpu:.1f}"]


async def beside_a_stalled_one(load: Load) -> tuple[Judged, list[str]]:
    """100 visitors by themselves, and the same while 100 others wait for a provider that hangs."""
    alone = [one[1] for one in await answers(load, 100)]
    stuck = [await load.visit("stalled") for _ in range(100)]
    await asyncio.gather(*(one.post() for one in stuck))
    await asyncio.sleep(0.5)
    beside = [one[1] for one in await answers(load, 100)]
    share = milliseconds(beside, 0.95) / milliseconds(alone, 0.95)
    judged = Judged("sqlite", "100 beside 100 at a stalled provider: p95 of the first delta", share, "x", STALLED)
    return judged, [f"{milliseconds(one, share):.1f}" for one in (alone, beside) for share in (0.5, 0.95)]


async def run(folder: Path) -> Report:
    port, at = free_port(), free_port()
    provider, address = f"http://127.0.0.1:{at}", f"http://127.0.0.1:{port}"
    await prepare(folder, provider)
    settings = {"KEFU_DATA_DIR": str(folder), "OUTBOUND_ALLOW": "127.0.0.1/32", "RATE_LIMITS": "off"}
    settings["LOG_LEVEL"] = "warning"
    async with AsyncExitStack() as stack:
        stack.enter_context(running("bench.provider", str(at)))
        process = stack.enter_context(running("bench.streams", "kefu", str(port), **settings))
        connector = aiohttp.TCPConnector(limit=0)
        http = await stack.enter_async_context(aiohttp.ClientSession(connector=connector, read_bufsize=2**18))
        async with asyncio.timeout(60):
            await _answering(http, address)
        load = Load(http, address, provider)
        await answers(load, 20)  # what is done once in a process is done
        few, few_row = await overhead(load, process, 50)
        many, many_row = await overhead(load, process, 200)
        stalled, stalled_row = await beside_a_stalled_one(load)
    columns = ("", "direct p50", "direct p99", "Kefu p50", "Kefu p99", "from asking p50", "from asking p99", "CPU")
    tables = [
        Table("The first delta on its way, in ms", columns, [few_row, many_row]),
        Table(
            "Beside a stalled provider, in ms", ("alone p50", "alone p95", "beside p50", "beside p95"), [stalled_row]
        ),
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
200 deltas 5 ms apart from a provider on this machine; Kefu with SQLite, the provider and who reads share its cores.
The first delta carries the moment it was sent: *direct* is how long it took to the same client at the provider itself,
*Kefu* through client, bus, hub and event stream, *from asking* from the visitor's message on, with storing it, the job
and the 10 ms in which further messages are waited for. CPU is the service's, for a whole answer.
The bounds are for an idle machine."""


def run_all(arguments: Sequence[str]) -> int:
    if arguments[:1] == ["kefu"]:
        kefu(int(arguments[1]))
        return 0
    with tempfile.TemporaryDirectory(prefix="kefu-streams-") as folder:
        report = uvloop.run(run(Path(folder)))
    page = report.page().replace("# Bench", "# Answers on their way", 1).replace(bench.report.LEGEND, LEGEND)
    (FOLDER / "streams.md").write_text(page, "utf-8")
    for one in report.missed:
        print(f"✗ {one.what} is {one.value:.3g} {one.unit}, must be {one.bound.sense} {one.bound.limit:g}")
    return 1 if report.missed else 0


if __name__ == "__main__":
    sys.exit(run_all(sys.argv[1:]))
