"""Killed with -9 in the middle of a packet, a document, proposals, a reading and a golden run; then without room.

Afterwards each of them is there once and whole. What finds no room on the disk is refused in words, leaves nothing
behind, and works again when there is room.
"""

import asyncio
import resource
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2
import orjson
import psutil
import pytest
from sqlalchemy import func, select

from accounts.team import bearer
from actors import Agent, Stage, Visitor, code_of, data_of
from ai.openai_wire import openai
from ai.provider import OWN, Heard, Provider, Reply, provider
from assisting.test_model_reading import MODEL, judge
from documents.samples import pdf
from documents.test_documents import DOCUMENTS, READING, brings, has_published, hits
from faults.process import Kefu, KefuWorker
from faults.waiting import until
from files.sending import on_disk, uploads
from jobs.work import let_leases_pass
from kefu.assisting.models import Suggestion
from kefu.assisting.packet import Packet
from kefu.files.models import File
from kefu.kit.db import Database
from kefu.knowledge.models import Article, Document, Passage
from kefu.log.log import read
from kefu.sessions.fold import fold_all
from kefu.sessions.models import stream_of
from kefu.shops.service import first_shop
from quality.shelf import Shelf
from sessions.records import all_of, columns_of

PATIENCE = 60.0
REPLIES = {"replies": [{"text": "The battery is fully charged after four hours.", "passages": [1]}]}
WORDS = {"wants": "A new battery", "next_step": "Ask for the order", "mood": "negative", "mood_sure": 0.8}
# How the model is told what it is asked for.
PURPOSES = {"Sum this conversation up": "packet", "Propose three to five": "suggest", "Judge each": "analyse"}


class Model:
    """Answers as it is asked to, or, while it `holds`, hears and says nothing."""

    def __init__(self) -> None:
        self.holds = False
        self.heard: Counter[str] = Counter()

    async def __call__(self, heard: Heard, reply: Reply) -> None:
        rules = heard.body["messages"][0]["content"]
        purpose = next((name for words, name in PURPOSES.items() if words in rules), "answer")
        self.heard[purpose] += self.holds
        if self.holds:
            await asyncio.sleep(PATIENCE)
        await reply.stream(openai([_answer(purpose, heard)]))


def _answer(purpose: str, heard: Heard) -> str:
    if purpose == "answer":
        return "The battery is fully charged after four hours. [1]"
    return orjson.dumps({"packet": WORDS, "suggest": REPLIES}.get(purpose) or judge(heard)).decode()


@pytest.fixture
async def model() -> AsyncIterator[tuple[Model, Provider]]:
    own = Model()
    async with provider(own) as there:
        yield own, there


@pytest.fixture
async def installation(database_url: str, tmp_path: Path, model: tuple[Model, Provider]) -> AsyncIterator[list[Kefu]]:
    """What runs on the database, each with the same folder for files."""
    settings = {
        "KEFU_DATA_DIR": str(tmp_path / "data"),
        "AI_SERVICE_PROVIDER": "custom",
        "AI_SERVICE_URL": model[1].url,
        "AI_MODEL": "small",
        "OUTBOUND_ALLOW": OWN[0],
    }
    kinds = (Kefu,) if database_url.startswith("sqlite") else (Kefu, KefuWorker)
    processes = []
    for kind in kinds:
        home = tmp_path / kind.__name__
        home.mkdir()
        processes.append(kind(home, database_url, **settings))
    await asyncio.gather(*(one.start() for one in processes))
    yield processes
    for one in processes:
        await one.kill()


