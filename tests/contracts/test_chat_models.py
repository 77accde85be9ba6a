"""Through whatever a model is asked, it keeps these promises: against servers that speak each provider's protocol."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, aclosing
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from ai import coze_wire, openai_wire
from ai.provider import OWN, Heard, Provider, Reply, Script, answers, provider, says
from kefu.ai.catalog import Choice
from kefu.ai.conversations import Conversations
from kefu.ai.coze import CozeModel
from kefu.ai.openai import OpenAiModel
from kefu.ai.ports import Ask, ChatModel, Finished, Message, Piece, ProviderFailed, Usage
from kefu.ai.scripted import ScriptedModel
from kefu.ai.telling import Line
from kefu.kit.db import Database
from kefu.kit.http import Outbound
from kefu.kit.http_streams import HttpStreams, Waits

KEY = "sk-canary0123456789abcdef0123456789abcdef"
TEXTS = ("Bring it back ", "within 30 days. ", "三十天内", "可以退货。", "🚲")
USED = Usage(21, 9, is_estimated=False)
ASK = Ask([Message("system", "Be kind."), Message("user", "Can I return it?")], "s_1", "answer", max_tokens=50)
Frames = Callable[[Sequence[str]], list[bytes]]
KINDS: dict[str, tuple[Choice, Frames]] = {
    "openai": (Choice("openai", "", KEY, "gpt-4o-mini"), openai_wire.openai),
    "azure": (Choice("azure", "", KEY, deployment="desk 1"), openai_wire.azure),
    "deepseek": (Choice("custom", "", KEY, "deepseek-reasoner"), openai_wire.deepseek),
    "qwen": (Choice("custom", "", KEY, "qwen-plus"), openai_wire.qwen),
    "ollama": (Choice("custom", "", "", "qwen2.5:7b"), openai_wire.ollama),
    "vllm": (Choice("custom", "", KEY, "Qwen/Qwen2.5-7B-Instruct"), openai_wire.vllm),
    "coze": (
        Choice(
            "coze",
            "",
            coze_wire.private_pem(),
            coze_app_id="app1",
            coze_workflow_id="flow1",
            coze_client_id="client1",
            coze_public_key_id="kid1",
        ),
        coze_wire.coze,
    ),
}


# The four providers that a shop may choose; what is compatible with one of them breaks as it does.
EACH_PROVIDER = pytest.mark.parametrize("there", ["openai", "azure", "deepseek", "coze"], indirect=True)


PATIENT = Waits(connect=20, read=20, total=60)
# For who waits for what never comes.
IMPATIENT = Waits(connect=2, read=0.5, total=20)


@dataclass
class There:
    """A kind of provider, and how to ask it. `db`: for Coze alone, which keeps its conversations."""

    kind: str
    choice: Choice
    frames: Frames
    line: Line
    db: Database | None
    stack: AsyncExitStack

    async def model(self, *scripts: Script) -> tuple[ChatModel, Provider]:
        answering = scripts or (says(self.frames(TEXTS)),)
        one = await self.stack.enter_async_context(
            provider(*([coze_wire.Coze(*answering)] if self.kind == "coze" else answering))
        )
        return self.at(one.url), one

    def at(self, url: str) -> ChatModel:
        choice = replace(self.choice, url=url)
        if self.db:
            return CozeModel(choice, self.line, Conversations(self.db))
        return OpenAiModel(choice, self.line)


@pytest.fixture(params=KINDS)
async def there(request: pytest.FixtureRequest, tmp_path: Path, sqlite_template: Path) -> AsyncIterator[There]:
    db = None
    if request.param == "coze":
        db = Database(f"sqlite:///{shutil.copyfile(sqlite_template, tmp_path / 'kefu.db')}")
    streams = HttpStreams(Outbound(OWN))
    async with AsyncExitStack() as stack:
        line = Line(streams, PATIENT, pace=0.005)
        yield There(request.param, *KINDS[request.param], line, db, stack)
        await streams.stop()
    if db:
        await db.close()


async def told(model: ChatModel, ask: Ask = ASK) -> tuple[str, Finished]:
    """The whole text and its end."""
    found = [one async for one in model.stream(ask)]
    *pieces, end = found
    assert isinstance(end, Finished)
    texts = [one.text for one in pieces if isinstance(one, Piece)]
    assert len(texts) == len(pieces)
    assert all(texts)
    return "".join(texts), end


async def failure(model: ChatModel, said: list[Piece | Finished] | None = None) -> ProviderFailed:
    """How it failed. `said`: takes what came before."""
    try:
        async for one in model.stream(ASK):
            if said is not None:
                said.append(one)
    except ProviderFailed as failed:
        return failed
    pytest.fail("it answered")


async def test_it_says_its_pieces_and_then_how_it_ended(there: There) -> None:
    model, server = await there.model()
    text, end = await told(model)
    assert text == "".join(TEXTS)
    assert (end.provider, end.usage, end.stopped) == (there.choice.provider, USED, "stop")
    assert end.model
    heard = server.heard[-1]
    assert heard.method == "POST"
    assert heard.headers["accept-encoding"] == "identity"
    assert "cookie" not in heard.headers


async def test_bytes_may_arrive_in_any_portions(there: There) -> None:
    """Each byte for itself, and all at once: characters, lines and events are torn apart anywhere."""
    whole = b"".join(there.frames(TEXTS))
    for portions in ([whole], [whole[n : n + 1] for n in range(len(whole))]):
        model, _ = await there.model(says(portions))
        text, end = await told(model)
        assert (text, end.usage) == ("".join(TEXTS), USED)


async def test_the_first_piece_does_not_wait_for_the_second(there: There) -> None:
    bell = asyncio.Event()

    async def script(_: Heard, reply: Reply) -> None:
        frames = there.frames(TEXTS)
        first = next(n for n, frame in enumerate(frames) if TEXTS[0].encode() in frame)
        await reply.head()
        await reply.chunk(b"".join(frames[: first + 1]))
        await bell.wait()
        await reply.chunk(b"".join(frames[first + 1 :]))
        await reply.end()

    model, _ = await there.model(script)
    async with aclosing(model.stream(ASK)) as stream:
        assert await anext(stream) == Piece(TEXTS[0])
        bell.set()
        assert isinstance([one async for one in stream][-1], Finished)


async def test_who_stops_listening_ends_the_request_there(there: There) -> None:
    model, server = await there.model(says(there.frames(TEXTS * 1000), pause=0.002))
    async with aclosing(model.stream(ASK)) as stream:
        await anext(stream)
    async with asyncio.timeout(20):
        await server.left.wait()


async def test_connections_are_kept_for_the_next_question(there: There) -> None:
    model, server = await there.model()
    for _ in range(3):
        await told(model)
    assert server.connections == 1


async def silent(_: Heard, reply: Reply) -> None:
    await reply.head()
    await asyncio.sleep(60)


async def without_a_byte(_: Heard, __: Reply) -> None:
    await asyncio.sleep(60)


def broken_off(how: str) -> Callable[[There], Script]:
    """A stream that says two pieces and then nothing, hangs up, or goes wrong."""

    def of(there: There) -> Script:
        async def script(_: Heard, reply: Reply) -> None:
            frames = there.frames(TEXTS)
            await reply.head()
            for frame in frames[: 2 + next(n for n, one in enumerate(frames) if TEXTS[0].encode() in one)]:
                await reply.chunk(frame)
            await asyncio.sleep(0.1)  # so that they are read before it breaks
            if how == "stall":
                await asyncio.sleep(60)
            elif how == "cut":
                reply.cut()
            elif how == "end":
                await reply.end()
            else:
                await reply.chunk(how.encode("latin-1"))
                await reply.end()

        return script

    return of


BREAKS = {
    "stall": "slow",
    "cut": "cut",
    "end": "cut",
    'event: conversation.message.delta\ndata: {"choices": [{\n\n': "malformed",
    "event: conversation.message.delta\ndata: [1]\n\n": "malformed",
    'event: conversation.message.delta\ndata: {"content": "\xff\xfe"}\n\n': "malformed",
}


@EACH_PROVIDER
@pytest.mark.parametrize(("how", "reason"), BREAKS.items(), ids=[*list(BREAKS)[:3], "torn", "other", "encoding"])
async def test_a_stream_that_breaks_is_a_failure_after_its_pieces(there: There, how: str, reason: str) -> None:
    there.line = replace(there.line, waits=IMPATIENT if reason == "slow" else PATIENT)
    model, _ = await there.model(broken_off(how)(there))
    said: list[Piece | Finished] = []
    assert (await failure(model, said)).reason == reason
    assert all(isinstance(one, Piece) for one in said)
    text = "".join(one.text for one in said if isinstance(one, Piece))
    assert text
    assert "".join(TEXTS).startswith(text)


def refused(there: There) -> dict[str, Script]:
    """What a provider answers instead of an answer, by the reason and a name."""
    empty = there.frames([])
    long = there.frames(["x" * 30_000] * 2)
    return {
        "busy 429": answers({"error": {"message": "Rate limit", "code": "rate_limit"}}, 429, Retry_After="7"),
        "denied 401": answers({"error": {"message": f"Incorrect API key provided: {KEY}.", "code": "x"}}, 403),
        "denied 404": answers({"error": {"message": "The model does not exist"}}, 404),
        "denied quota": answers({"error": {"message": "No credit", "code": "insufficient_quota"}}, 429),
        "broken 500": answers(b"<html>Internal Server Error</html>", 500),
        "broken 302": answers({}, 302, Location="http://127.0.0.1:9/"),
        "malformed html": answers(b"<html>sign in to the Wi-Fi</html>"),
        "malformed gbk": answers('{"choices": "退货"}'.encode("gbk")),
        "empty none": says(empty),
        "too_long text": says(long),
        "too_long event": says([b"data: " + b"x" * (1 << 21) + b"\n\n"]),
        "slow head": silent,
        "slow byte": without_a_byte,
        "cut nothing": says([]),
    }


@EACH_PROVIDER
@pytest.mark.parametrize("case", refused(There("", *KINDS["openai"], *[None] * 3)))  # type: ignore[arg-type]  # only the names
async def test_what_is_no_answer_is_named(there: There, case: str) -> None:
    there.line = replace(there.line, waits=IMPATIENT if case.startswith("slow") else PATIENT)
    model, _ = await there.model(refused(there)[case])
    failed = await failure(model)
    assert failed.reason == case.partition(" ")[0]
    assert failed.details["provider"] == there.choice.provider
    assert KEY not in f"{failed.said}{failed.details}{failed.message('en')}"
    assert failed.wait == (7.0 if case == "busy 429" else None)


async def test_who_cannot_be_reached_is_named(there: There) -> None:
    assert (await failure(there.at("http://127.0.0.1:9"))).reason == "refused"
    assert (await failure(there.at("https://model.invalid"))).reason == "unknown_host"
    assert (await failure(there.at("http://10.0.0.1"))).reason == "denied"
    assert (await failure(there.at("http://2130706433"))).reason == "denied"
    assert (await failure(there.at("ftp://127.0.0.1"))).reason == "denied"


async def test_a_scripted_model_keeps_them_too() -> None:
    text, end = await told(ScriptedModel(lambda ask: f"You said: {ask.messages[-1].content}"))
    assert text == "You said: Can I return it?"
    assert end.usage.is_estimated


async def test_many_ask_at_once_and_each_gets_their_own(there: There) -> None:
    async def echo(heard: Heard, reply: Reply) -> None:
        asked = heard.content.decode().partition("Question ")[2][:3]
        await reply.stream(there.frames([f"Answer to {asked}"]))

    model, _ = await there.model(echo)

    async def one(number: int) -> None:
        ask = Ask([Message("user", f"Question {number:03d}")], f"s_{number}", "answer")
        assert (await told(model, ask))[0] == f"Answer to {number:03d}"

    async with asyncio.TaskGroup() as group:
        for number in range(20):
            group.create_task(one(number))
