"""The servers of these tests speak as the providers do: the providers' own clients hear from them what ours hears.

And ours asks as they do. These clients are here to describe the protocols; what serves people does not know them
(docs/adr/0022).
"""

import warnings
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import openai
import pytest

from ai import openai_wire
from ai.coze_wire import COMPLETED, Coze, chat, coze, event, private_pem
from ai.provider import OWN, Provider, Script, answers, provider, says
from kefu.ai.catalog import Choice
from kefu.ai.conversations import Conversations
from kefu.ai.coze import CozeModel
from kefu.ai.openai import OpenAiModel
from kefu.ai.ports import Ask, ChatModel, Finished, Message, Piece, ProviderFailed
from kefu.ai.telling import Line
from kefu.kit.db import Database
from kefu.kit.http import Outbound
from kefu.kit.http_streams import HttpStreams, Waits

with warnings.catch_warnings(record=True):  # of a part of Authlib that will go
    import cozepy

KEY = "sk-0123456789abcdef"
TEXTS = ("Bring it back ", "within 30 days. ", "三十天内", "可以退货。", "🚲")
QUESTION = "Can I return it?"
ASK = Ask([Message("system", "Be kind."), Message("user", QUESTION)], "s_1", "answer", max_tokens=50)
MESSAGES: Any = [{"role": one.role, "content": one.content} for one in ASK.messages]
APP = {"coze_app_id": "app1", "coze_workflow_id": "flow1", "coze_client_id": "client1", "coze_public_key_id": "kid1"}


@pytest.fixture
async def line() -> AsyncIterator[Line]:
    streams = HttpStreams(Outbound(OWN))
    yield Line(streams, Waits(connect=5, read=5), pace=0.001)
    await streams.stop()


async def ours(model: ChatModel) -> tuple[str, tuple[int, int], str]:
    """The text, the tokens and how it ended. Raises ProviderFailed."""
    *pieces, end = [one async for one in model.stream(ASK)]
    assert isinstance(end, Finished)
    text = "".join(one.text for one in pieces if isinstance(one, Piece))
    return text, (end.usage.tokens_in, end.usage.tokens_out), end.stopped


@asynccontextmanager
async def of_openai(url: str, choice: Choice) -> AsyncIterator[openai.AsyncOpenAI]:
    if choice.provider == "azure":
        client: openai.AsyncOpenAI = openai.AsyncAzureOpenAI(
            azure_endpoint=url,
            azure_deployment=choice.deployment,
            api_version=choice.api_version,
            api_key=KEY,
            max_retries=0,
        )
    else:
        client = openai.AsyncOpenAI(api_key=KEY, base_url=choice.url, max_retries=0)
    async with client:
        yield client


async def theirs(client: openai.AsyncOpenAI, choice: Choice) -> tuple[str, tuple[int, int], str]:
    most: Any = {"max_completion_tokens" if choice.provider == "openai" else "max_tokens": 50}
    stream = await client.chat.completions.create(
        model=choice.name,
        messages=MESSAGES,
        stream=True,
        stream_options={"include_usage": True},
        temperature=ASK.temperature,
        **most,
    )
    text, usage, end = "", (0, 0), ""
    async for chunk in stream:
        for one in chunk.choices[:1]:
            text, end = text + (one.delta.content or ""), one.finish_reason or end
        if chunk.usage:
            usage = chunk.usage.prompt_tokens, chunk.usage.completion_tokens
    return text, usage, end


def choice_at(url: str, kind: str) -> Choice:
    if kind == "azure":
        return Choice("azure", url, KEY, deployment="desk 1")
    return Choice("openai" if kind == "openai" else "custom", f"{url}/v1", KEY, "gpt-4o-mini")


@pytest.mark.parametrize("kind", ["openai", "azure", "deepseek", "qwen", "ollama", "vllm"])
async def test_completions_are_asked_for_and_read_as_by_the_client_of_openai(kind: str, line: Line) -> None:
    async with provider(says(getattr(openai_wire, kind)(TEXTS))) as server:
        choice = choice_at(server.url, kind)
        async with of_openai(server.url, choice) as client:
            there = await theirs(client, choice)
        assert await ours(OpenAiModel(choice, line)) == there == ("".join(TEXTS), (21, 9), "stop")
        by_them, by_us = server.heard
    assert by_us.path == by_them.path
    assert by_us.headers.get("authorization") == by_them.headers.get("authorization")
    assert by_us.headers.get("api-key") == by_them.headers.get("api-key")
    assert {"model": choice.name} | by_us.body == by_them.body


REFUSED: dict[str, tuple[Script, type[openai.APIError], str]] = {
    "Rate limit": (
        answers({"error": {"message": "Rate limit", "code": "rate_limit_exceeded"}}, 429, Retry_After="7"),
        openai.RateLimitError,
        "busy 7.0",
    ),
    "Incorrect API key": (
        answers({"error": {"message": "Incorrect API key", "code": "invalid_api_key"}}, 401),
        openai.AuthenticationError,
        "denied None",
    ),
    "The server had an error": (
        answers({"error": {"message": "The server had an error", "code": None}}, 500),
        openai.InternalServerError,
        "broken None",
    ),
    "Overloaded": (
        says([openai_wire.frame({"error": {"message": "Overloaded", "code": "server_error"}})]),
        openai.APIError,
        "broken None",
    ),
}


