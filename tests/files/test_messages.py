"""Files go with a message, once, and are there for whoever reads it."""

import asyncio
import os
import time
from functools import partial
from pathlib import Path

import pytest
from fastapi import FastAPI
from sqlalchemy import delete, func, select, update

from accounts.team import bearer
from actors import Agent, Stage, Visitor, code_of, data_of
from faults.waiting import until
from files.samples import PDF, PHOTO, png
from files.sending import has_uploaded, on_disk, sends, uploads
from histories.visits import comes_again, merges, splits
from kefu.accounts.tokens import Tokens
from kefu.files.models import File
from kefu.files.service import MOST_IN_SESSION, SweepFiles, sweep_files
from kefu.kit.db import Database
from kefu.sessions.indexing import index_messages
from kefu.sessions.models import Session
from kefu.sessions.work import IndexMessages
from routing.scene import run_recurring

DAY = 86_400


async def test_both_sides_send_files_and_both_see_them(visitor: Visitor, agent: Agent) -> None:
    photo = await has_uploaded(visitor, visitor.name)
    first = await sends(visitor, visitor, photo["id"], said="  My bike ")
    repeat = await sends(visitor, visitor, photo["id"], said="My bike")
    assert (first.status_code, repeat.status_code, repeat.json()) == (201, 201, first.json())
    seen = await visitor.sees("message.posted", role="user")
    assert (seen["content"], seen["files"]) == ("My bike", [photo])
    assert set(photo) == {"id", "name", "media_type", "size", "width", "height"}

    assert code_of(await uploads(agent, visitor.name)) == "INVALID_STATUS"
    await agent.takes_over(visitor)
    bill = await has_uploaded(agent, visitor.name, PDF, "bill.pdf")
    assert (await sends(agent, visitor, bill["id"], msg="a-1")).status_code == 200
    answer = await visitor.sees("message.posted", role="agent")
    assert (answer["content"], answer["files"]) == ("", [{k: bill[k] for k in ("id", "name", "media_type", "size")}])
    for who in (visitor, agent):
        for file, content in ((photo, None), (bill, PDF)):
            got = await who.get(f"/api/files/{file['id']}")
            assert got.status_code == 200
            assert len(got.content) == file["size"]
            assert content in {None, got.content}
        history = (await who.get(f"/api/sessions/{visitor.name}")).json()["data"]["session"]["history"]
        assert [[one["name"] for one in message["files"]] for message in history if message["role"] != "assistant"] == [
            ["photo.jpg"],
            ["bill.pdf"],
        ]


async def test_a_file_goes_with_one_message_of_its_owner_and_with_no_other(
    visitor: Visitor, agent: Agent, stage: Stage
) -> None:
    other = await stage.visitor()
    await agent.takes_over(visitor)
    mine, theirs = await has_uploaded(visitor, visitor.name), await has_uploaded(agent, visitor.name)
    elsewhere = await has_uploaded(other, other.name)
    for ids in ([theirs["id"]], [elsewhere["id"]], [f"file_{'0' * 32}"], [mine["id"]] * 2):
        answer = await sends(visitor, visitor, *ids)
        assert (answer.status_code, code_of(answer)) == (409, "FILE_NOT_AVAILABLE"), ids
    both = await asyncio.gather(
        *(sends(visitor, visitor, mine["id"], said=f"take {n}", msg=f"m-{n}") for n in range(4))
    )
    assert sorted(one.status_code for one in both) == [201, 409, 409, 409]
    for body in ({"files": ["x"]}, {"files": [mine["id"]] * 6}, {"files": "x"}):
        answer = await visitor.post(
            f"/api/sessions/{visitor.name}/messages", {"content": "x", "client_msg_id": "bad"} | body
        )
        assert (answer.status_code, code_of(answer)) == (422, "VALIDATION_FAILED")
    assert code_of(await sends(visitor, visitor)) == "VALIDATION_FAILED"
    # Who writes late is told so, with a file or without.
    late = await has_uploaded(agent, visitor.name)
    await agent.releases(visitor)
    assert code_of(await sends(agent, visitor, late["id"], msg="m-late")) == "INVALID_STATUS"


