"""What agents write beside a session: notes, their history, who is named; nothing of it reaches the visitor."""

from typing import Any

from actors import Agent, Stage, Visitor, code_of, data_of
from kefu.collaboration.mentions import in_text
from kefu.kit.db import Database
from kefu.sessions.fold import fold_all
from sessions.records import columns_of, log_of, row_of


async def writes_note(agent: Agent, visitor: Visitor, content: str, **facts: object) -> Any:
    return data_of(await agent.post(f"/api/sessions/{visitor.name}/notes", {"content": content, **facts}))


async def mentions_of(agent: Agent, query: str = "") -> Any:
    return data_of(await agent.get(f"/api/mentions{query}"))


async def test_a_note_is_written_edited_removed_and_its_history_stays(
    db: Database, stage: Stage, visitor: Visitor
) -> None:
    mei, boss = await stage.agent("mei"), await stage.agent("boss", "supervisor")
    note = await writes_note(mei, visitor, "Wants a refund")
    assert note["id"].startswith("note_")
    assert (note["created_by"], note["created_by_name"], note["mentions"]) == ("mei", "Mei", [])
    path = f"/api/sessions/{visitor.name}/notes"
    edited = data_of(await mei.put(f"{path}/{note['id']}", {"content": "Wants a new battery"}))
    assert (edited["content"], edited["updated_at"] >= note["updated_at"]) == ("Wants a new battery", True)
    data_of(await boss.put(f"{path}/{note['id']}", {"content": "Gets a new battery"}))
    second = await writes_note(boss, visitor, "Second")
    listed = (await mei.get(path)).json()
    assert ([one["id"] for one in listed["data"]], listed["total"]) == ([second["id"], note["id"]], 2)
    data_of(await mei.delete(f"{path}/{note['id']}"))
    assert [one["id"] for one in (await mei.get(path)).json()["data"]] == [second["id"]]
    history = (await mei.get(f"{path}/{note['id']}/history")).json()["data"]
    assert [(one["type"], one.get("content"), one["actor"]["name"]) for one in history] == [
        ("note.added", "Wants a refund", "Mei"),
        ("note.edited", "Wants a new battery", "Mei"),
        ("note.edited", "Gets a new battery", "Boss"),
        ("note.removed", None, "Mei"),
    ]
    assert columns_of(fold_all(visitor.name, await log_of(db, visitor.name))) == await row_of(db, visitor.name)


async def test_a_visitor_never_sees_a_note_nor_a_question_to_a_colleague(stage: Stage, visitor: Visitor) -> None:
    mei = await stage.agent("mei")
    await stage.agent("bob")
    stream = await visitor.follows(visitor.name)
    await mei.takes_over(visitor)
    note = await writes_note(mei, visitor, "secret of @bob")
    await mei.put(f"/api/sessions/{visitor.name}/notes/{note['id']}", {"content": "another secret"})
    question = {"session_name": visitor.name, "assistant": "bob", "question": "a secret?"}
    data_of(await mei.post("/api/assist-requests", question))
    await mei.post(f"/api/sessions/{visitor.name}/typing", {"active": True, "internal": True})
    await mei.says(visitor, "Hello")
    await stream.sees("message.posted", content="Hello")
    replay = (await visitor.get(f"/api/sessions/{visitor.name}/events?wait=0")).json()
    whole = (await visitor.get(f"/api/sessions/{visitor.name}")).json()
    assert "secret" not in f"{stream.frames}{replay}{whole}"
    assert "typing" not in {one["type"] for one in stream.frames}
    for path in (f"sessions/{visitor.name}/notes", "mentions", "assist-requests"):
        assert (await visitor.get(f"/api/{path}")).status_code == 403


async def test_a_repeated_note_is_stored_once(db: Database, stage: Stage, visitor: Visitor) -> None:
    mei = await stage.agent("mei")
    made = [await writes_note(mei, visitor, "Once", client_msg_id="n-1") for _ in range(3)]
    assert made[0] == made[1] == made[2]
    assert [one.type for one in await log_of(db, visitor.name)] == ["session.opened", "note.added"]


