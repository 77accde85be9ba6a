"""No bot message ever lands after a takeover (spec S4)."""

import asyncio
import random
from collections import Counter
from collections.abc import Iterable
from itertools import pairwise
from statistics import mean
from typing import Any

import httpx2
import pytest
from fastapi import FastAPI

from actors import PATIENCE, Stage, Visitor, data_of
from answering.held import HeldAnswerer
from faults.waiting import until
from kefu.answering.ports import Answerer
from kefu.answering.scripted import ScriptedAnswerer
from kefu.kit.db import Database
from kefu.log.log import Entry, read
from kefu.sessions import answers, service
from kefu.sessions.fold import blank
from kefu.sessions.models import stream_of
from kefu.sessions.states import Status
from kefu.sessions.work import AnswerVisitor
from kefu.shops.service import put_shadow

SESSIONS = 8
ROUNDS = 64
# How busy the machine is changes while the test runs.
MEASURED_EVERY = 8
MEI = service.Member("agent_1", "Mei")


async def log_of(db: Database, name: str, after: int = 0) -> list[Entry]:
    async with db.read() as tx:
        return await read(tx, stream_of(name), after, public_only=False, limit=100_000)


def trespassers(log: Iterable[Entry]) -> list[int]:
    """The seqs of messages that the bot wrote while a person had the session."""
    is_taken = False
    found = []
    for one in log:
        if one.type == "session.taken_over":
            is_taken = True
        elif one.type in {"session.released", "session.closed"}:
            is_taken = False
        elif is_taken and one.type == "message.posted" and one.facts["role"] == "assistant":
            found.append(one.seq)
    return found


def answers_in(log: Iterable[Entry]) -> list[int]:
    return [one.seq for one in log if one.type == "message.posted" and one.facts["role"] == "assistant"]


async def seconds_of_a_turn(db: Database, visitors: list[Visitor]) -> float:
    """How long the bot takes here and now, by the log, when it is left alone and all ask at once."""
    asked = await asyncio.gather(*(visitor.says("is it waterproof?") for visitor in visitors))

    async def took(visitor: Visitor, question: int) -> float | None:
        log = {one.seq: one.at for one in await log_of(db, visitor.name, question - 1)}
        return (log[question + 1] - log[question]) / 1000 if question + 1 in log else None

    async def are_answered() -> bool:
        return None not in [await took(*one) for one in zip(visitors, asked, strict=True)]

    await until(are_answered, PATIENCE)
    return mean([await took(*one) or 0 for one in zip(visitors, asked, strict=True)])


