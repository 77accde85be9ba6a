"""Files become drafts, once each, and their text is found, shown and quoted with its page."""

import asyncio
import os
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path
from typing import Any

import httpx2
import psutil
import pytest
from fastapi import FastAPI
from sqlalchemy import delete, select

from accounts.team import bearer
from actors import Agent, Caller, Stage, Visitor, code_of, data_of
from documents import samples
from faults.waiting import until
from kefu.files.models import File
from kefu.files.service import SweepFiles, sweep_files
from kefu.files.store import FileStore
from kefu.jobs.models import Job
from kefu.jobs.queue import take
from kefu.kit.config import Settings
from kefu.kit.db import Database
from kefu.knowledge.documents.kinds import document_kind
from kefu.knowledge.documents.service import DocumentReader, add_document
from kefu.knowledge.models import Article, Document
from kefu.knowledge.passages import BETWEEN, PAGE_BREAK
from kefu.knowledge.search import search
from kefu.knowledge.service import Content, put_published
from kefu.porting.demo import load_demo
from kefu.shops.service import FIRST_SHOP, put_shop
from kefu.workers import bulk_worker
from routing.scene import run_recurring

DOCUMENTS = "/api/knowledge/documents"
ARTICLES = "/api/knowledge/articles"
READING = "kefu.knowledge.documents.reading"


@pytest.fixture
async def worker(app: FastAPI, db: Database, settings: Settings) -> AsyncIterator[None]:
    """Who reads: on SQLite the application has one of its own."""
    assert app.state.settings is settings
    one = None if db.is_sqlite else bulk_worker(db, settings)
    if one:
        one.start()
    yield
    if one:
        await one.stop()


@pytest.fixture
async def author(stage: Stage) -> Agent:
    return await stage.agent("lin", "supervisor")


async def brings(who: Caller, content: bytes, name: str = "Manual.pdf", **query: str) -> httpx2.Response:
    files = {"file": (name, content, "image/png")}  # what the header says means nothing
    return await who.stage.http.post(DOCUMENTS, files=files, params=query, headers=bearer(who.token))


async def settled(who: Caller, document: dict[str, Any]) -> dict[str, Any]:
    """The document when it was read or refused, in Chinese."""
    found: dict[str, Any] = {}

    async def is_settled() -> bool:
        answer = await who.get(f"{DOCUMENTS}/{document['id']}", **{"Accept-Language": "zh"})
        found.update(data_of(answer))
        return found["status"] in {"read", "refused"}

    await until(is_settled, 60)
    return found


async def has_published(author: Agent, article_id: str, version: int = 1) -> Any:
    return data_of(await author.post(f"{ARTICLES}/{article_id}/publish", {"version": version}))


