"""Asking a provider as often as it is worth, and another one after it.

Nothing is tried again once a piece was handed out: the visitor has read it.
"""

import asyncio
import random
import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass

import structlog
from prometheus_client import Counter, Histogram

from kefu.ai.breaker import Breaker
from kefu.ai.ports import Ask, ChatModel, Failing, Finished, Piece, ProviderFailed
from kefu.jobs.worker import aside

log = structlog.get_logger()

# What may be well a moment later.
PASSING: frozenset[Failing] = frozenset({"refused", "slow", "cut", "busy", "broken"})

ASKED = Counter("kefu_model_requests_total", "Requests to model providers", ["provider", "model", "outcome"])
FIRST = Histogram(
    "kefu_model_first_piece_seconds",
    "From the request to the first piece of the answer",
    ["provider", "model"],
    buckets=(0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 40),
)


@dataclass(frozen=True, slots=True)
class Tries:
    """`most` tries; between them the `first` pause in seconds, doubled each time, of which half is left to chance.

    A provider that asks for a longer pause gets it up to `longest`; who asks for more is not tried again. None begins
    later than `within` seconds: somebody waits. One of whom nothing is heard for `slow` seconds is told in the log.
    """

    most: int = 3
    first: float = 0.4
    longest: float = 5.0
    within: float = 15.0
    slow: float = 5.0

    def pause(self, failure: ProviderFailed | None, number: int, passed: float, *, is_left_alone: bool) -> float | None:
        """The seconds before the next try; None when it is done. Raises the failure when no try is worth it.

        `passed`: seconds since the first; `is_left_alone`: its breaker is open.
        """
        if failure is None:
            return None
        is_late = number >= self.most or passed > self.within or is_left_alone
        asked = failure.wait or 0.0
        if is_late or failure.reason not in PASSING or asked > self.longest:
            raise failure
        own: float = self.first * 2 ** (number - 1)
        return max(asked, own * random.uniform(0.5, 1))  # noqa: S311 - spreads load, guards nothing


USUAL = Tries()


class Trying:
    """A model that is asked again when that may help, and left alone while it is not well."""

    def __init__(self, model: ChatModel, breaker: Breaker, name: tuple[str, str], tries: Tries = USUAL) -> None:
        """`name`: of the provider and of the model."""
        self._model = model
        self._breaker = breaker
        self._name = name
        self._tries = tries

    async def stream(self, ask: Ask) -> AsyncGenerator[Piece | Finished]:
        with aside():
            async with aclosing(self._stream(ask)) as pieces:
                async for piece in pieces:
                    yield piece

    async def _stream(self, ask: Ask) -> AsyncGenerator[Piece | Finished]:
        began, number = time.monotonic(), 0
        pause: float | None = 0.0
        while pause is not None:
            await asyncio.sleep(pause)
            number += 1
            request = _Request(self._breaker, self._name, self._tries.slow)
            async with aclosing(request.passed_on(self._model, ask)) as pieces:
                async for piece in pieces:
                    yield piece
            is_left = self._breaker.is_open
            pause = self._tries.pause(request.failure, number, time.monotonic() - began, is_left_alone=is_left)


class _Request:
    """One try. `failure`: why nothing came of it."""

    def __init__(self, breaker: Breaker, name: tuple[str, str], slow: float) -> None:
        self.failure: ProviderFailed | None = None
        self._breaker = breaker
        self._name = name
        self._slow = slow
        self._began = time.monotonic()
        self._waited: float | None = None
        self._outcome = "left"

    async def passed_on(self, model: ChatModel, ask: Ask) -> AsyncGenerator[Piece | Finished]:
        """What the model says. Raises ProviderFailed only after pieces; before, it is kept as `failure`."""
        ticket = self._breaker.enter()
        if ticket is None:
            ASKED.labels(*self._name, "rests").inc()
            self.failure = ProviderFailed(provider=self._name[0], reason=self._breaker.reason)
            return
        try:
            async with aclosing(model.stream(ask)) as pieces:
                async for piece in pieces:
                    self._note(piece, ticket)
                    yield piece
        except ProviderFailed as failure:
            self._outcome = failure.reason
            self._breaker.failed(ticket, failure.reason)
            if self._waited is not None:
                raise
            self.failure = failure
        finally:
            self._breaker.left(ticket)
            ASKED.labels(*self._name, self._outcome).inc()
            self._tell()

    def _note(self, piece: Piece | Finished, ticket: int) -> None:
        if self._waited is None:
            self._waited = time.monotonic() - self._began
            FIRST.labels(*self._name).observe(self._waited)
        if isinstance(piece, Finished):
            self._breaker.succeeded(ticket)
            self._outcome = "answered"

    def _tell(self) -> None:
        took = time.monotonic() - self._began
        waited = took if self._waited is None else self._waited
        if waited >= self._slow:
            facts = {"outcome": self._outcome, "waited_ms": round(waited * 1000), "duration_ms": round(took * 1000)}
            log.warning("provider.slow", provider=self._name[0], model=self._name[1], **facts)


class Either:
    """A model that speaks for another one which failed before it said anything."""

    def __init__(self, first: ChatModel, then: ChatModel) -> None:
        self._first = first
        self._then = then

    async def stream(self, ask: Ask) -> AsyncGenerator[Piece | Finished]:
        has_spoken = False
        try:
            async with aclosing(self._first.stream(ask)) as pieces:
                async for piece in pieces:
                    has_spoken = True
                    yield piece
        except ProviderFailed:
            if has_spoken:
                raise
        if not has_spoken:
            async with aclosing(self._then.stream(ask)) as pieces:
                async for piece in pieces:
                    yield piece