class Scene:
    """What is begun and held in its middle."""

    def __init__(self, db: Database, model: Model, lead: Agent, mei: Agent) -> None:
        self.db, self.model, self.lead, self.mei = db, model, lead, mei
        self.asking: Visitor
        self.held: Visitor
        self.document: dict[str, Any]
        self.run: str

    async def set_up(self) -> None:
        bot = data_of(await self.lead.get("/api/shops/default/bot"))
        data_of(await self.lead.put("/api/shops/default/bot", bot | {"reads_messages": True}))
        shelf = await Shelf(self.lead, self.db).filled()
        await shelf.guards("How long does charging take?", "battery")
        self.asking, self.held = await self.lead.stage.visitor(), await self.lead.stage.visitor()
        await self.mei.takes_over(self.held)

    async def begin(self, reader: Kefu) -> psutil.Process:
        """Everything is in its middle then; the document's reader, which is returned, stands still there."""
        self.model.holds = True
        self.document = data_of(await brings(self.lead, pdf()), 201)
        child = await _reading_in(reader)
        child.suspend()
        self.run = data_of(await self.lead.post("/api/golden/runs", {"shop": "default"}), 202)["id"]
        await self.held.says("How long does charging take?")
        wanted = {"answer", "suggest", "analyse"}
        await until(lambda: wanted <= self.model.heard.keys(), PATIENCE)
        await self.asking.asks_for_a_person()
        await until(lambda: self.model.heard["packet"] > 0, PATIENCE)
        return child

    async def is_done(self) -> bool:
        help_ = data_of(await self.mei.get(f"/api/sessions/{self.held.name}/help"))
        packet = data_of(await self.mei.get(f"/api/sessions/{self.asking.name}/help"))["packet"]
        run = data_of(await self.lead.get(f"/api/golden/runs/{self.run}"))
        document = data_of(await self.lead.get(f"{DOCUMENTS}/{self.document['id']}"))
        read = [one["intent"]["source"] for one in help_["analyses"]]
        return bool(help_["suggestions"] and packet and run["finished_at"]) and (document["status"], read) == (
            "read",
            [MODEL],
        )


async def _reading_in(kefu: Kefu) -> psutil.Process:
    """The process that reads a document there, as soon as there is one."""
    found: list[psutil.Process] = []

    def is_there() -> bool:
        children = psutil.Process(kefu.pid).children(recursive=True)
        found[:] = [one for one in children if READING in one.cmdline()]
        return bool(found)

    await until(is_there, PATIENCE)
    return found[0]


async def check_middle(scene: Scene) -> None:
    """Nothing half done is to be seen."""
    async with scene.db.read() as tx:
        assert await tx.scalar(select(func.count()).select_from(Article).where(Article.kind == "document")) == 0
        assert await tx.scalar(select(func.count()).select_from(Suggestion)) == 0
        assert await tx.scalar(select(func.count()).select_from(File)) == 0
        types = [one.type for one in await read(tx, stream_of(scene.asking.name), public_only=False)]
    assert (types.count("session.escalated"), types.count("handoff.packet")) == (1, 0)


async def check_end(scene: Scene) -> None:
    """Each thing once, and whole."""
    for visitor in (scene.asking, scene.held):
        row, log = await all_of(scene.db, visitor.name)
        assert columns_of(fold_all(visitor.name, log)) == row
    async with scene.db.read() as tx:
        public = [one.type for one in await read(tx, stream_of(scene.asking.name), public_only=True)]
        log = await read(tx, stream_of(scene.asking.name), public_only=False)
        sets = (await tx.execute(select(Suggestion.for_seq, Suggestion.at).distinct())).all()
        (article,) = await tx.scalars(select(Article).where(Article.kind == "document"))
        (document,) = await tx.scalars(select(Document))
        pieces = await tx.scalars(select(Passage.text).where(Passage.article_id == article.id))
        texts = list(pieces)
    assert public.count("session.escalated") == 1, "the line that the visitor reads"
    (packet,) = (one for one in log if one.type == "handoff.packet")
    assert Packet.model_validate(packet.facts).wants == WORDS["wants"]
    assert len(sets) == 1
    assert (document.article_id, document.article_version, document.done, document.total) == (article.id, 1, 3, 3)
    run = data_of(await scene.lead.get(f"/api/golden/runs/{scene.run}"))
    assert (run["done"], run["total"], run["right"]) == (1, 1, 1)
    assert await hits(scene.lead, "brake pads worn") == [], "a draft is found by nobody"
    await has_published(await scene.lead.stage.agent("wang", "supervisor"), article.id)
    assert [hit["title"] for hit in await hits(scene.lead, "brake pads worn")] == ["Manual, page 2"]
    assert len(texts) == len(set(texts))


