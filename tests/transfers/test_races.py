"""Two who decide about one transfer at once: one outcome, and the log and the list say the same."""

import asyncio
from functools import partial

import httpx2
import pytest

from actors import Agent, Stage, Visitor, code_of
from kefu.kit.db import Database
from kefu.sessions.fold import fold_all
from sessions.records import columns_of, log_of, row_of
from transfers.desk import answers, asked, asks, hired, on_duty, rows

ROUNDS = 10


@pytest.fixture
def stage(db: Database, client: httpx2.AsyncClient) -> Stage:
    return Stage(db, client)


async def settled(db: Database, visitor: Visitor) -> list[str]:
    """How the requests of the session ended; the log says the same, and the row is its fold."""
    log = await log_of(db, visitor.name)
    ends = [one.type.removeprefix("transfer.") for one in log if one.type.startswith("transfer.")]
    ends = [one for one in ends if one != "requested"]
    found = [one.status for one in await rows(db, visitor)]
    assert sorted(ends) == sorted(found)
    assert ends.count("accepted") == sum(one.type == "session.transferred" for one in log) <= 1
    assert columns_of(fold_all(visitor.name, log)) == await row_of(db, visitor.name)
    return found


async def test_one_outcome_whoever_decides_at_the_same_moment(db: Database, stage: Stage) -> None:
    mei, bob = await stage.agent("mei"), await hired(db, stage, "bob", max_sessions=1000)
    boss, eve = await stage.agent("boss", "supervisor"), await stage.agent("eve")
    seen: dict[str, set[str]] = {}
    for _ in range(ROUNDS):
        for rival in ("accept", "decline", "release", "force"):
            visitor = await stage.visitor()
            await mei.takes_over(visitor)
            request_id = await asked(mei, visitor, bob)
            rivals = {
                "accept": partial(answers, bob, request_id, "accept"),
                "decline": partial(answers, bob, request_id, "decline"),
                "release": partial(mei.acts, "release", visitor),
                "force": partial(asks, boss, visitor, eve, force=True, epoch=1),
            }
            accepting, other = await asyncio.gather(answers(bob, request_id, "accept"), rivals[rival]())
            ends = await settled(db, visitor)
            holder = (await row_of(db, visitor.name))["agent_id"]
            check(rival, accepting, other, ends, holder, bob)
            seen.setdefault(rival, set()).add(ends[0])
        await on_duty(db, bob)
    assert seen["accept"] == {"accepted"}


def check(
    rival: str, accepting: httpx2.Response, other: httpx2.Response, ends: list[str], holder: str, bob: Agent
) -> None:
    if rival == "accept":
        assert accepting.status_code == other.status_code == 200
    is_taken = accepting.status_code == 200
    assert ends[0] == ("accepted" if is_taken else "declined" if rival == "decline" else "expired")
    if rival != "accept":
        assert (holder == bob.id) == is_taken
        assert is_taken != (other.status_code == 200)
    if not is_taken:
        assert code_of(accepting) in {"REQUEST_ENDED", "INVALID_STATUS", "SESSION_ALREADY_TAKEN"}


async def test_of_many_who_offer_the_last_place_one_gets_it(db: Database, stage: Stage) -> None:
    bob = await hired(db, stage, "bob", max_sessions=1)
    requests = []
    for n in range(8):
        holder, visitor = await stage.agent(f"agent-{n}"), await stage.visitor()
        await holder.takes_over(visitor)
        requests.append(await asked(holder, visitor, bob))
    got = await asyncio.gather(*(answers(bob, one, "accept") for one in requests))
    assert sorted(one.status_code for one in got) == [200] + [409] * 7
    assert {code_of(one) for one in got if one.status_code == 409} == {"AGENT_FULL"}