@pytest.mark.parametrize("answerer", [ScriptedAnswerer("a b c d", pause=0.006)], ids=["slow bot"])
@pytest.mark.usefixtures("answerer")
async def test_no_answer_lands_after_a_takeover_at_any_instant(db: Database, client: httpx2.AsyncClient) -> None:
    stage = Stage(db, client)
    mei, chance = await stage.agent(), random.Random(7)
    visitors = [await stage.visitor() for _ in range(SESSIONS)]

    async def interrupt(visitor: Visitor, turn: float) -> None:
        await visitor.says("is it waterproof?")
        await asyncio.sleep(chance.uniform(0, 2 * turn))
        await mei.takes_over(visitor)
        await asyncio.sleep(turn)
        await mei.releases(visitor)

    for _ in range(ROUNDS // MEASURED_EVERY):
        turn = await seconds_of_a_turn(db, visitors)
        for _ in range(MEASURED_EVERY):
            await asyncio.gather(*(interrupt(visitor, turn) for visitor in visitors))
    logs = [await log_of(db, visitor.name) for visitor in visitors]
    assert [trespassers(log) for log in logs] == [[]] * SESSIONS
    outcomes = Counter(outcome for log in logs for outcome in outcomes_of(log))
    assert sum(outcomes.values()) == SESSIONS * ROUNDS
    assert min(outcomes["answered before"], outcomes["dropped"]) > 25, outcomes


@pytest.fixture
def held() -> HeldAnswerer:
    return HeldAnswerer()


@pytest.fixture
def answerer(held: HeldAnswerer) -> Answerer:
    return held


async def interrupted_elsewhere(db: Database, visitor: Visitor, held: HeldAnswerer) -> list[int]:
    """An agent of another process takes over while the bot speaks: only the fence can stop it. Who trespassed."""
    await visitor.sees("stream.ready")
    await visitor.says("is it waterproof?")
    await held.begins()
    async with db.write() as tx:
        await service.take_over(tx, visitor.name, MEI)
    held.may_end.set()
    await visitor.sees("answer.dropped", patience=3)
    return trespassers(await log_of(db, visitor.name))


async def test_the_fence_holds_where_nobody_hears_of_the_takeover(
    db: Database, visitor: Visitor, held: HeldAnswerer
) -> None:
    assert await interrupted_elsewhere(db, visitor, held) == []


async def test_without_the_fence_these_tests_would_find_a_trespasser(
    db: Database, visitor: Visitor, held: HeldAnswerer, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("POSTGRES", "SQLITE_BUMP"):
        fenced: str = getattr(answers, name)
        open_ = fenced.replace("status = 'bot_active' AND epoch = ", "epoch >= ")
        assert open_ != fenced
        monkeypatch.setattr(answers, name, open_)
    with pytest.raises(AssertionError, match=r"never saw answer\.dropped"):
        await interrupted_elsewhere(db, visitor, held)
    assert len(trespassers(await log_of(db, visitor.name))) == 1


WORK = AnswerVisitor("s", seq=4, epoch=2)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, True),
        ({"epoch": 3}, False),
        ({"status": Status.MANUAL_LIVE}, False),
        ({"status": Status.PENDING_MANUAL}, False),
        ({"status": Status.AFTER_HOURS_EMAIL}, False),
        ({"status": Status.CLOSED}, False),
        ({"last_visitor_seq": 5}, False),
        ({"answered_seq": 4}, False),
    ],
)
def test_an_answer_needs_the_epoch_the_bot_and_the_newest_question(changes: dict[str, Any], expected: bool) -> None:  # noqa: FBT001 - a case of the table
    session = blank("s")
    for name, value in ({"epoch": 2, "last_visitor_seq": 4, "answered_seq": 2} | changes).items():
        setattr(session, name, value)
    assert service.may_answer(session, WORK) is expected


async def test_what_it_says_when_a_shop_turns_shadow_mode_on_is_dropped(
    stage: Stage, db: Database, visitor: Visitor, held: HeldAnswerer
) -> None:
    lead = await stage.agent("lin", "supervisor")
    await visitor.sees("stream.ready")
    await visitor.says("is it waterproof?")
    await held.begins()
    await visitor.sees("answer.delta")
    data_of(await lead.put("/api/shadow", {"is_on": True}))
    held.may_end.set()
    await visitor.sees("answer.dropped")
    await visitor.sees("session.escalated", reason="shadow")
    assert not answers_in(await log_of(db, visitor.name))


async def test_the_fence_holds_where_nobody_hears_of_the_shadow_mode(
    db: Database, visitor: Visitor, held: HeldAnswerer
) -> None:
    """Another process turned it on, and no bus told this one."""
    await visitor.sees("stream.ready")
    await visitor.says("is it waterproof?")
    await held.begins()
    async with db.write() as tx:
        await put_shadow(tx, "default", is_on=True)
    held.may_end.set()
    await visitor.sees("session.escalated", reason="shadow")
    assert not answers_in(await log_of(db, visitor.name))


async def test_a_newer_question_makes_one_answer_to_both(visitor: Visitor, held: HeldAnswerer) -> None:
    await visitor.says("is it waterproof?")
    await held.begins()
    second = await visitor.says("and the battery?")
    held.may_end.set()
    answer = await visitor.sees("message.posted", role="assistant")
    assert answer["reply_to"] == second
    await asyncio.sleep(0.2)
    last = await visitor.says("thanks")
    assert (await visitor.sees("message.posted", role="user", seq=last))["seq"] == last


async def test_the_question_itself_heard_late_does_not_stop_its_answer(
    app: FastAPI, visitor: Visitor, held: HeldAnswerer
) -> None:
    """The worker may find the job before the process hears of the commit that wrote it."""
    seq = await visitor.says("is it waterproof?")
    await held.begins()
    question = (await log_of(app.state.db, visitor.name))[seq - 1]
    app.state.db.signals.send("log", [question])
    held.may_end.set()
    assert (await visitor.sees("message.posted", role="assistant"))["reply_to"] == seq


def outcomes_of(log: list[Entry]) -> Iterable[str]:
    """What became of each question that an agent interrupted."""
    for before, one in pairwise(log):
        if one.type == "session.taken_over":
            yield "dropped" if before.type == "message.posted" else "answered before"
