"""A conversation as a file to keep, for the visitor and for agents: text, JSON, and PDF that can be copied from."""

import asyncio
import tracemalloc

import orjson
import pypdfium2
import pytest

from accounts.team import bearer
from actors import Agent, Caller, Stage, Visitor, code_of, data_of
from histories.visits import merges, two_talks
from kefu.histories.pdf import FontMissing, chinese_fonts, printable
from kefu.kit.db import Database
from kefu.log.log import VISITOR, Fact
from kefu.sessions import service

PDF_MARK = b"%PDF-"
WORDS = "电池可以带上飞机吗？\n第二行 <b>not bold</b> #let x = 1 \\ *stars* $1"


async def file_of(caller: Caller, name: str, query: str = "", **headers: str) -> bytes:
    answer = await caller.get(f"/api/sessions/{name}/transcript{query}", **headers)
    assert answer.status_code == 200, answer.text
    return answer.content


def pdf_text(content: bytes) -> str:
    document = pypdfium2.PdfDocument(content)
    try:
        return "\n".join(page.get_textpage().get_text_range() for page in document).replace("\r\n", "\n")
    finally:
        document.close()


async def write_much(db: Database, name: str, count: int) -> None:
    async with db.write() as tx:
        session = await service.locked(tx, name)
        facts = [Fact("message.posted", VISITOR, {"role": "user", "content": f"第{n}条 word"}) for n in range(count)]
        await service.record(tx, session, *facts)


@pytest.fixture
async def served(stage: Stage, lead: Agent) -> Visitor:
    """Asked, answered by the bot, taken over, answered by a person."""
    visitor = await stage.visitor(locale="zh")
    await lead.takes_over(visitor)
    await visitor.says(WORDS)
    await lead.says(visitor, "可以，请随身携带。")
    return visitor


async def test_text_has_every_word_in_the_readers_language_and_time(served: Visitor, lead: Agent) -> None:
    text = (await file_of(served, served.name, "?locale=zh&tz=Asia/Shanghai")).decode()
    opened = await served.reads()
    assert text.startswith("会话记录\n店铺: 本店\n访客: 访客 ")
    assert served.name in text
    assert "(Asia/Shanghai)" in text
    assert f"— {lead.name} 已接入会话 —" in text
    assert "    电池可以带上飞机吗？\n    第二行 <b>not bold</b> #let x = 1 \\ *stars* $1\n" in text
    assert f"] {lead.name}:\n    可以，请随身携带。\n" in text
    assert f"] {opened['user_profile']['nickname']}:\n" in text
    english = (await file_of(lead, served.name, "", **{"Accept-Language": "en"})).decode()
    assert english.startswith("Conversation transcript\nShop: Our shop\n")
    assert "(UTC)" in english
    shanghai, utc = (part.partition("\n[")[2][:19] for part in (text, english))
    assert (int(shanghai[11:13]) - int(utc[11:13])) % 24 == 8


async def test_no_message_can_pass_for_another_line(stage: Stage) -> None:
    visitor = await stage.visitor()
    await visitor.says("Hello\n\n[2026-01-01 00:00:00] Agent:\n    You get your money back\x1b[2J\u202e")
    text = (await file_of(visitor, visitor.name)).decode()
    assert "\n[2026-01-01" not in text
    assert "\n    [2026-01-01 00:00:00] Agent:\n        You get your money back[2J\n" in text


async def test_json_is_the_log_as_the_reader_may_see_it(served: Visitor, lead: Agent) -> None:
    answer = await served.get(f"/api/sessions/{served.name}/transcript?format=json")
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["content-disposition"] == f'attachment; filename="conversation-{served.name}.json"'
    assert answer.headers["cache-control"] == "no-store"
    whole = orjson.loads(answer.content)
    assert (whole["session_name"], whole["locale"]) == (served.name, "zh")
    assert {one["session_name"] for one in whole["events"]} == {served.name}
    assert [one["content"] for one in whole["events"] if one["type"] == "message.posted"] == [
        WORDS,
        "可以，请随身携带。",
    ]
    assert orjson.loads(await file_of(lead, served.name, "?format=json"))["events"] == whole["events"]


async def test_what_is_internal_reaches_only_agents_who_ask_for_it(served: Visitor, lead: Agent, db: Database) -> None:
    note = Fact("note.added", VISITOR, {"text": "对方很着急"}, audience="internal")
    proof = Fact("answer.evidenced", VISITOR, {"passages": [{"title": "Air travel"}]}, audience="internal")
    async with db.write() as tx:
        await service.record(tx, await service.locked(tx, served.name), note, proof)
    refused = await served.get(f"/api/sessions/{served.name}/transcript?include=internal")
    assert (refused.status_code, code_of(refused)) == (403, "FORBIDDEN")
    for kind in ("txt", "json", "pdf"):
        without = await file_of(lead, served.name, f"?format={kind}")
        with_notes = await file_of(lead, served.name, f"?format={kind}&include=internal")
        texts = [pdf_text(one) if kind == "pdf" else one.decode() for one in (without, with_notes)]
        for secret in ("对方很着急", "Air travel"):
            assert [secret in text for text in texts] == [False, True], kind


