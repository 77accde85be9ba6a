"""What the visitor's page may do: open a session, write, ask for a person, read its own session."""

import re
import time

import httpx2

from actors import Agent, Caller, Stage, Visitor, code_of, data_of
from kefu.kit.db import Database
from kefu.sessions.states import Status
from sessions.records import bring_to, log_of, row_of

NAME = re.compile(r"[A-Za-z0-9_.-]{1,80}")


async def test_a_conversation_opens_with_a_name_and_a_token(server: httpx2.AsyncClient) -> None:
    opened = data_of(await server.post("/api/conversation/new", json={}))
    assert set(opened) == {
        "success",
        "session_name",
        "conversation_id",
        "visitor_token",
        "shop",
        "status",
        "seq",
    }
    assert NAME.fullmatch(opened["session_name"])
    assert (opened["shop"], opened["status"], opened["seq"]) == ("default", "bot_active", 1)


async def test_the_visitors_language_is_asked_for_or_read_from_the_browser(stage: Stage, db: Database) -> None:
    for wish, header, locale, nickname in [
        ({"locale": "zh"}, "en", "zh", "访客"),
        ({}, "zh-CN,zh;q=0.9,en;q=0.8", "zh", "访客"),
        ({}, "de", "en", "Visitor"),
    ]:
        headers = {"Accept-Language": header}
        opened = data_of(await stage.http.post("/api/conversation/new", json=wish, headers=headers))
        row = await row_of(db, opened["session_name"])
        assert (row["locale"], row["nickname"].split()[0]) == (locale, nickname)


async def test_a_name_that_exists_needs_its_token_and_comes_back_as_it_stands(stage: Stage, db: Database) -> None:
    visitor = await stage.visitor(session_id="order-1001.A_b")
    seq = await visitor.says("hello")
    again = {"session_id": visitor.name}
    anonymous = await stage.http.post("/api/conversation/new", json=again)
    assert (anonymous.status_code, code_of(anonymous)) == (401, "TOKEN_REQUIRED")
    foreign = await (await stage.visitor()).post("/api/conversation/new", again)
    assert (foreign.status_code, code_of(foreign)) == (403, "FOREIGN_SESSION")
    of_agent = await (await stage.agent()).post("/api/conversation/new", again)
    assert (of_agent.status_code, code_of(of_agent)) == (403, "FORBIDDEN")
    own = data_of(await visitor.post("/api/conversation/new", again))
    assert (own["session_name"], own["seq"] >= seq) == (visitor.name, True)
    fresh = Caller(stage, own["visitor_token"])
    assert (await fresh.get(f"/api/sessions/{visitor.name}")).status_code == 200
    assert [one.type for one in await log_of(db, visitor.name)].count("session.opened") == 1


async def test_a_message_is_stored_whatever_the_state_and_a_repeat_gets_the_first_answer(
    stage: Stage, db: Database
) -> None:
    for status in Status:
        visitor = await stage.visitor()
        await bring_to(db, visitor.name, status)
        first = await visitor.posts("  在吗？\n", f"{status}:1")
        body = data_of(first, 201)
        expected = "bot_active" if status == Status.CLOSED else status
        assert (body["session_name"], body["client_msg_id"], body["status"]) == (visitor.name, f"{status}:1", expected)
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", body["at"])
        stored = (await log_of(db, visitor.name))[body["seq"] - 1]
        assert (stored.facts, stored.client_msg_id) == ({"role": "user", "content": "  在吗？\n"}, f"{status}:1")
        repeat = await visitor.posts("something else", f"{status}:1")
        assert (repeat.status_code, repeat.json()) == (201, body)


async def test_a_repeat_says_what_the_session_was_when_the_first_was_stored(stage: Stage) -> None:
    visitor, agent = await stage.visitor(), await stage.agent()
    first = await visitor.posts("hello", "one")
    await agent.takes_over(visitor)
    assert (await visitor.posts("hello", "one")).json()["seq"] == first.json()["seq"]


