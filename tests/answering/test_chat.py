"""Chat for callers who wait for the bot, as one answer (A2) and as a stream of it (A3)."""

import asyncio
from collections.abc import AsyncGenerator
from typing import Any

import httpx2
import orjson
import pytest

from actors import Agent, Stage, Visitor, code_of, data_of
from answering.held import HeldAnswerer
from kefu.answering import waiting
from kefu.answering.ports import Answer, Answerer, Delta, Turn
from kefu.answering.scripted import SCRIPT, ScriptedAnswerer
from kefu.realtime import follower
from kefu.sessions.since import since

ANSWER = {"success", "message", "answered", "session_name", "visitor_token", "seq", "sources"}


async def frames_of(answer: httpx2.Response) -> list[dict[str, Any]]:
    """The objects of a whole stream; each frame has an id of its own."""
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].startswith("text/event-stream")
    frames = [frame.split("\n") for frame in answer.text.split("\n\n") if frame]
    assert len({frame[0] for frame in frames}) == len(frames)
    assert all(frame[0].startswith("id: ") and frame[1].startswith("data: ") for frame in frames)
    return [orjson.loads(frame[1].removeprefix("data: ")) for frame in frames]


async def test_the_bots_answer_comes_with_the_session_and_its_token(stage: Stage, server: httpx2.AsyncClient) -> None:
    first = data_of(await server.post("/api/chat", json={"message": "is it waterproof?"}))
    assert set(first) == ANSWER
    assert (first["message"], first["answered"], first["sources"], first["seq"]) == (SCRIPT, True, [], 2)
    visitor = Visitor(stage, first)
    body = {"message": "and the battery?", "user_id": visitor.name, "conversation_id": "anything"}
    second = data_of(await visitor.post("/api/chat", body))
    assert (second["session_name"], second["visitor_token"], second["seq"]) == (visitor.name, None, 5)


async def test_an_unknown_user_id_opens_the_session_of_that_name(server: httpx2.AsyncClient) -> None:
    body = {"message": "hello", "user_id": "customer.42", "locale": "zh", "shop": "default"}
    answer = data_of(await server.post("/api/chat", json=body))
    assert (answer["session_name"], bool(answer["visitor_token"])) == ("customer.42", True)
    again = await server.post("/api/chat", json=body)
    assert (again.status_code, code_of(again)) == (401, "TOKEN_REQUIRED")


async def test_a_repeat_gets_the_first_answer(visitor: Visitor, agent: Agent) -> None:
    body = {"message": "hello", "user_id": visitor.name, "client_msg_id": "m-1"}
    answers = await asyncio.gather(*(visitor.post("/api/chat", body) for _ in range(4)))
    assert len({answer.text for answer in answers}) == 1
    assert [one["role"] for one in (await agent.reads(visitor))["history"]] == ["user", "assistant"]


@pytest.mark.parametrize("path", ["/api/chat", "/api/chat/stream"])
async def test_while_a_person_is_asked_for_or_there_the_bot_is_not(
    stage: Stage, visitor: Visitor, agent: Agent, path: str
) -> None:
    body = {"message": "hello", "user_id": visitor.name}
    await visitor.asks_for_a_person()
    waiting = await visitor.post(path, body, **{"Accept-Language": "zh"})
    assert (waiting.status_code, code_of(waiting)) == (409, "SESSION_IN_MANUAL_MODE")
    assert waiting.json()["error"]["details"] == {"status": "pending_manual"}
    assert waiting.json()["error"]["message"] == "会话已转人工（pending_manual），请等待人工客服回复。"
    await agent.takes_over(visitor)
    served = await visitor.post(path, body)
    assert served.json()["error"]["details"] == {"status": "manual_live"}
    assert (await agent.reads(visitor))["history"] == []
    foreign = await (await stage.visitor()).post(path, body)
    assert (foreign.status_code, code_of(foreign)) == (403, "FOREIGN_SESSION")


async def test_a_closed_session_is_reopened(visitor: Visitor, agent: Agent) -> None:
    await agent.closes(visitor)
    answer = data_of(await visitor.post("/api/chat", {"message": "hello again", "user_id": visitor.name}))
    assert answer["message"] == SCRIPT
    assert (await agent.reads(visitor))["status"] == "bot_active"


async def test_the_stream_is_deltas_then_sources_then_done(visitor: Visitor) -> None:
    body = {"message": "is it waterproof?", "user_id": visitor.name, "client_msg_id": "m-1"}
    for _ in range(2):
        frames = await frames_of(await visitor.post("/api/chat/stream", body))
        assert "".join(frame["content"] for frame in frames if frame["type"] == "message") == SCRIPT
        assert [frame["type"] for frame in frames][-2:] == ["sources", "done"]
        assert frames[-1] == {
            "type": "done",
            "content": "",
            "answered": True,
            "session_name": visitor.name,
            "visitor_token": None,
            "seq": 2,
        }