@pytest.mark.parametrize("message", REFUSED)
async def test_a_refusal_is_one_to_the_client_of_openai_too(message: str, line: Line) -> None:
    script, error, reason = REFUSED[message]
    async with provider(script) as server:
        choice = choice_at(server.url, "openai")
        async with of_openai(server.url, choice) as client:
            with pytest.raises(error) as refused:
                await theirs(client, choice)
        assert message in refused.value.message
        if isinstance(refused.value, openai.RateLimitError):
            assert refused.value.response.headers["retry-after"] == "7"
        with pytest.raises(ProviderFailed) as failed:
            await ours(OpenAiModel(choice, line))
    assert f"{failed.value.reason} {failed.value.wait}" == reason
    assert failed.value.said.endswith(message)


class OfCoze:
    """cozepy as its documentation has it used: a token of the app for a session, a conversation, a chat."""

    def __init__(self, server: Provider, http: "cozepy.AsyncHTTPClient") -> None:
        self._server, self._http = server, http

    async def token(self) -> "cozepy.OAuthToken":
        app = cozepy.AsyncJWTOAuthApp("client1", private_pem(), "kid1", self._server.url)
        app._requester._async_client = self._http  # noqa: SLF001 - it takes none, and leaves its own open
        return await app.get_access_token(3600, session_name="s_1")

    def client(self, token: str) -> "cozepy.AsyncCoze":
        return cozepy.AsyncCoze(cozepy.AsyncTokenAuth(token), self._server.url, self._http)

    async def events(self) -> "list[cozepy.ChatEvent]":
        client = self.client((await self.token()).access_token)
        conversation = await client.conversations.create()
        question = f"Be kind.\n\n{QUESTION}"
        stream = client.workflows.chat.stream(
            workflow_id="flow1",
            app_id="app1",
            conversation_id=conversation.id,
            parameters={"USER_INPUT": question},
            additional_messages=[cozepy.Message.build_user_question_text(question)],
        )
        return [one async for one in stream]


@asynccontextmanager
async def of_coze(*frames: Sequence[bytes]) -> AsyncIterator[tuple[OfCoze, Provider, Coze]]:
    """It speaks without what cozepy does not bear: comments, and lines with an id."""
    plain = [[one.removeprefix(b"id: 3\n") for one in some if not one.startswith(b":")] for some in frames]
    server = Coze(*map(says, plain))
    async with AsyncExitStack() as stack:
        there = await stack.enter_async_context(provider(server))
        http = await stack.enter_async_context(cozepy.AsyncHTTPClient())  # type: ignore[no-untyped-call]  # it has no types
        yield OfCoze(there, http), there, server


def coze_model(url: str, line: Line, db: Database) -> CozeModel:
    return CozeModel(Choice("coze", url, private_pem(), **APP), line, Conversations(db))


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_a_chat_is_asked_for_and_read_as_by_the_client_of_coze(db: Database, line: Line) -> None:
    async with of_coze(coze(TEXTS)) as (official, server, there):
        said = await official.events()
        text, used, _ = await ours(coze_model(server.url, line, db))
    answer = [one.message for one in said if one.event == cozepy.ChatEventType.CONVERSATION_MESSAGE_DELTA]
    assert "".join(one.content for one in answer if one and one.type == "answer") == text == "".join(TEXTS)
    usage = next(one.chat.usage for one in said if one.chat and one.chat.usage)
    assert (usage.input_count, usage.output_count) == used == (COMPLETED["input_count"], COMPLETED["output_count"])
    (by_them, by_us), bodies = there.tokens.values(), [one.body for one in server.heard if "chat" in one.path]
    same = ("iss", "aud", "kid", "alg", "typ", "session_name", "duration_seconds", "grant_type")
    assert {name: by_us[name] for name in same} == {name: by_them[name] for name in same}
    names = ("workflow_id", "app_id", "parameters")
    assert [{name: body[name] for name in names} for body in bodies] == [{name: bodies[0][name] for name in names}] * 2
    asked = [{name: body["additional_messages"][0][name] for name in ("role", "type", "content")} for body in bodies]
    assert asked[0] == asked[1]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_what_coze_calls_a_failure_is_one_to_its_client_too(db: Database, line: Line) -> None:
    failed = event("conversation.chat.failed", chat("failed", last_error={"code": 5000, "msg": "internal error"}))
    action = {"type": "submit_tool_outputs", "submit_tool_outputs": {"tool_calls": []}}
    required = event("conversation.chat.requires_action", chat("requires_action", required_action=action))
    async with of_coze(coze(["Hel"], failed), coze(["Hel"], required)) as (official, server, there):
        frames = list(there.chats)
        last = [(await official.events())[-1].chat for _ in frames]
        assert last[0]
        assert last[1]
        assert (last[0].status, last[0].last_error and last[0].last_error.code) == ("failed", 5000)
        assert last[1].status == "requires_action"
        there.chats = list(frames)
        for reason in ("broken", "denied"):
            with pytest.raises(ProviderFailed) as failure:
                await ours(coze_model(server.url, line, db))
            assert failure.value.reason == reason
        token = await official.token()
        there.revoked.add(token.access_token)
        with pytest.raises(cozepy.CozeAPIError) as refused:
            await official.client(token.access_token).conversations.create()
        assert refused.value.code == 700012006


async def test_a_token_of_coze_ends_at_a_moment_and_its_client_does_not_bear_comments() -> None:
    async with of_coze() as (official, _, there):
        assert (await official.token()).expires_in > 1_700_000_000
        there.chats = [says(coze(TEXTS))]
        with pytest.raises(cozepy.CozeInvalidEventError):
            await official.events()
