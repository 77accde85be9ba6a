"""What makes no sense is refused with the right code, in the caller's language, and changes nothing."""

import json
from typing import Any

import pytest

from actors import Agent, Caller, Stage, Visitor, code_of
from kefu.kit.db import Database
from kefu.kit.web import BODY_LIMIT, body_limit
from kefu.sessions.states import Status
from sessions.records import bring_to, log_of

CHINESE = {"Accept-Language": "zh-CN"}
LONGEST = "长" * 5000
NAMES = ("", "a b", "客服", "x" * 81, "a/b", "a\x00b", 7, ["a"], {"a": 1}, True)
IDS: tuple[Any, ...] = ("", "a b", "x" * 65, "客", 7, ["a"], {}, False)
TEXTS = (None, 7, 1.5, True, ["hello"], {"text": "hello"}, "", " \n\t\u3000", "\x00", LONGEST + "长", "\ud800")
LOCALES = ("", "de", "zh-CN", 7, ["en"])
SHOPS = ("", "Shop", "a b", "x" * 41, 7, "-a", "a\x00")


async def refusals(who: Caller, path: str, good: dict[str, Any], bad: dict[str, tuple[Any, ...]]) -> None:
    """Post `good` with one field spoilt at a time; each time the answer names that field and nothing else."""
    for field, values in bad.items():
        for value in values:
            answer = await who.send(path, json.dumps(good | {field: value}).encode(), **CHINESE)
            assert (answer.status_code, code_of(answer)) == (422, "VALIDATION_FAILED"), (field, value, answer.text)
            error = answer.json()["error"]
            assert [one["field"] for one in error["details"]["fields"]] == [field], (value, error)
            assert error["message"] == "部分字段有误。"
            assert all(one["reason"].isascii() is False for one in error["details"]["fields"]), error


@pytest.fixture
async def taken(visitor: Visitor, agent: Agent) -> Visitor:
    await agent.takes_over(visitor)
    return visitor


async def test_every_field_of_every_request_is_checked(taken: Visitor, agent: Agent, db: Database) -> None:
    before = await log_of(db, taken.name)
    name = {"session_name": taken.name}
    text = {"content": TEXTS, "client_msg_id": IDS}
    await refusals(taken, "/api/conversation/new", {}, {"session_id": NAMES, "shop": SHOPS, "locale": LOCALES})
    chat = {"message": TEXTS, "user_id": NAMES, "client_msg_id": IDS, "shop": SHOPS, "locale": LOCALES}
    await refusals(taken, "/api/chat", {"message": "hello"}, chat)
    await refusals(taken, "/api/chat/stream", {"message": "hello"}, chat | {"conversation_id": ("x" * 81, 7, [])})
    path = f"/api/sessions/{taken.name}"
    await refusals(taken, f"{path}/messages", {"content": "hello", "client_msg_id": "one"}, text)
    await refusals(taken, f"{path}/typing", {"active": True}, {"active": (None, 1, "yes", "true", [])})
    escalation = {"session_name": (None, *NAMES), "reason": ("", "bored", 7), "details": (7, "x" * 201, "\x00")}
    await refusals(taken, "/api/manual/escalate", name, escalation)
    manual = text | {"session_name": (None, *NAMES), "role": (None, "", "bot", "assistant", 7)}
    await refusals(agent, "/api/manual/messages", name | {"role": "agent", "content": "hello"}, manual)
    for act in ("release", "close"):
        await refusals(agent, f"{path}/{act}", {}, {"reason": (None, 7, "x" * 201, "a\x00", ["x"])})
    assert await log_of(db, taken.name) == before