@pytest.mark.usefixtures("worker")
async def test_a_manual_is_read_published_quoted_with_its_page_and_replaced(author: Agent) -> None:
    brought = data_of(await brings(author, samples.pdf()), 201)
    assert (brought["status"], brought["name"], brought["error"]) == ("waiting", "Manual.pdf", None)
    read = await settled(author, brought)
    assert (read["status"], read["done"], read["total"], read["article_version"]) == ("read", 3, 3, 1)
    article = data_of(await author.get(f"{ARTICLES}/{read['article_id']}"))
    facts = {name: article[name] for name in ("kind", "status", "title", "lang", "author")}
    assert facts == {"kind": "document", "status": "draft", "title": "Manual", "lang": "en", "author": author.id}
    pieces = data_of(await author.get(f"{ARTICLES}/{article['id']}/passages?offset=1&limit=1"))
    assert (pieces["total"], pieces["passages"][0]["heading"], pieces["passages"][0]["part"]) == (
        3,
        f"Brakes{BETWEEN}Pads",
        2,
    )
    assert (await hits(author, "brake pads worn")) == []
    await has_published(author, article["id"])
    (hit,) = await hits(author, "brake pads worn")
    assert (hit["title"], hit["heading"]) == ("Manual, page 2", f"Brakes{BETWEEN}Pads")
    page = (await author.stage.http.get(hit["url"])).text
    assert "one millimetre" in page
    assert "four hours" not in page
    assert all(said in page for said in ("Page 2 of 3", "&amp;p=1", "&amp;p=3"))
    assert (await hits(author, "电池保修多久"))[0]["title"] == "Manual，第 3 页"
    # The text comes from the file alone, so the next version is another file.
    refused = await author.send(f"{ARTICLES}/{article['id']}", b"{}")
    assert refused.status_code == 405
    patch = {"version": 1, "body": "Anything."}
    changed = await author.stage.http.patch(f"{ARTICLES}/{article['id']}", json=patch, headers=bearer(author.token))
    assert code_of(changed) == "DOCUMENT_TEXT"
    newer = samples.MANUAL.replace("one millimetre", "two millimetres")
    second = await settled(author, data_of(await brings(author, samples.pdf(newer), article=article["id"]), 201))
    assert (second["article_id"], second["article_version"]) == (article["id"], 2)
    assert "one millimetre" in (await hits(author, "brake pads worn"))[0]["text"]
    await has_published(author, article["id"], 2)
    assert "two millimetres" in (await hits(author, "brake pads worn"))[0]["text"]
    assert "one millimetre" in (await author.stage.http.get(hit["url"])).text
    versions = data_of(await author.get(f"{ARTICLES}/{article['id']}/versions"))
    assert [(one["version"], one["author"]) for one in versions] == [(2, author.name), (1, author.name)]


async def hits(who: Caller, query: str) -> Any:
    return data_of(await who.post("/api/knowledge/search", {"query": query}))["hits"]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_beside_articles_a_page_is_found_by_what_it_says(db: Database) -> None:
    shop = (await load_demo(db)).shop
    async with db.write() as tx:
        manual = Content("en", "City5", PAGE_BREAK.join(samples.FORK.values()), kind="document")
        await put_published(tx, shop, [manual])
    asked = {
        "How do I set the sag of my fork?": "City5, page 1",
        "How do I set the sag before the first ride?": "City5, page 1",
        "避震打气筒每次充多少磅？": "City5，第 2 页",
        "骑手坐上后弹簧压缩多少行程？": "City5，第 2 页",
    }
    found = {question: (await search(db, shop, question, "en")).hits[0].title for question in asked}
    assert found == asked


async def test_the_same_file_is_there_once_in_a_shop_whoever_brings_it(author: Agent, db: Database) -> None:
    async with db.write() as tx:
        await put_shop(tx, **FIRST_SHOP | {"id": "other"})
    answers = await asyncio.gather(*(brings(author, samples.sheets(), f"{n}.xlsx") for n in range(3)))
    assert sorted(one.status_code for one in answers) == [201, 409, 409]
    won = next(one.json()["data"] for one in answers if one.status_code == 201)
    for lost in answers:
        if lost.status_code == 409:
            assert code_of(lost) == "DOCUMENT_EXISTS"
            assert lost.json()["error"]["details"]["document_id"] == won["id"]
    assert (await brings(author, samples.sheets(), shop="other")).status_code == 201
    listed = data_of(await author.get(f"{DOCUMENTS}?shop=default"))["documents"]
    assert [one["id"] for one in listed] == [won["id"]]
    # Let go, it may come again.
    assert (await author.delete(f"{DOCUMENTS}/{won['id']}")).status_code == 200
    assert code_of(await author.get(f"{DOCUMENTS}/{won['id']}")) == "DOCUMENT_NOT_FOUND"
    assert (await brings(author, samples.sheets())).status_code == 201