@contextmanager
def no_room(kefu: Kefu, beyond: int) -> Iterator[None]:
    """No file of that process can grow beyond so many bytes."""
    before = resource.prlimit(kefu.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(kefu.pid, resource.RLIMIT_FSIZE, (beyond, before[1]))
    try:
        yield
    finally:
        resource.prlimit(kefu.pid, resource.RLIMIT_FSIZE, before)


@contextmanager
def no_folder(data: Path) -> Iterator[None]:
    """Where the files lie is no folder: nobody can write there, root neither."""
    files, aside = data / "files", data / "aside"
    files.rename(aside)
    files.touch()
    try:
        yield
    finally:
        files.unlink()
        aside.rename(files)


async def check_files(scene: Scene, kefu: Kefu, data: Path) -> None:
    """Neither a document nor a file for a message leaves anything where there is no room, or no folder."""
    largest = max((path.stat().st_size for path in data.parent.rglob("*") if path.is_file()), default=0)
    content = pdf() + b"\n%" + b"x" * (largest + (3 << 20))

    async def refused() -> None:
        for answer in (
            await scene.lead.stage.http.post(
                DOCUMENTS,
                files={"file": ("Big.pdf", content, "application/pdf")},
                headers=bearer(scene.lead.token) | {"Accept-Language": "zh"},
            ),
            await uploads(scene.asking, scene.asking.name, content, "Big.pdf"),
        ):
            assert (answer.status_code, code_of(answer)) == (503, "FILE_NOT_STORED"), answer.text
            assert answer.headers["retry-after"]
            words = answer.json()["error"]["message"]
            assert words in {"文件保存失败，请稍后再试。", "The file could not be stored. Try again later."}

    before = sorted(on_disk(data))
    with no_room(kefu, len(content) - 1):
        await refused()
    assert sorted(on_disk(data)) == before
    with no_folder(data):
        await refused()
    async with scene.db.read() as tx:
        assert await tx.scalar(select(func.count()).select_from(Document)) == 1
        assert await tx.scalar(select(func.count()).select_from(File)) == 0
    data_of(await uploads(scene.asking, scene.asking.name, content, "Big.pdf"), 201)
    assert len(on_disk(data)) == len(before) + 1


async def check_posts(scene: Scene, kefu: Kefu) -> None:
    """Of a message for which the database has no room nothing is acknowledged; with room it is there once."""
    path, body = f"/api/sessions/{scene.asking.name}/messages", {"content": "喂" * 2000, "client_msg_id": "full"}
    with no_room(kefu, 4096):
        for language, words in (("zh", "存储空间不足"), ("en", "no room left")):
            answer = await scene.asking.post(path, body, **{"Accept-Language": language})
            assert (answer.status_code, code_of(answer)) == (507, "STORAGE_FAILED"), answer.text
            assert words in answer.json()["error"]["message"]
            assert answer.headers["retry-after"]
        seen = await scene.asking.get(f"/api/sessions/{scene.asking.name}")
        assert seen.status_code == 200, "what is there can be read"
    seqs = {data_of(await scene.asking.post(path, body), 201)["seq"] for _ in range(2)}
    log = (await all_of(scene.db, scene.asking.name))[1]
    assert [one.seq for one in log if one.type == "message.posted" and one.facts["content"] == body["content"]] == [
        *seqs
    ]


async def test_jobs_that_were_cut_off_end_once_and_a_full_disk_is_told(
    installation: list[Kefu], model: tuple[Model, Provider], db: Database, tmp_path: Path
) -> None:
    async with db.write() as tx:
        await first_shop(tx)
    async with httpx2.AsyncClient(base_url=installation[0].address, timeout=30, trust_env=False) as http:
        stage = Stage(db, http)
        scene = Scene(db, model[0], await stage.agent("lin", "supervisor"), await stage.agent("mei"))
        await scene.set_up()
        reader = await scene.begin(installation[-1])
        for one in installation:
            await one.kill()
        reader.kill()
        await check_middle(scene)
        model[0].holds = False
        await let_leases_pass(db)  # of those who were killed
        await asyncio.gather(*(one.start() for one in installation))
        await scene.asking.asks_for_a_person()  # who had no answer clicks again
        await until(scene.is_done, PATIENCE)
        await check_end(scene)
        assert installation[0].logged("request.failed") == []
        await check_files(scene, installation[0], tmp_path / "data")
        if db.is_sqlite:
            await check_posts(scene, installation[0])
        await stage.close()