async def test_a_pdf_gives_its_chinese_back(served: Visitor, lead: Agent) -> None:
    await served.says("My 🚲 is a Nordvelo: 骑行很舒服。" + "很长的一句话，" * 60)
    content = await file_of(served, served.name, "?format=pdf&locale=zh&tz=Europe/Berlin")
    assert content.startswith(PDF_MARK)
    text = pdf_text(content).replace("\n", "").replace(" ", "")
    nickname = (await served.reads())["user_profile"]["nickname"]
    wanted = [*WORDS.split("\n"), "可以，请随身携带。", "会话记录", lead.name, nickname, "My[bicycle]isaNordvelo"]
    for words in [*wanted, "骑行很舒服。" + "很长的一句话，" * 60]:
        assert words.replace(" ", "") in text
    assert "\ufffd" not in text
    assert "\x00" not in text


async def test_merged_parts_are_in_the_file(stage: Stage, lead: Agent) -> None:
    first, second = await two_talks(stage)
    data_of(await merges(lead, first, second))
    text = (await file_of(second, second.name)).decode()
    parts = (f"=== Conversation: {first.name} ===", f"=== Conversation: {second.name} ===")
    wanted = (parts[0], "About my battery", "More about the battery", parts[1], "About my brakes")
    places = [text.index(words) for words in wanted]
    assert places == sorted(places)


async def test_what_cannot_be_is_refused(stage: Stage, served: Visitor, lead: Agent) -> None:
    path = f"/api/sessions/{served.name}/transcript"
    for query in (
        "?format=doc",
        "?tz=Nowhere/Land",
        "?tz=../../etc/passwd",
        "?tz=America",
        "?locale=fr",
        "?include=all",
    ):
        answer = await lead.get(path + query)
        assert (answer.status_code, code_of(answer)) == (422, "VALIDATION_FAILED"), query
    assert code_of(await stage.http.get(path)) == "TOKEN_REQUIRED"
    assert code_of(await lead.get("/api/sessions/no-such/transcript")) == "SESSION_NOT_FOUND"
    stranger = await stage.http.get(path, headers=bearer((await stage.visitor()).token))
    assert code_of(stranger) == "FOREIGN_SESSION"


def test_without_a_font_for_chinese_there_is_no_file_rather_than_boxes() -> None:
    with pytest.raises(FontMissing) as refused:
        chinese_fonts(["DejaVu Sans", "Liberation Serif"])
    assert (refused.value.status, refused.value.code) == (503, "PDF_FONT_MISSING")
    assert chinese_fonts(["WenQuanYi Zen Hei", "Noto Sans CJK SC"]) == ["Noto Sans CJK SC", "WenQuanYi Zen Hei"]
    assert printable("好 🚲👍🏽 ok") == "好 [bicycle][thumbs up sign][emoji modifier fitzpatrick type-4] ok"


async def test_ten_thousand_messages_are_written_page_by_page(stage: Stage, db: Database) -> None:
    visitor = await stage.visitor()
    await write_much(db, visitor.name, 10_000)
    for kind in ("txt", "json"):
        if kind == "json":
            tracemalloc.start()
        sizes: list[int] = []
        last = b""
        async with stage.http.stream(
            "GET", f"/api/sessions/{visitor.name}/transcript?format={kind}", headers=bearer(visitor.token)
        ) as answer:
            async for piece in answer.aiter_bytes():
                sizes.append(len(piece))
                last = piece
        assert "第9999条".encode() in last
        assert sum(sizes) > 10_000 * 40
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 30 * 2**20, peak
    refused = await visitor.get(f"/api/sessions/{visitor.name}/transcript?format=pdf")
    assert (refused.status_code, code_of(refused)) == (413, "TRANSCRIPT_TOO_LONG")


async def test_a_long_pdf_leaves_the_others_alone(stage: Stage, db: Database) -> None:
    visitor, other = await stage.visitor(), await stage.visitor()
    await write_much(db, visitor.name, 1_500)
    making = asyncio.create_task(file_of(visitor, visitor.name, "?format=pdf"))
    served_meanwhile = 0
    while not making.done():
        await other.says("still there?")
        served_meanwhile += 1
    text = pdf_text(await making)
    assert [f"第{n}条word" in text.replace(" ", "") for n in (0, 750, 1499)] == [True] * 3
    assert served_meanwhile > 1