@pytest.mark.usefixtures("worker")
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_a_file_that_cannot_be_read_says_why_and_may_be_tried_again(author: Agent) -> None:
    scanned = samples.scanned()
    brought = data_of(await brings(author, scanned), 201)
    refused = await settled(author, brought)
    assert (refused["status"], refused["article_id"]) == ("refused", None)
    assert refused["error"]["code"] == "DOCUMENT_SCANNED"
    assert "扫描" in refused["error"]["message"]
    again = data_of(await brings(author, scanned, "Better.pdf"), 201)
    assert (again["id"], again["name"], again["status"], again["error"]) == (
        brought["id"],
        "Better.pdf",
        "waiting",
        None,
    )


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_what_may_not_come_is_refused_at_the_door(author: Agent, agent: Agent, visitor: Visitor) -> None:
    wrong = {
        "DOCUMENT_TYPE_NOT_ALLOWED": [(b"\x89PNG\r\n\x1a\n" + bytes(40), "a.pdf"), (b"\x00\x01", "a.txt")],
        "DOCUMENT_ENCRYPTED": [(samples.locked_office(), "a.docx")],
        "DOCUMENT_EMPTY": [(b"", "a.txt")],
        "FILE_TOO_LARGE": [(b"a" * (50 << 20) + b"b", "a.txt")],
    }
    for code, files in wrong.items():
        for content, name in files:
            assert code_of(await brings(author, content, name)) == code
    for who in (agent, visitor):
        assert code_of(await brings(who, samples.pdf())) == "FORBIDDEN"
    for query, code in ({"shop": "nobody"}, "SHOP_NOT_FOUND"), ({"article": "art_0"}, "ARTICLE_NOT_FOUND"):
        assert code_of(await brings(author, samples.pdf(), **query)) == code
    own = data_of(await author.post(ARTICLES, {"lang": "en", "title": "Ours", "body": "Ours."}), 201)
    assert code_of(await brings(author, samples.pdf(), article=own["id"])) == "NOT_A_DOCUMENT"
    for wrong_query in ("status=lost", "limit=0", "cursor=x", "shop=No%20Shop"):
        assert (await author.get(f"{DOCUMENTS}?{wrong_query}")).status_code == 422
    assert (await author.get(f"{DOCUMENTS}/{'x' * 41}")).status_code == 422


async def test_who_is_killed_while_reading_leaves_nothing_half_and_nothing_twice(db: Database, tmp_path: Path) -> None:
    store = FileStore(tmp_path / "files", 50)
    with (tmp_path / "Manual.pdf").open("w+b") as file:
        file.write(samples.pdf())
        kept = await store.keep(file, "Manual.pdf", document_kind)
    async with db.write() as tx:
        document = await add_document(tx, "default", None, kept, "agt_lin")
    (job,) = await take(db, "bulk", "first", 1)
    first = asyncio.create_task(DocumentReader(db, store)(job))
    await until(lambda: bool(_readers()), 30)
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)
    await until(lambda: not _readers(), 30)
    # Its lease passes; a second one that was only thought dead reads on beside the third.
    await asyncio.gather(*(DocumentReader(db, store)(job) for _ in range(2)))
    async with db.read() as tx:
        assert [(one.title, one.version) for one in await tx.scalars(select(Article))] == [("Manual", 1)]
        assert list(await tx.scalars(select(Job))) == []
        left = await tx.get_one(Document, document.id)
    assert (left.status, left.article_version) == ("read", 1)
    # What documents name is not swept, what they no longer name is.
    os.utime(store.path(left.sha256), (0, 0))
    for there in (True, False):
        await run_recurring(db, SweepFiles(), partial(sweep_files, db, store, (File.sha256, Document.sha256)))
        assert store.path(left.sha256).exists() == there
        async with db.write() as tx:
            await tx.execute(delete(Document))


def _readers() -> list[psutil.Process]:
    return [one for one in psutil.Process().children() if _reads(one)]


def _reads(process: psutil.Process) -> bool:
    try:
        return READING in process.cmdline()
    except psutil.NoSuchProcess:  # which a dead one that was not waited for yet is, too
        return False