async def test_asking_for_a_person_gives_the_session_as_it_waits(visitor: Visitor) -> None:
    answer = await visitor.post(
        "/api/manual/escalate", {"session_name": visitor.name, "reason": "fail_loop", "details": "电池"}
    )
    body = answer.json()
    assert (body["success"], body["email_sent"], body["is_in_shift"]) == (True, False, True)
    session = body["data"]
    assert set(session) >= {
        "session_name", "shop", "status", "epoch", "seq", "conversation_id", "locale", "user_profile",
        "assigned_agent", "escalation", "priority", "message_count", "created_at", "updated_at",
        "manual_start_at", "last_manual_end_at",
    }  # fmt: skip
    assert (session["status"], session["epoch"], session["seq"], session["assigned_agent"]) == (
        "pending_manual",
        0,
        2,
        None,
    )
    trigger_at = session["escalation"].pop("trigger_at")
    assert abs(trigger_at - time.time()) < 5
    assert session["escalation"] == {"reason": "fail_loop", "details": "电池", "severity": "low"}
    assert set(session["priority"]) == {
        "level",
        "is_vip",
        "wait_time_seconds",
        "is_timeout",
        "is_repeat",
        "urgent_keywords",
        "reminded_minutes",
    }


async def test_asking_for_a_person_while_one_is_there_says_so(stage: Stage) -> None:
    visitor, agent = await stage.visitor(), await stage.agent()
    await agent.takes_over(visitor)
    answer = await visitor.post("/api/manual/escalate", {"session_name": visitor.name}, **{"Accept-Language": "zh-CN"})
    error = answer.json()["error"]
    assert (answer.status_code, error["code"]) == (409, "MANUAL_IN_PROGRESS")
    assert error["details"] == {"agent": {"id": agent.id, "name": "Mei"}}
    assert error["message"] == "人工客服正在服务该会话。"


async def test_the_visitor_reads_the_session_without_its_internal_part(visitor: Visitor, agent: Agent) -> None:
    asked = await visitor.says("hello", "m-1")
    await visitor.sees("message.posted", role="assistant")
    await agent.takes_over(visitor)
    await agent.says(visitor, "您好", "a-1")
    own = data_of(await visitor.get(f"/api/sessions/{visitor.name}"))
    seen_by_agent = data_of(await agent.get(f"/api/sessions/{visitor.name}"))
    assert own["audit_trail"] == []
    assert [move["type"] for move in seen_by_agent["audit_trail"]] == ["session.opened", "session.taken_over"]
    history = own["session"]["history"]
    assert history == seen_by_agent["session"]["history"]
    assert [one["role"] for one in history] == ["user", "assistant", "agent"]
    assert (history[0]["seq"], history[0]["client_msg_id"], history[0]["agent_id"]) == (asked, "m-1", None)
    assert (history[2]["agent_id"], history[2]["agent_name"], history[2]["content"]) == (agent.id, "Mei", "您好")


async def test_the_history_holds_the_newest_fifty_messages(visitor: Visitor, agent: Agent) -> None:
    await agent.takes_over(visitor)
    for n in range(55):
        await visitor.says(f"message {n}")
    history = (await agent.reads(visitor))["history"]
    assert [one["content"] for one in history] == [f"message {n}" for n in range(5, 55)]


async def test_a_visitor_writes_to_the_person_who_serves_only_while_one_does(visitor: Visitor, agent: Agent) -> None:
    body = {"session_name": visitor.name, "role": "user", "content": "hello", "client_msg_id": "m-1"}
    early = await visitor.post("/api/manual/messages", body)
    assert (early.status_code, code_of(early)) == (409, "INVALID_STATUS")
    assert early.json()["error"]["details"]["status"] == "bot_active"
    await agent.takes_over(visitor)
    stored = data_of(await visitor.post("/api/manual/messages", body))
    assert (stored["client_msg_id"], abs(stored["timestamp"] - time.time()) < 5) == ("m-1", True)
    assert data_of(await visitor.post("/api/manual/messages", body | {"content": "again"})) == stored
    assert [one["content"] for one in (await agent.reads(visitor))["history"]] == ["hello"]
