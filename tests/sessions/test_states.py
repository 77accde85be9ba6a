"""The states of a session: what may be done to it, and that nothing else can (spec S1)."""

from itertools import product

import httpx2
import pytest

from actors import Agent, Stage, Visitor, code_of
from draw_states import PICTURE, drawing
from kefu.kit.db import Database
from kefu.log.log import VISITOR
from kefu.sessions.states import MOVES, RAISES_EPOCH, InvalidStatus, Move, Status, move
from sessions.records import all_of, bring, bring_to, facts_of, has_packet, log_of, open_session

# Spec S1 in its own words: from → to, by what.
SPEC = """
bot_active → pending_manual by ESCALATE
bot_active → after_hours_email by DEFER
bot_active → manual_live by TAKE_OVER
bot_active → closed by CLOSE
pending_manual → manual_live by TAKE_OVER
pending_manual → bot_active by RETURN
pending_manual → after_hours_email by DEFER
pending_manual → closed by CLOSE
manual_live → manual_live by TRANSFER
manual_live → pending_manual by LOSE_AGENT
manual_live → bot_active by RELEASE
manual_live → closed by CLOSE
after_hours_email → manual_live by TAKE_OVER
after_hours_email → bot_active by RETURN
after_hours_email → closed by CLOSE
closed → bot_active by REOPEN
"""
ALLOWED = {(words[0], words[4]): words[2] for words in map(str.split, SPEC.strip().splitlines())}


def test_the_table_is_what_the_specification_says() -> None:
    assert {(came_from.value, what.name): to.value for (came_from, what), to in MOVES.items()} == ALLOWED


@pytest.mark.parametrize(("status", "what"), list(product(Status, Move)))
def test_a_pair_outside_the_table_is_refused(status: Status, what: Move) -> None:
    if to := ALLOWED.get((status.value, what.name)):
        assert move(status, what) == to
    else:
        with pytest.raises(InvalidStatus) as refused:
            move(status, what)
        assert (refused.value.status, refused.value.code) == (409, "INVALID_STATUS")
        assert refused.value.details == {"status": status.value, "move": what.value}


def test_takeover_transfer_release_and_close_raise_the_epoch() -> None:
    assert {Move.TAKE_OVER, Move.TRANSFER, Move.RELEASE, Move.CLOSE} == RAISES_EPOCH


@pytest.mark.parametrize("status", list(Status))
async def test_a_move_is_in_the_log_with_who_why_and_when_or_changes_nothing(db: Database, status: Status) -> None:
    for what in Move:
        name = f"{status}-{what.name}"
        await open_session(db, name)
        await bring_to(db, name, status)
        row, log = await all_of(db, name)
        to = ALLOWED.get((status.value, what.name))
        if to is None:
            with pytest.raises(InvalidStatus):
                await bring(db, name, what)
            assert await all_of(db, name) == (row, log)
            continue
        await bring(db, name, what)
        after, (*before, last) = await all_of(db, name)
        epoch = row["epoch"] + (what in RAISES_EPOCH)
        assert (after["status"], after["epoch"], before) == (to, epoch, log)
        assert last.facts == facts_of(what) | {"from": status, "to": to, "epoch": epoch}
        assert (last.seq, last.type, last.actor) == (len(log) + 1, what.value, '{"kind":"system"}')
        assert after["updated_at"] == last.at >= row["updated_at"]


async def command(agent: Agent, visitor: Visitor, what: Move) -> httpx2.Response:
    if what == Move.ESCALATE:
        return await agent.post("/api/manual/escalate", {"session_name": visitor.name})
    return await agent.acts({Move.TAKE_OVER: "takeover", Move.RELEASE: "release", Move.CLOSE: "close"}[what], visitor)


COMMANDS = (Move.ESCALATE, Move.TAKE_OVER, Move.RELEASE, Move.CLOSE)
OTHER_REFUSALS = {
    (Status.MANUAL_LIVE, Move.ESCALATE): "MANUAL_IN_PROGRESS",
    (Status.MANUAL_LIVE, Move.TAKE_OVER): "ALREADY_TAKEN",
}
REFUSED = [
    pair
    for pair in product(Status, COMMANDS)
    if pair not in MOVES and pair != (Status.PENDING_MANUAL, Move.ESCALATE)  # which is a repeat
]


async def test_a_refused_command_answers_409_and_changes_nothing(stage: Stage, agent: Agent, db: Database) -> None:
    for status, what in REFUSED:
        visitor = await stage.visitor()
        await bring_to(db, visitor.name, status)
        if status == Status.PENDING_MANUAL:
            await has_packet(db, visitor.name)
        before = await all_of(db, visitor.name)
        answer = await command(agent, visitor, what)
        code = OTHER_REFUSALS.get((status, what), "INVALID_STATUS")
        assert (answer.status_code, code_of(answer)) == (409, code)
        if code == "INVALID_STATUS":
            assert answer.json()["error"]["details"]["status"] == status
        assert await all_of(db, visitor.name) == before


async def test_asking_for_a_person_again_keeps_the_clock(visitor: Visitor, db: Database) -> None:
    first = await visitor.asks_for_a_person()
    await has_packet(db, visitor.name)
    before = await all_of(db, visitor.name)
    assert (await visitor.asks_for_a_person())["escalation"] == first["escalation"]
    assert await all_of(db, visitor.name) == before


async def test_only_the_visitor_reopens_a_closed_session(agent: Agent, visitor: Visitor, db: Database) -> None:
    await agent.closes(visitor)
    await visitor.says("one more thing")
    reopened = next(one for one in await log_of(db, visitor.name) if one.type == Move.REOPEN)
    assert (reopened.actor, reopened.facts["from"], reopened.facts["to"]) == (VISITOR.json(), "closed", "bot_active")


def test_the_picture_in_the_documentation_is_drawn_from_the_table() -> None:
    assert PICTURE.read_text() == drawing(), "Run: python scripts/draw_states.py"