async def test_only_who_may_read_the_message_gets_its_file(visitor: Visitor, agent: Agent, stage: Stage) -> None:
    other, colleague = await stage.visitor(), await stage.agent("lin")
    lead, inspector = await stage.agent("boss", "supervisor"), await stage.agent("eye", "inspector")
    await agent.takes_over(visitor)
    file = await has_uploaded(agent, visitor.name, PDF, "账单.pdf")
    path = f"/api/files/{file['id']}"
    for who in (visitor, lead, colleague, other):
        assert code_of(await who.get(path)) == "FILE_NOT_FOUND", "not sent yet"
    await sends(agent, visitor, file["id"])
    for who, status in ((visitor, 200), (agent, 200), (lead, 200), (inspector, 200), (other, 404), (colleague, 404)):
        assert (await who.get(path)).status_code == status, who
    assert (await stage.http.get(path)).status_code == 401
    assert (await visitor.get(f"/api/files/file_{'0' * 32}")).status_code == 404
    assert (await visitor.get("/api/files/..%2f..%2fjwt_secret")).status_code in {404, 422}
    for who in (colleague, inspector):
        assert (await uploads(who, visitor.name)).status_code == 403
    assert code_of(await uploads(other, visitor.name)) == "FOREIGN_SESSION"
    assert (await uploads(agent, "nobody")).status_code == 404


async def test_a_file_does_nothing_when_it_is_opened(visitor: Visitor) -> None:
    for content, name, shown in ((PHOTO, "p.jpg", "inline"), (PDF, "账单.pdf", "attachment")):
        file = await has_uploaded(visitor, visitor.name, content, name)
        got = await visitor.get(f"/api/files/{file['id']}")
        headers = got.headers
        assert headers["content-disposition"].startswith(f"{shown}; filename")
        assert headers["content-type"] == file["media_type"]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["content-security-policy"].startswith("default-src 'none'; sandbox")
        assert headers["cross-origin-resource-policy"] == "same-origin"
        assert headers["cache-control"].startswith("private")
        part = await visitor.get(f"/api/files/{file['id']}", Range="bytes=0-3")
        assert (part.status_code, part.content) == (206, got.content[:4])


async def test_a_token_that_has_ended_or_was_changed_fetches_nothing(app: FastAPI, visitor: Visitor) -> None:
    file = await has_uploaded(visitor, visitor.name)
    assert (await sends(visitor, visitor, file["id"])).status_code == 201
    stale = Tokens("another secret").visitor(visitor.name)
    for token in (stale, visitor.token[:-4], app.state.tokens.visitor(visitor.name, epoch=1)):
        answer = await visitor.stage.http.get(f"/api/files/{file['id']}", headers=bearer(token))
        assert answer.status_code == 401


async def test_files_follow_a_talk_that_goes_on_elsewhere(stage: Stage, visitor: Visitor) -> None:
    holder, lead = await stage.agent(), await stage.agent("boss", "supervisor")
    await visitor.says("Hello")
    file = await has_uploaded(visitor, visitor.name)
    seq = data_of(await sends(visitor, visitor, file["id"]), 201)["seq"]
    await lead.takes_over(visitor)
    new = data_of(await splits(lead, visitor, seq))["session_name"]
    later = await comes_again(stage, visitor)
    path = f"/api/files/{file['id']}"
    assert (await later.get(path)).status_code == 200
    assert (await holder.get(path)).status_code == 404
    await lead.post(f"/api/sessions/{new}/release", {})
    assert (await holder.get(path)).status_code == 200
    assert (await merges(lead, visitor, later)).status_code == 200
    assert code_of(await uploads(visitor, visitor.name)) == "SESSION_MERGED"


async def test_so_many_and_no_more_however_they_come(visitor: Visitor, db: Database, agent: Agent) -> None:
    filled = MOST_IN_SESSION - 2
    for n in range(2):
        await has_uploaded(visitor, visitor.name, png(n + 1))
    async with db.write() as tx:
        row = (await tx.scalars(select(File).limit(1))).one()
        facts = {one.name: getattr(row, one.name) for one in File.__table__.columns if one.name != "id"}
        tx.add_all(File(id=f"file_{n:032x}", **facts) for n in range(filled - 2))
    answers = await asyncio.gather(*(uploads(visitor, visitor.name) for _ in range(5)))
    assert sorted(one.status_code for one in answers) == [201, 201, 409, 409, 409]
    assert code_of(await uploads(visitor, visitor.name)) == "TOO_MANY_FILES"
    await agent.takes_over(visitor)
    await has_uploaded(agent, visitor.name)


