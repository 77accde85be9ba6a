"""Vectors of texts, as OpenAI gives them, and Azure, and whoever is compatible: Qwen, Ollama, vLLM.

Source: https://platform.openai.com/docs/api-reference/embeddings.
"""

import asyncio
import math
import sys
import time
from array import array
from collections.abc import Sequence
from typing import Any

from kefu.ai.breaker import Breaker
from kefu.ai.budget import Books, Payer
from kefu.ai.catalog import Choice
from kefu.ai.openai import place
from kefu.ai.ports import Embedded, Embedder, Finished, ProviderFailed, Usage
from kefu.ai.telling import Call, Line, ask_json, failed
from kefu.ai.tokens import estimate
from kefu.ai.trying import ASKED, Tries
from kefu.jobs.worker import aside
from kefu.kit.metrics import few

PURPOSE = "embed"
MOST_NUMBERS = 8192


class OpenAiEmbedder:
    """`choice.provider` is openai, azure or custom, and `choice.embedding_model` names a model, or a deployment."""

    def __init__(self, choice: Choice, line: Line) -> None:
        self._choice = choice
        self._line = line

    @property
    def model(self) -> str:
        return f"{self._choice.provider}/{self._choice.embedding_model}"

    async def embed(self, texts: Sequence[str]) -> Embedded:
        choice = self._choice
        url, headers = place(choice, "embeddings", choice.embedding_model)
        body = {"input": list(texts), "encoding_format": "float"}
        if choice.provider != "azure":
            body["model"] = choice.embedding_model
        call = Call(choice.provider, url, headers, body, choice.key, most_characters=0)
        found = await ask_json(self._line, call)
        try:
            vectors = _vectors(found, len(texts))
            used = (found.get("usage") or {}).get("prompt_tokens")
        except (ValueError, LookupError, TypeError, AttributeError, OverflowError):
            raise failed(call, "malformed") from None
        if isinstance(used, int) and used > 0:
            usage = Usage(used, 0, is_estimated=False)
        else:
            usage = Usage(sum(map(estimate, texts)), 0, is_estimated=True)
        # Under the name that was asked for: who pays by it compares it with the price list, and vLLM says a path.
        return Embedded(vectors, Finished(choice.provider, choice.embedding_model, usage))


def _vectors(found: dict[str, Any], count: int) -> list[bytes]:
    """Raises one of the errors of reading JSON for what are not `count` vectors."""
    rows: dict[int, bytes] = {}
    for n, row in enumerate(found["data"]):
        rows[row.get("index", n)] = unit(row["embedding"])
    if sorted(rows) != list(range(count)) or len(found["data"]) != count:
        raise ValueError("not one for each text")
    vectors = [rows[n] for n in range(count)]
    if len({len(one) for one in vectors}) != 1:
        raise ValueError("of different dimensions")
    return vectors


def unit(numbers: Sequence[float]) -> bytes:
    """The vector of length one in the same direction, float32 little endian. Raises ValueError, TypeError."""
    if not isinstance(numbers, list) or not 0 < len(numbers) <= MOST_NUMBERS:
        raise ValueError("no vector")
    length = math.hypot(*numbers)
    if not 0 < length < math.inf:
        raise ValueError("no direction")
    held = array("f", [one / length for one in numbers])
    if sys.byteorder == "big":
        held.byteswap()
    return held.tobytes()


class TryingEmbedder:
    """An embedder that is asked again when that may help, for at most `seconds` each time, and rests while it fails."""

    def __init__(self, inner: Embedder, breaker: Breaker, name: tuple[str, str], tries: Tries, seconds: float) -> None:
        """`name`: of the provider and of the model. `seconds`: who takes longer is as good as one that fails."""
        self._inner = inner
        self._breaker = breaker
        self._name = name
        self._tries = tries
        self._seconds = seconds

    @property
    def model(self) -> str:
        return self._inner.model

    async def embed(self, texts: Sequence[str]) -> Embedded:
        began, number = time.monotonic(), 0
        with aside():
            while True:
                number += 1
                found = await self._once(texts)
                if isinstance(found, Embedded):
                    return found
                is_left = self._breaker.is_open
                pause = self._tries.pause(found, number, time.monotonic() - began, is_left_alone=is_left)
                await asyncio.sleep(pause or 0)

    async def _once(self, texts: Sequence[str]) -> Embedded | ProviderFailed:
        ticket, outcome = self._breaker.enter(), "left"
        if ticket is None:
            ASKED.labels(self._name[0], few("model", self._name[1]), "rests").inc()
            return ProviderFailed(provider=self._name[0], reason=self._breaker.reason)
        try:
            found = await self._in_time(texts)
            if isinstance(found, Embedded):
                outcome = "answered"
                self._breaker.succeeded(ticket)
            else:
                outcome = found.reason
                self._breaker.failed(ticket, found.reason)
            return found
        finally:
            self._breaker.left(ticket)
            ASKED.labels(self._name[0], few("model", self._name[1]), outcome).inc()

    async def _in_time(self, texts: Sequence[str]) -> Embedded | ProviderFailed:
        try:
            async with asyncio.timeout(self._seconds):
                return await self._inner.embed(texts)
        except ProviderFailed as failure:
            return failure
        except TimeoutError:
            return ProviderFailed(provider=self._name[0], reason="slow")


class BookedEmbedder:
    """An embedder whose calls are counted against `payer`, in the conversation of that name if there is one."""

    def __init__(self, inner: Embedder, books: Books, payer: Payer, choice: Choice, conversation: str = "") -> None:
        self._inner, self._books, self._payer, self._choice = inner, books, payer, choice
        self._conversation = conversation

    @property
    def model(self) -> str:
        return self._inner.model

    async def embed(self, texts: Sequence[str]) -> Embedded:
        """Raises OverBudget before anything is asked."""
        name, call = self._choice.embedding_model, None
        end = Finished(self._choice.provider, name, Usage(0, 0, is_estimated=True))
        if self._payer.budget.is_limited:
            most = Usage(sum(map(estimate, texts)), 0, is_estimated=True)
            call = await self._books.reserve(self._payer, self._conversation, name, most)
        try:
            found = await self._inner.embed(texts)
            end = found.end
        finally:
            await self._books.settle(self._payer, PURPOSE, self._books.priced(self._payer, end, name), call)
        return found