async def test_what_is_required_is_named_when_it_is_missing(taken: Visitor, agent: Agent) -> None:
    for who, path, fields in (
        (taken, "/api/chat", ["message"]),
        (taken, "/api/chat/stream", ["message"]),
        (taken, f"/api/sessions/{taken.name}/messages", ["content", "client_msg_id"]),
        (taken, f"/api/sessions/{taken.name}/typing", ["active"]),
        (taken, "/api/manual/escalate", ["session_name"]),
        (agent, "/api/manual/messages", ["content", "session_name", "role"]),
    ):
        answer = await who.post(path, {})
        found = answer.json()["error"]["details"]["fields"]
        assert (answer.status_code, [one["field"] for one in found]) == (422, fields)
        assert {one["reason"] for one in found} == {"is required"}


async def test_what_is_no_json_object_is_refused(taken: Visitor) -> None:
    path = f"/api/sessions/{taken.name}/messages"
    for content in (b"", b"{", b"null", b"[]", b'"text"', b"7", b"\xff\xfe", b"[" * 50_000, b'{"content":', b"NaN"):
        answer = await taken.send(path, content)
        assert (answer.status_code, code_of(answer)) == (422, "VALIDATION_FAILED"), content[:20]


async def test_a_body_that_is_too_large_is_413(taken: Visitor, agent: Agent) -> None:
    body = {"content": "x" * BODY_LIMIT, "client_msg_id": "one"}
    for path in (f"/api/sessions/{taken.name}/messages", "/api/chat", "/api/conversation/new", "/api/agent/login"):
        answer = await taken.post(path, body, **{"Accept-Language": "zh"})
        assert (answer.status_code, code_of(answer)) == (413, "TOO_LARGE"), path
        assert answer.json()["error"]["message"] == f"请求超过 {body_limit(path)} 字节。"
    assert (await agent.reads(taken))["message_count"] == 0


async def test_the_longest_message_is_5000_characters_of_any_script(taken: Visitor, agent: Agent) -> None:
    for longest in (LONGEST, "🚲" * 5000, "x" * 5000):
        await taken.says(longest)
        await agent.says(taken, longest)
        assert (await taken.posts(f"{longest}x")).status_code == 422
        assert (await agent.writes(taken, f"{longest}x")).status_code == 422
    escaped = json.dumps({"content": "🚲" * 5000, "client_msg_id": "escaped"}).encode()
    assert (await taken.send(f"/api/sessions/{taken.name}/messages", escaped)).status_code == 201
    kept = [one["content"] for one in (await agent.reads(taken))["history"]]
    assert kept.pop() == "🚲" * 5000
    assert [set(one) for one in kept] == [{"长"}, {"长"}, {"🚲"}, {"🚲"}, {"x"}, {"x"}]
    assert {len(one) for one in kept} == {5000}


async def test_nul_has_no_place_in_a_message(taken: Visitor, agent: Agent) -> None:
    await taken.says("a\x00b")
    assert [one["content"] for one in (await agent.reads(taken))["history"]] == ["ab"]


async def test_a_session_that_is_none_is_404_for_agents_and_foreign_for_visitors(stage: Stage, agent: Agent) -> None:
    visitor = await stage.visitor()
    nobody = {"session_name": "nobody"}
    message = {"content": "hello", "client_msg_id": "one"}
    for path, body in (
        ("/api/sessions/nobody/takeover", None),
        ("/api/sessions/nobody/release", None),
        ("/api/sessions/nobody/close", None),
        ("/api/sessions/nobody/typing", {"active": True}),
        ("/api/manual/escalate", nobody),
        ("/api/manual/messages", nobody | {"role": "agent", "content": "hello"}),
    ):
        answer = await agent.post(path, body)
        assert (answer.status_code, code_of(answer)) == (404, "SESSION_NOT_FOUND"), path
        assert answer.json()["error"]["details"] == nobody
    assert (await agent.get("/api/sessions/nobody")).status_code == 404
    for path, body in (
        ("/api/sessions/nobody/messages", message),
        ("/api/sessions/nobody/typing", {"active": True}),
        ("/api/manual/escalate", nobody),
        ("/api/manual/messages", nobody | {"role": "user", "content": "hello"}),
    ):
        answer = await visitor.post(path, body)
        assert (answer.status_code, code_of(answer)) == (403, "FOREIGN_SESSION"), path
    assert (await visitor.get("/api/sessions/nobody")).status_code == 403
    for name in ("a b", "x" * 81, "%E5%AE%A2", "a%00b"):
        assert (await agent.get(f"/api/sessions/{name}")).status_code == 422
        assert (await agent.post(f"/api/sessions/{name}/takeover")).status_code == 422


