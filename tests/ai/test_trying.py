"""A provider is asked as often as it is worth, left alone while it is not well, and another speaks for it."""

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import aclosing

import pytest
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from kefu.ai.breaker import FAILURES, LONGEST_PAUSE_SECONDS, PAUSE_SECONDS, Breaker
from kefu.ai.ports import Ask, Failing, Finished, Message, Piece, ProviderFailed, Usage
from kefu.ai.trying import Either, Tries, Trying

ASK = Ask([Message("user", "Hello")], "s_1", "answer")
END = Finished("p", "m", Usage(1, 1, is_estimated=False))
QUICK = Tries(first=0.001)
Outcome = Failing | str


class Model:
    """Gives each of its outcomes in turn: a text, a reason to fail, or `text|reason` for one after the other."""

    def __init__(self, *outcomes: Outcome, wait: float | None = None) -> None:
        self._outcomes = list(outcomes)
        self._wait = wait
        self.gate: asyncio.Event | None = None
        self.reached = asyncio.Event()
        self.asked = 0
        self.closed = 0

    async def stream(self, ask: Ask) -> AsyncGenerator[Piece | Finished]:
        assert ask is ASK
        self.asked += 1
        if self.gate is not None:
            self.reached.set()
            await self.gate.wait()
        outcome = self._outcomes.pop(0) if len(self._outcomes) > 1 else self._outcomes[0]
        text, _, reason = outcome.rpartition("|") if "|" in outcome else ("", "", outcome)
        try:
            if outcome.istitle() or text:
                yield Piece(text or outcome)
            if outcome.istitle():
                yield END
            else:
                failure = ProviderFailed(provider="p", reason=reason)
                failure.wait = self._wait
                raise failure
        finally:
            self.closed += 1


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def trying(model: Model, tries: Tries = QUICK, clock: Clock | None = None) -> Trying:
    return Trying(model, Breaker({"provider": "p", "model": "m"}, clock or Clock()), ("p", "m"), tries)


async def said(model: Trying | Either) -> str:
    """The text; `text|reason` when it failed."""
    text = ""
    try:
        async for one in model.stream(ASK):
            text += one.text if isinstance(one, Piece) else ""
    except ProviderFailed as failed:
        return f"{text}|{failed.reason}"
    return text


@pytest.mark.parametrize("reason", ["refused", "slow", "cut", "busy", "broken"])
async def test_what_passes_is_tried_three_times(reason: Failing) -> None:
    model = Model(reason, reason, "Hello")
    assert await said(trying(model)) == "Hello"
    assert (model.asked, model.closed) == (3, 3)
    model = Model(reason)
    assert await said(trying(model)) == f"|{reason}"
    assert model.asked == 3


@pytest.mark.parametrize("reason", ["denied", "malformed", "empty", "too_long", "unknown_host"])
async def test_what_does_not_pass_is_tried_once(reason: Failing) -> None:
    model = Model(reason)
    assert await said(trying(model)) == f"|{reason}"
    assert model.asked == 1


async def test_nothing_is_tried_again_after_the_first_piece() -> None:
    model, other = Model("Hel|cut"), Model("Other")
    assert await said(Either(trying(model), trying(other))) == "Hel|cut"
    assert (model.asked, other.asked) == (1, 0)


async def test_the_pause_that_is_asked_for_is_made_or_nobody_waits() -> None:
    model = Model("busy", "Hello", wait=0.2)
    began = time.monotonic()
    assert await said(trying(model)) == "Hello"
    assert time.monotonic() - began >= 0.19  # a loop may wake a moment early
    model = Model("busy", "Hello", wait=60.0)
    assert await said(trying(model)) == "|busy"
    assert model.asked == 1


async def test_pauses_grow_and_are_left_to_chance() -> None:
    began = time.monotonic()
    await said(trying(Model("broken"), Tries(first=0.1)))
    assert time.monotonic() - began >= 0.14


