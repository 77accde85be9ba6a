"""Chat completions as OpenAI streams them, and Azure, and whoever is compatible: DeepSeek, Qwen, Ollama, vLLM.

Source: https://platform.openai.com/docs/api-reference/chat-streaming. Azure begins with an event of its filters without
choices; thinking comes as `reasoning_content` (DeepSeek, Qwen) or `reasoning` (Ollama, vLLM) and is for nobody.
"""

import re
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from typing import Any, Literal
from urllib.parse import quote

import orjson

from kefu.ai.catalog import Choice
from kefu.ai.ports import Ask, Finished, Piece, Usage
from kefu.ai.sse import Event
from kefu.ai.telling import Call, Line, failed, tell
from kefu.ai.tokens import estimate, estimate_prompt

STOPPED: Mapping[str, Literal["stop", "length", "filter"]] = {
    "length": "length",
    "max_tokens": "length",
    "content_filter": "filter",
}
# They think before they speak, at the cost of the same tokens, and have no temperature.
THINKS = re.compile(r"^(o[1-9]|gpt-5)", re.IGNORECASE)
TO_THINK = 4000


class OpenAiModel:
    """`choice.provider` is openai, azure or custom."""

    def __init__(self, choice: Choice, line: Line) -> None:
        self._choice = choice
        self._line = line

    async def stream(self, ask: Ask) -> AsyncGenerator[Piece | Finished]:
        call = self._call(ask)
        async with aclosing(tell(self._line, call, OpenAiReading(call, self._choice.name, ask))) as told:
            async for one in told:
                yield one

    def _call(self, ask: Ask) -> Call:
        choice = self._choice
        body: dict[str, Any] = {
            "messages": [{"role": one.role, "content": one.content} for one in ask.messages],
            "stream": True,
            "stream_options": {"include_usage": True},
        }
        url, headers = place(choice, "chat/completions", choice.deployment)
        if choice.provider != "azure":
            body["model"] = choice.model
        if THINKS.match(choice.name):
            body["max_completion_tokens"] = ask.max_tokens + TO_THINK
        else:
            body["max_tokens" if choice.provider != "openai" else "max_completion_tokens"] = ask.max_tokens
            body["temperature"] = ask.temperature
        if ask.wants_json:
            body["response_format"] = {"type": "json_object"}
        return Call(choice.provider, url, headers, body, choice.key, max(20_000, ask.max_tokens * 12))


def place(choice: Choice, what: str, deployment: str) -> tuple[str, dict[str, str]]:
    """The address of one of its services, and the headers that open it. Azure has one for each deployment."""
    base = choice.url.rstrip("/")
    if choice.provider == "azure":
        at = f"{base}/openai/deployments/{quote(deployment, safe='')}/{what}"
        return f"{at}?api-version={quote(choice.api_version, safe='')}", {"api-key": choice.key}
    return f"{base}/{what}", {"Authorization": f"Bearer {choice.key}"} if choice.key else {}


class OpenAiReading:
    is_done = False

    def __init__(self, call: Call, model: str, ask: Ask) -> None:
        self._call, self._model, self._ask = call, model, ask
        self._stopped: str | None = None
        self._usage: Mapping[str, Any] | None = None

    def read(self, event: Event) -> str:
        if event.data == b"[DONE]":
            self.is_done = True
            return ""
        chunk = orjson.loads(event.data)
        if error := chunk.get("error"):
            said = error.get("message", "") if isinstance(error, dict) else str(error)
            raise failed(self._call, "broken", str(said))
        self._model = chunk.get("model") or self._model
        self._usage = chunk.get("usage") or self._usage
        text = ""
        for choice in (chunk.get("choices") or ())[:1]:
            self._stopped = choice.get("finish_reason") or self._stopped
            self._usage = choice.get("usage") or self._usage  # Moonshot
            text = (choice.get("delta") or choice.get("message") or {}).get("content") or ""
        if not isinstance(text, str):
            raise TypeError(text)
        return text

    def end(self, text: str) -> Finished:
        if self._stopped is None and not self.is_done:
            raise failed(self._call, "cut")
        if self._stopped == "insufficient_system_resource":  # DeepSeek
            raise failed(self._call, "broken", self._stopped)
        stopped = STOPPED.get(self._stopped or "", "stop")
        return Finished(self._call.provider, str(self._model)[:100], self._used(text), stopped)

    def _used(self, text: str) -> Usage:
        used = self._usage or {}
        tokens_in, tokens_out = used.get("prompt_tokens"), used.get("completion_tokens")
        if isinstance(tokens_in, int) and isinstance(tokens_out, int) and tokens_in > 0 <= tokens_out:
            return Usage(tokens_in, tokens_out, is_estimated=False)
        return Usage(estimate_prompt(self._ask.messages), estimate(text), is_estimated=True)