async def test_a_stream_that_opens_a_session_ends_with_its_token(server: httpx2.AsyncClient, stage: Stage) -> None:
    frames = await frames_of(await server.post("/api/chat/stream", json={"message": "hello"}))
    visitor = Visitor(stage, frames[-1])
    assert (await visitor.get(f"/api/sessions/{visitor.name}")).status_code == 200


class Torrent:
    """Says much without ever waiting."""

    async def answer(self, turn: Turn) -> AsyncGenerator[Delta | Answer]:
        async for piece in ScriptedAnswerer("word " * 600, pause=0).answer(turn):
            if isinstance(piece, Answer):
                for _ in range(600):
                    yield Delta("word ")
                yield piece


@pytest.mark.parametrize("answerer", [Torrent()], ids=["a torrent"])
@pytest.mark.usefixtures("answerer")
async def test_a_bot_that_says_much_at_once_is_heard_to_the_end(visitor: Visitor) -> None:
    stream = await visitor.follows(visitor.name)
    await stream.sees("stream.ready")
    body = {"message": "tell me all", "user_id": visitor.name}
    assert data_of(await visitor.post("/api/chat", body))["message"].count("word") == 600
    frames = await frames_of(await visitor.post("/api/chat/stream", body))
    assert frames[-1]["type"] == "done"
    await stream.sees("message.posted", role="assistant", reply_to=frames[-1]["seq"])


@pytest.mark.parametrize("answerer", [Torrent()], ids=["a torrent"])
@pytest.mark.usefixtures("answerer")
async def test_who_is_still_reading_the_log_when_it_comes_gets_the_answer(
    visitor: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def slowly(*asked: Any, **how: Any) -> Any:
        await asyncio.sleep(0.5)
        return await since(*asked, **how)

    monkeypatch.setattr(waiting, "since", slowly)
    monkeypatch.setattr(follower, "QUEUE_LIMIT", 50)
    body = {"message": "tell me all", "user_id": visitor.name}
    assert data_of(await visitor.post("/api/chat", body))["message"].count("word") == 600


class TestWhileTheBotSpeaks:
    @pytest.fixture
    def held(self) -> HeldAnswerer:
        return HeldAnswerer("Yes, it is.")

    @pytest.fixture
    def answerer(self, held: HeldAnswerer) -> Answerer:
        return held

    @pytest.fixture
    def body(self, visitor: Visitor) -> dict[str, str]:
        return {"message": "is it waterproof?", "user_id": visitor.name}

    async def test_a_takeover_ends_the_wait_with_what_became_of_it(
        self, visitor: Visitor, agent: Agent, held: HeldAnswerer, body: dict[str, str]
    ) -> None:
        asked = asyncio.create_task(visitor.post("/api/chat", body))
        await held.begins()
        await agent.takes_over(visitor)
        answer = await asked
        assert (answer.status_code, code_of(answer)) == (409, "SESSION_IN_MANUAL_MODE")
        assert answer.json()["error"]["details"]["seq"] == 2
        held.may_end.set()

    async def test_a_takeover_is_a_frame_of_the_stream(
        self, visitor: Visitor, agent: Agent, held: HeldAnswerer, body: dict[str, str]
    ) -> None:
        asked = asyncio.create_task(visitor.post("/api/chat/stream", body))
        await held.begins()
        await agent.takes_over(visitor)
        frames = await frames_of(await asked)
        changed = next(frame for frame in frames if frame["type"] == "status_change")
        assert changed["status"] == "manual_live"
        assert changed["agent_info"] == {"agent_id": agent.id, "agent_name": "Mei"}
        assert (frames[-1]["type"], frames[-1]["answered"]) == ("done", False)
        held.may_end.set()

    async def test_a_bot_that_is_silent_is_said_to_be(
        self, visitor: Visitor, held: HeldAnswerer, body: dict[str, str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(waiting, "PATIENCE_SECONDS", 0.3)
        answer = await visitor.post("/api/chat", body)
        assert (answer.status_code, code_of(answer)) == (503, "BOT_SILENT")
        assert answer.headers["Retry-After"] == "2"
        frames = await frames_of(await visitor.post("/api/chat/stream", body, **{"Accept-Language": "zh"}))
        assert frames[-1] == {"type": "error", "code": "BOT_SILENT", "content": "智能客服响应较慢，请稍候。"}
        held.may_end.set()

    async def test_a_visitor_who_leaves_does_not_kill_the_answer(
        self, visitor: Visitor, agent: Agent, held: HeldAnswerer, body: dict[str, str]
    ) -> None:
        asked = asyncio.create_task(visitor.post("/api/chat/stream", body))
        await held.begins()
        asked.cancel()
        await asyncio.gather(asked, return_exceptions=True)
        held.may_end.set()
        stream = await visitor.follows(visitor.name)
        await stream.sees("message.posted", role="assistant", content="Yes, it is.")
        assert len((await agent.reads(visitor))["history"]) == 2