async def test_who_is_slow_to_speak_is_told_in_the_log() -> None:
    with capture_logs() as lines:
        await said(trying(Model("Hello"), Tries(slow=60.0)))
        await said(trying(Model("Hello"), Tries(slow=0.0)))
        await said(trying(Model("denied"), Tries(slow=0.0)))
    told = [(one["provider"], one["model"], one["outcome"]) for one in lines if one["event"] == "provider.slow"]
    assert told == [("p", "m", "answered"), ("p", "m", "denied")]
    assert all(0 <= one["waited_ms"] <= one["duration_ms"] for one in lines if one["event"] == "provider.slow")


async def test_no_try_begins_late() -> None:
    model = Model("slow")
    assert await said(trying(model, Tries(first=0.001, within=-1.0))) == "|slow"
    assert model.asked == 1


async def test_another_model_speaks_for_one_that_is_silent() -> None:
    assert await said(Either(trying(Model("denied")), trying(Model("Cheaper")))) == "Cheaper"
    assert await said(Either(trying(Model("denied")), trying(Model("broken")))) == "|broken"


async def test_who_stops_listening_ends_the_request() -> None:
    model = Model("Hello")
    async with aclosing(Either(trying(model), trying(Model("Other"))).stream(ASK)) as stream:
        assert await anext(stream) == Piece("Hello")
    assert model.closed == 1


async def test_who_fails_is_left_alone_for_a_while_and_then_asked_by_one() -> None:
    clock = Clock()
    model = Model(*["slow"] * FAILURES, "Hello")
    tried = trying(model, QUICK, clock)
    for _ in range(3):
        assert await said(tried) == "|slow"
    assert model.asked == FAILURES
    clock.now += PAUSE_SECONDS
    model.gate = asyncio.Event()
    probe = asyncio.create_task(said(tried))
    await model.reached.wait()
    assert await said(tried) == "|slow"
    model.gate.set()
    assert await probe == "Hello"
    assert await said(tried) == "Hello"
    assert model.asked == FAILURES + 2


class Rules:
    """What the breaker promises, said another way."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._row, self._until, self.pause = 0, 0.0, 0.0
        self._is_probing = False

    def may_ask(self) -> bool:
        may = not self.pause or (self._clock.now >= self._until and not self._is_probing)
        self._is_probing = self._is_probing or (may and self.pause > 0)
        return may

    def came(self, step: str) -> None:
        self._is_probing = False
        if step == "well":
            self._row, self.pause = 0, 0.0
        if step != "ill":
            return
        self._row += 1
        if self.pause or self._row >= FAILURES:
            self.pause = min(max(self.pause * 2, PAUSE_SECONDS), LONGEST_PAUSE_SECONDS)
            self._until, self._row = self._clock.now + self.pause, 0


@given(st.lists(st.sampled_from(["ask", "well", "ill", "ours", "left", "wait"]), max_size=60))
def test_the_breaker_keeps_its_rules_whatever_happens(steps: list[str]) -> None:
    """Against a model of it: at most one probe, never asked while it rests, closed by a success alone."""
    clock = Clock()
    breaker, rules = Breaker({"provider": "p", "model": "rules"}, clock), Rules(clock)
    ticket: int | None = None
    for step in steps:
        if step == "wait":
            clock.now += 3.0
        elif step == "ask":
            ticket = breaker.enter()
            assert (ticket is not None) == rules.may_ask()
        elif ticket is not None:
            answer(breaker, ticket, step)
            rules.came(step)
            ticket = None
        assert breaker.is_open == (rules.pause > 0)


def answer(breaker: Breaker, ticket: int, step: str) -> None:
    if step == "well":
        breaker.succeeded(ticket)
    elif step == "left":
        breaker.left(ticket)
    else:
        breaker.failed(ticket, "slow" if step == "ill" else "denied")


def test_what_was_asked_before_it_rested_does_not_make_it_rest_longer() -> None:
    clock = Clock()
    breaker = Breaker({"provider": "p", "model": "late"}, clock)
    tickets = [breaker.enter() for _ in range(100)]
    for ticket in tickets:
        assert ticket is not None
        breaker.failed(ticket, "slow")
    clock.now += PAUSE_SECONDS
    assert breaker.enter() is not None
