"""Search over what was written: words of two characters in Chinese, words in English, notes, for whom they are."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from sqlalchemy import func, select

from actors import Agent, Stage, Visitor, code_of, data_of
from faults.waiting import until
from kefu.jobs.queue import Taken, ensure, take
from kefu.kit.config import Settings
from kefu.kit.db import Database
from kefu.kit.postgres import IDLE_SECONDS
from kefu.log.feed import START
from kefu.log.log import Actor, Fact
from kefu.log.models import Event
from kefu.sessions import indexing, service
from kefu.sessions.marks import Overtaken
from kefu.sessions.models import IndexedMessage
from kefu.sessions.search import Wanted, excerpt
from kefu.sessions.work import IndexMessages
from kefu.workers import bulk_worker


@pytest.fixture
async def mei(stage: Stage) -> Agent:
    return await stage.agent("mei")


async def index(db: Database) -> None:
    """Follow the log to its end, as the job does from time to time.

    On PostgreSQL the end comes when nothing older is still being written, in whichever database of the server: a test
    of broken wires leaves a transaction open for IDLE_SECONDS.
    """
    async with asyncio.timeout(3 * IDLE_SECONDS):
        while True:
            async for _ in follow(db):
                pass
            async with db.read() as tx:
                order = select(Event.xid, Event.position).order_by(Event.xid.desc(), Event.position.desc())
                last = (await tx.execute(order.limit(1))).first() or START
            place, *_ = await indexing.next_page(db)
            if place >= tuple(last):
                return
            await asyncio.sleep(0.05)


async def follow(db: Database) -> AsyncIterator[int]:
    while True:
        place, found, shops = await indexing.next_page(db)
        if not found:
            return
        try:
            async with db.write() as tx:
                await indexing.write_page(tx, place, found[-1].place, indexing.rows_of(found, shops))
        except Overtaken:
            continue
        yield len(found)


async def finds(agent: Agent, query: str) -> list[str]:
    """The texts with what was looked for in brackets, newest first."""
    hits = data_of(await agent.get(f"/api/search/messages?q={query}"))["hits"]
    return ["".join(f"[{one['text']}]" if one["is_hit"] else one["text"] for one in hit["excerpt"]) for hit in hits]


async def test_words_are_found_in_both_languages_with_their_marks(db: Database, visitor: Visitor, mei: Agent) -> None:
    for words in ("我的电池充不满电，怎么办？", "The batteries of my BIKE don't charge", "小电驴能上牌吗", "100%_sure"):
        await visitor.says(words)
    await visitor.asks_for_a_person()
    await mei.takes_over(visitor)
    await mei.says(visitor, "请问您的电池是哪一年的？")
    await index(db)
    assert await finds(mei, "电池") == ["请问您的[电池]是哪一年的？", "我的[电池]充不满电，怎么办？"]
    assert await finds(mei, "怎么 电池") == ["我的[电池]充不满电，[怎么]办？"]
    assert await finds(mei, "battery") == ["The [batteries] of my BIKE don't charge"]
    assert await finds(mei, "bike the") == ["[The] batteries of my [BIKE] don't charge"]
    assert await finds(mei, "小电") == ["[小电]驴能上牌吗"]
    assert await finds(mei, "上电") == []
    for nothing in ("?!", "zebra", "'", "a & b | c", "电池 zebra", "visitor"):
        assert await finds(mei, nothing.replace("&", "%26")) == [], nothing


async def test_pages_hold_each_message_once_newest_first(db: Database, visitor: Visitor, mei: Agent) -> None:
    said = [await visitor.says(f"order {n}") for n in range(7)]
    await index(db)
    found: list[dict[str, Any]] = []
    cursor: str | None = ""
    while cursor is not None:
        page = data_of(await mei.get(f"/api/search/messages?q=order&limit=3&cursor={cursor}"))
        assert page["has_more"] is (page["next_cursor"] is not None)
        found += page["hits"]
        cursor = page["next_cursor"]
    assert [one["seq"] for one in found if one["role"] == "user"] == said[::-1]
    assert found[0]["session_name"] == visitor.name


async def test_what_a_colleague_serves_is_not_found(stage: Stage, db: Database, visitor: Visitor, mei: Agent) -> None:
    bo, boss = await stage.agent("bob"), await stage.agent("boss", "supervisor")
    await visitor.says("my secret")
    await index(db)
    assert len(await finds(bo, "secret")) == 1
    await mei.takes_over(visitor)
    assert [len(await finds(one, "secret")) for one in (bo, mei, boss)] == [0, 1, 1]
    refused = await visitor.get("/api/search/messages?q=secret")
    assert (refused.status_code, code_of(refused)) == (403, "FORBIDDEN")


async def test_filters_narrow_the_sessions(stage: Stage, db: Database, visitor: Visitor, mei: Agent) -> None:
    other = await stage.visitor()
    for one in (visitor, other):
        await one.says("a receipt")
    await mei.takes_over(other)
    await index(db)
    for query, count in (
        ("", 2),
        ("agent=mine", 1),
        ("status=bot_active", 1),
        ("shop=default", 2),
        ("shop=other", 0),
        ("time_end=1", 0),
        ("time_start=1", 2),
        (f"session={visitor.name}", 1),
        ("session=nowhere", 0),
    ):
        assert len(data_of(await mei.get(f"/api/search/messages?q=receipt&{query}"))["hits"]) == count, query


async def test_notes_are_found_and_say_so(db: Database, visitor: Visitor, mei: Agent) -> None:
    async with db.write() as tx:
        session = await service.locked(tx, visitor.name)
        note = Fact("note.added", Actor("agent", mei.id, "Mei"), {"content": "客户很着急"}, audience="internal")
        await service.record(tx, session, note)
    await index(db)
    (hit,) = data_of(await mei.get("/api/search/messages?q=着急"))["hits"]
    assert (hit["audience"], hit["type"], hit["author"]) == ("internal", "note.added", "Mei")


async def test_a_keyword_of_the_list_finds_what_was_said_long_ago(db: Database, visitor: Visitor, mei: Agent) -> None:
    await visitor.says("the purple helmet")
    for n in range(3):
        await visitor.says(f"and {n}")
    await index(db)
    for keyword in ("helmet", "purple%20helmets"):
        sessions = data_of(await mei.get(f"/api/sessions?keyword={keyword}"))["sessions"]
        assert [one["session_name"] for one in sessions] == [visitor.name]


async def test_what_makes_no_sense_names_its_field(mei: Agent) -> None:
    for query, field in [("", "q"), ("q=", "q"), ("q=a%00", "q"), (f"q={'x' * 201}", "q"), ("q=a&limit=51", "limit")]:
        answer = await mei.get(f"/api/search/messages?{query}")
        assert answer.status_code == 422
        assert [one["field"] for one in answer.json()["error"]["details"]["fields"]] == [field]
    for cursor in ("x", "WyJhIl0", "WzEsMl0"):
        assert code_of(await mei.get(f"/api/search/messages?q=a&cursor={cursor}")) == "BAD_CURSOR"


async def test_the_job_finds_what_was_said_by_itself(
    db: Database, settings: Settings, visitor: Visitor, mei: Agent
) -> None:
    worker = bulk_worker(db, settings)  # on SQLite the application has one of its own
    if not db.is_sqlite:
        worker.start()
    await visitor.says("pineapple")

    async def is_found() -> bool:
        return await finds(mei, "pineapple") == ["[pineapple]"]

    await until(is_found, 30)
    if not db.is_sqlite:
        await worker.stop()


class TestFollowing:
    """Without the application, whose own worker would follow too."""

    @pytest.fixture
    async def talk(self, db: Database) -> str:
        async with db.write() as tx:
            await service.open_session(tx, service.Opening("s-1", "default", "en"))
        for n in range(indexing.BATCH + 50):
            async with db.write() as tx:
                await service.post_by_visitor(tx, "s-1", f"word{n}", f"m-{n}")
        return "s-1"

    @staticmethod
    async def count(db: Database) -> int:
        async with db.read() as tx:
            return int((await tx.execute(select(func.count()).select_from(IndexedMessage))).scalar_one())

    @staticmethod
    async def job(db: Database) -> Taken:
        async with db.write() as tx:
            await ensure(tx, IndexMessages(), IndexMessages.kind)
        (job,) = await take(db, "bulk", "w", 1)
        return job

    async def test_everything_is_there_once_also_after_a_crash_between_pages(self, db: Database, talk: str) -> None:
        del talk
        async for _ in follow(db):
            break  # the process ends after the first page
        assert 0 < await self.count(db) < indexing.BATCH + 51
        await indexing.index_messages(db, await self.job(db))
        await index(db)
        assert await self.count(db) == indexing.BATCH + 51

    async def test_who_is_overtaken_writes_nothing(self, db: Database, talk: str) -> None:
        del talk
        place, found, shops = await indexing.next_page(db)
        await indexing.index_messages(db, await self.job(db))
        with pytest.raises(Overtaken):
            async with db.write() as tx:
                await indexing.write_page(tx, place, found[-1].place, indexing.rows_of(found, shops))
        await index(db)
        assert await self.count(db) == indexing.BATCH + 51

    async def test_a_rebuild_says_how_far_it_is_and_leaves_the_same(self, db: Database, talk: str) -> None:
        del talk
        await index(db)
        told = [one async for one in indexing.rebuild(db)]
        assert [done for done, _ in told] == [indexing.BATCH, indexing.BATCH + 51]
        assert {there for _, there in told} == {indexing.BATCH + 51}
        assert await self.count(db) == indexing.BATCH + 51


def test_an_excerpt_shows_the_place_and_marks_whole_words() -> None:
    far = "x " * 100 + "the 电池 and the batteryless battery"
    pieces = excerpt(far, Wanted.of("电池 battery"))
    assert [text for text, is_hit in pieces if is_hit] == ["电池", "battery"]
    assert pieces[0] == ("…", False)
    assert "".join(text for text, _ in pieces).startswith("…x x")
    assert excerpt("nothing of it", Wanted.of("zebra")) == [("nothing of it", False)]