async def test_nothing_is_open_without_a_token_that_should_not_be(stage: Stage, visitor: Visitor) -> None:
    bodies: dict[str, Any] = {
        f"/api/sessions/{visitor.name}/messages": {"content": "hello", "client_msg_id": "one"},
        f"/api/sessions/{visitor.name}/typing": {"active": True},
        f"/api/sessions/{visitor.name}/takeover": None,
        f"/api/sessions/{visitor.name}/release": None,
        f"/api/sessions/{visitor.name}/close": None,
        "/api/manual/escalate": {"session_name": visitor.name},
        "/api/manual/messages": {"session_name": visitor.name, "role": "user", "content": "hello"},
        "/api/chat": {"message": "hello", "user_id": visitor.name},
        "/api/chat/stream": {"message": "hello", "user_id": visitor.name},
        "/api/conversation/new": {"session_id": visitor.name},
    }
    for path, body in bodies.items():
        answer = await stage.http.post(path, json=body, headers={"Accept-Language": "zh"})
        assert (answer.status_code, code_of(answer)) == (401, "TOKEN_REQUIRED"), path
        assert answer.json()["error"]["message"] == "请先登录。"
        forged = await stage.http.post(path, json=body, headers={"Authorization": f"Bearer {visitor.token}x"})
        assert (forged.status_code, code_of(forged)) == (401, "TOKEN_INVALID"), path
    for path in (f"/api/sessions/{visitor.name}", "/api/sessions", "/api/agent/events"):
        assert (await stage.http.get(path)).status_code == 401


async def test_a_visitor_writes_only_as_a_visitor_and_an_agent_as_an_agent(taken: Visitor, agent: Agent) -> None:
    body = {"session_name": taken.name, "content": "hello"}
    for who, role in ((taken, "agent"), (agent, "user")):
        answer = await who.post("/api/manual/messages", body | {"role": role})
        assert (answer.status_code, code_of(answer)) == (403, "FORBIDDEN")
    answer = await agent.post(f"/api/sessions/{taken.name}/messages", {"content": "hello", "client_msg_id": "one"})
    assert (answer.status_code, code_of(answer)) == (403, "FORBIDDEN")


async def test_a_shop_that_is_none_is_404(stage: Stage, visitor: Visitor) -> None:
    for path, body in (("/api/conversation/new", {}), ("/api/chat", {"message": "hello"})):
        answer = await stage.http.post(path, json=body | {"shop": "nowhere"})
        assert (answer.status_code, code_of(answer)) == (404, "SHOP_NOT_FOUND")
    assert (await visitor.get("/api/bot/info?shop=nowhere")).status_code == 404
    assert (await visitor.get("/api/bot/info?shop=No%20where")).status_code == 422


async def test_a_message_to_a_mailbox_or_a_queue_asks_no_bot(stage: Stage, db: Database) -> None:
    for status in (Status.AFTER_HOURS_EMAIL, Status.PENDING_MANUAL):
        visitor = await stage.visitor()
        await bring_to(db, visitor.name, status)
        await visitor.says("hello")
        answer = await visitor.post("/api/chat", {"message": "hello", "user_id": visitor.name})
        assert (answer.status_code, code_of(answer)) == (409, "SESSION_IN_MANUAL_MODE")
        assert [one.facts["role"] for one in await log_of(db, visitor.name) if one.type == "message.posted"] == ["user"]
