"""Coze's own ways: who we are there, whose conversation it is, and what it calls a failure."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from ai.coze_wire import COMPLETED, Coze, chat, coze, event, key, message, private_pem
from ai.provider import OWN, Provider, Script, answers, provider, says
from kefu.ai.catalog import Choice
from kefu.ai.conversations import Conversations
from kefu.ai.coze import CozeModel
from kefu.ai.ports import Ask, Finished, Message, Piece, ProviderFailed
from kefu.ai.telling import Line
from kefu.kit.db import Database
from kefu.kit.http import Outbound
from kefu.kit.http_streams import HttpStreams, Waits

IDS = {"coze_app_id": "app1", "coze_workflow_id": "flow1", "coze_client_id": "client1", "coze_public_key_id": "kid1"}
PUBLIC = key().public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
OF_CURVES = generate_private_key(SECP256R1()).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


class There:
    def __init__(self, db: Database, streams: HttpStreams, server: Provider, coze: Coze) -> None:
        self.server, self.coze = server, coze
        self._line = Line(streams, Waits(read=1), pace=0.005)
        self._db = db

    def model(self, key: str = "") -> CozeModel:
        """As another process has it: with no token yet."""
        choice = Choice("coze", self.server.url, key or private_pem(), **IDS)
        return CozeModel(choice, self._line, Conversations(self._db))

    def chats(self) -> list[dict[str, object]]:
        return [one.body for one in self.server.heard if one.path == "/v1/workflows/chat"]


@asynccontextmanager
async def coze_there(db: Database, *chats: Script) -> AsyncIterator[There]:
    coze, streams = Coze(*chats), HttpStreams(Outbound(OWN))
    async with provider(coze) as server:
        yield There(db, streams, server, coze)
        await streams.stop()


async def said(model: CozeModel, session: str = "s_1", text: str = "Hello") -> str:
    ask = Ask([Message("system", "Be kind."), Message("assistant", "Hi"), Message("user", text)], session, "answer")
    found = [one async for one in model.stream(ask)]
    assert isinstance(found[-1], Finished)
    return "".join(one.text for one in found if isinstance(one, Piece))


async def failure(model: CozeModel) -> ProviderFailed:
    with pytest.raises(ProviderFailed) as failed:
        await said(model)
    return failed.value


async def test_each_session_is_somebody_else_to_it_with_one_conversation(db: Database) -> None:
    async with coze_there(db) as there:
        model = there.model()
        for session in ("s_1", "s_2", "s_1"):
            assert await said(model, session) == "Hello"
        assert await said(there.model(), "s_1") == "Hello"
        asked = [(one["session_name"], one["conversation_id"]) for one in there.chats()]
        first, second = there.coze.made
        assert asked == [("s_1", first), ("s_2", second), ("s_1", first), ("s_1", first)]
        tokens = list(there.coze.tokens.values())
        assert [one["session_name"] for one in tokens] == ["s_1", "s_2", "s_1"]
        assert {(one["iss"], one["kid"], one["alg"], one["duration_seconds"]) for one in tokens} == {
            ("client1", "kid1", "RS256", 3600)
        }
        assert len({one["jti"] for one in tokens}) == 3
        assert all(one["exp"] - one["iat"] == 3600 for one in tokens)


async def test_it_is_asked_with_what_the_prompt_says_before_and_the_last_message(db: Database) -> None:
    async with coze_there(db) as there:
        await said(there.model(), text="Can I return it?")
        (body,) = there.chats()
    question = "Be kind.\n\nCan I return it?"
    assert body["parameters"] == {"USER_INPUT": question}
    assert body["additional_messages"] == [
        {"role": "user", "type": "question", "content": question, "content_type": "text"}
    ]
    assert (body["app_id"], body["workflow_id"]) == ("app1", "flow1")


async def test_a_token_is_kept_until_the_moment_it_ends_and_not_for_that_long(db: Database) -> None:
    async with coze_there(db) as there:
        model = there.model()
        for _ in range(2):
            await said(model)
            assert len(there.coze.tokens) == 1
        there.coze.lives = 60  # so soon that it would end in an answer
        model = there.model()
        await said(model)
        await said(model)
        assert len(there.coze.tokens) == 3


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_a_token_that_was_revoked_is_replaced_once(db: Database) -> None:
    async with coze_there(db) as there:
        model = there.model()
        await said(model)
        there.coze.revoked.update(there.coze.tokens)
        assert await said(model) == "Hello"
        assert len(there.coze.tokens) == 2
        refused = event("error", {"code": 4100, "msg": "authentication is invalid"})
        there.coze.chats = [says([refused]), says(coze(["Once more"]))]
        assert await said(model) == "Once more"
        assert len(there.coze.tokens) == 3
        there.coze.chats = [answers({"code": 4100, "msg": "authentication is invalid"})]
        failed = await failure(model)
        assert (failed.reason, failed.said) == ("denied", "4100 authentication is invalid")
        assert len(there.coze.tokens) == 4


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_what_it_calls_a_failure_is_one(db: Database) -> None:
    def failed_with(code: int, said: str) -> bytes:
        return event("conversation.chat.failed", chat("failed", last_error={"code": code, "msg": said}))

    action = {"type": "submit_tool_outputs", "submit_tool_outputs": {"tool_calls": []}}
    required = event("conversation.chat.requires_action", chat("requires_action", required_action=action))
    ends = {
        "broken: 5000 internal error": [failed_with(5000, "internal error")],
        "busy: 4013 too fast": [failed_with(4013, "too fast")],
        "denied: 4028 no credit": [failed_with(4028, "no credit")],
        "broken: 5000 event went wrong": [event("error", {"code": 5000, "msg": "event went wrong"})],
        "denied: The workflow asks for a tool, and there is none here (requires_action).": [required],
        "cut: ": [event("conversation.message.completed", message("Hel"))],
        "empty: ": [event("conversation.chat.completed", chat("completed", usage=COMPLETED))],
    }
    async with coze_there(db) as there:
        for what, end in ends.items():
            there.coze.chats = [says(coze([] if what == "empty: " else ["Hel"], *end))]
            failed = await failure(there.model())
            assert f"{failed.reason}: {failed.said}" == what


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_a_key_that_is_none_or_another_is_said(db: Database) -> None:
    async with coze_there(db) as there:
        for none in ("no key", PUBLIC, OF_CURVES):
            assert (await failure(there.model(none))).said == "The private key is none."
        assert there.server.heard == []
        there.coze.chats = [answers({"code": 4200, "msg": "app not found"}, 400)]
        assert (await failure(there.model())).said == "HTTP 400 app not found"