async def test_who_is_named_is_told_and_reads_it_once(stage: Stage, visitor: Visitor) -> None:
    mei, bob, eve = await stage.agent("mei"), await stage.agent("bob"), await stage.agent("eve")
    desk = await bob.watches_the_desk()
    note = await writes_note(mei, visitor, "@BOB请看，@mei", mentions=["eve"])
    assert note["mentions"] == ["bob", "eve", "mei"]
    await desk.sees("mentions.changed", session=visitor.name, note_id=note["id"], by="Mei")
    (mention,) = (await mentions_of(bob))["mentions"]
    assert (mention["note_id"], mention["content"], mention["read"]) == (note["id"], "@BOB请看，@mei", False)
    assert (await mentions_of(mei))["unread"] == 0
    assert data_of(await bob.post("/api/mentions/read", {"note_ids": [note["id"]]})) == {"unread": 0}
    path = f"/api/sessions/{visitor.name}/notes/{note['id']}"
    data_of(await mei.put(path, {"content": "@bob and nobody else"}))
    assert [one["read"] for one in (await mentions_of(bob))["mentions"]] == [True]
    assert (await mentions_of(eve))["mentions"] == []
    data_of(await mei.delete(path))
    assert (await mentions_of(bob))["mentions"] == []


async def test_mentions_come_in_pages_and_all_are_read_at_once(stage: Stage, visitor: Visitor) -> None:
    mei, bob = await stage.agent("mei"), await stage.agent("bob")
    ids = [(await writes_note(mei, visitor, f"@bob {n}"))["id"] for n in range(5)]
    first = await mentions_of(bob, "?limit=3&unread=true")
    rest = await mentions_of(bob, f"?limit=3&cursor={first['next_cursor']}")
    assert sorted(one["note_id"] for one in first["mentions"] + rest["mentions"]) == sorted(ids)
    assert (first["unread"], rest["next_cursor"]) == (5, None)
    assert data_of(await bob.post("/api/mentions/read", {})) == {"unread": 0}
    assert (await mentions_of(bob, "?unread=true"))["mentions"] == []


async def test_what_is_wrong_is_refused_and_changes_nothing(db: Database, stage: Stage, visitor: Visitor) -> None:
    mei, bob = await stage.agent("mei"), await stage.agent("bob")
    inspector = await stage.agent("ins", "inspector")
    note = await writes_note(mei, visitor, "Mine")
    path = f"/api/sessions/{visitor.name}/notes"
    log = await log_of(db, visitor.name)
    refused = [
        (await mei.post(path, {"content": " "}), 422, "VALIDATION_FAILED"),
        (await mei.post(path, {"content": "x" * 5001}), 422, "VALIDATION_FAILED"),
        (await mei.post(path, {"content": "x", "mentions": ["nobody"]}), 422, "MENTION_UNKNOWN"),
        (await mei.post(path, {"content": "x", "mentions": "bob"}), 422, "VALIDATION_FAILED"),
        (await mei.post("/api/sessions/none/notes", {"content": "x"}), 404, "SESSION_NOT_FOUND"),
        (await mei.get("/api/sessions/none/notes"), 404, "SESSION_NOT_FOUND"),
        (await bob.put(f"{path}/{note['id']}", {"content": "Yours"}), 403, "PERMISSION_DENIED"),
        (await bob.delete(f"{path}/{note['id']}"), 403, "PERMISSION_DENIED"),
        (await mei.put(f"{path}/none", {"content": "x"}), 404, "NOTE_NOT_FOUND"),
        (await mei.get(f"{path}/none/history"), 404, "NOTE_NOT_FOUND"),
        (await inspector.post(path, {"content": "x"}), 403, "FORBIDDEN"),
        (await mei.get("/api/mentions?cursor=nonsense"), 422, "BAD_CURSOR"),
    ]
    for answer, status, code in refused:
        assert (answer.status_code, code_of(answer)) == (status, code), answer.request.url
    assert await log_of(db, visitor.name) == log
    assert (await inspector.get(path)).status_code == 200


async def test_an_agent_who_does_not_serve_types_unseen_by_the_visitor(stage: Stage, visitor: Visitor) -> None:
    mei, bob = await stage.agent("mei"), await stage.agent("bob")
    await mei.takes_over(visitor)
    asked = {"session_name": visitor.name, "assistant": "bob", "question": "Which pads fit?"}
    data_of(await mei.post("/api/assist-requests", asked))
    seen, colleague = await visitor.follows(visitor.name), await mei.follows(visitor.name)
    for stream in (seen, colleague):
        await stream.sees("stream.ready")
    for agent in (bob, mei):
        await agent.post(f"/api/sessions/{visitor.name}/typing", {"active": True})
    await seen.sees("typing")
    assert [one["actor"]["name"] for one in seen.frames if one["type"] == "typing"] == ["Mei"]
    await colleague.sees("typing", actor={"kind": "agent", "id": bob.id, "name": "Bob"})


def test_a_name_in_a_text_is_found_where_it_ends() -> None:
    keys = {"mei", "mei2", "王芳"}
    assert in_text("@mei请看", keys) == {"mei"}
    assert in_text("@mei2, @王芳你好", keys) == {"mei2", "王芳"}
    assert in_text("mei@mei.example @meister", keys) == set()