async def test_the_bot_says_that_it_looks_at_no_file_and_answers_the_words(visitor: Visitor) -> None:
    file, other = await has_uploaded(visitor, visitor.name), await has_uploaded(visitor, visitor.name, png())
    await sends(visitor, visitor, file["id"], msg="m-1")
    answer = await visitor.sees("message.posted", role="assistant")
    assert "Talk to a person" in answer["content"]
    assert answer["answered"] is False
    await sends(visitor, visitor, other["id"], said="What does it cost?", msg="m-2")
    answer = await visitor.sees("message.posted", role="assistant")
    assert "Talk to a person" not in answer["content"]


async def test_its_name_stands_wherever_there_are_only_words(visitor: Visitor, stage: Stage, db: Database) -> None:
    lead = await stage.agent("boss", "supervisor")
    file = await has_uploaded(visitor, visitor.name, PDF, "发票 invoice-77.pdf")
    await lead.takes_over(visitor)  # or the bot's answer would stand in the list soon
    await sends(visitor, visitor, file["id"])
    summary = data_of(await lead.get("/api/sessions"))["sessions"][0]
    assert "invoice-77.pdf" in str(summary)
    text = (await visitor.get(f"/api/sessions/{visitor.name}/transcript?format=txt")).text
    assert "[发票 invoice-77.pdf]" in text

    async def is_found() -> bool:
        await run_recurring(db, IndexMessages(), partial(index_messages, db))
        hits = data_of(await lead.get("/api/search/messages?q=发票"))["hits"]
        return any("invoice-77.pdf" in "".join(piece["text"] for piece in hit["excerpt"]) for hit in hits)

    await until(is_found, 20)


async def test_what_was_never_sent_goes_after_a_day_and_what_was_stays(
    app: FastAPI, visitor: Visitor, db: Database, tmp_path: Path
) -> None:
    kept, lost = await has_uploaded(visitor, visitor.name), await has_uploaded(visitor, visitor.name, png())
    same = await has_uploaded(visitor, visitor.name)
    await sends(visitor, visitor, kept["id"])
    draft = tmp_path / "files/arriving/left-by-a-dead-process"
    draft.write_bytes(b"half")
    assert len(on_disk(tmp_path)) == 3
    await _sweep(app, db)
    assert len(on_disk(tmp_path)) == 3
    async with db.write() as tx:
        await tx.execute(update(File).values(created_at=File.created_at - 2 * DAY * 1000))
    for path in on_disk(tmp_path):
        os.utime(path, (time.time() - 2 * DAY,) * 2)
    await _sweep(app, db)
    assert len(on_disk(tmp_path)) == 1
    for file, status in ((kept, 200), (lost, 404), (same, 404)):
        assert (await visitor.get(f"/api/files/{file['id']}")).status_code == status
    # What goes with its session goes with its content, and what came again since stays.
    async with db.write() as tx:
        await tx.execute(delete(Session).where(Session.name == visitor.name))
    again = await visitor.stage.visitor()
    before = time.time() - DAY
    await has_uploaded(again, again.name)
    app.state.files.remove(on_disk(tmp_path)[0].name, before)
    assert len(on_disk(tmp_path)) == 1
    async with db.read() as tx:
        assert (await tx.execute(select(func.count()).select_from(File))).scalar_one() == 1


async def _sweep(app: FastAPI, db: Database) -> None:
    await run_recurring(db, SweepFiles(), partial(sweep_files, db, app.state.files, (File.sha256,)))


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_what_is_no_form_with_a_file_is_refused(visitor: Visitor) -> None:
    path = f"/api/sessions/{visitor.name}/files"
    for form in ({"other": ("a.png", png())}, {"file": ("a.png", png()), "more": ("b.png", png())}):
        answer = await visitor.stage.http.post(path, files=form, headers=bearer(visitor.token))
        assert (answer.status_code, code_of(answer)) == (422, "VALIDATION_FAILED")
    for kind in ("application/json", "multipart/form-data", "multipart/form-data; boundary=x", "image/png"):
        answer = await visitor.send(path, b"{}", **{"Content-Type": kind})
        assert (answer.status_code, code_of(answer)) == (422, "VALIDATION_FAILED"), kind
