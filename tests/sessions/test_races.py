"""Many who do the same at once, over HTTP: one wins, and nothing is doubled or lost."""

import asyncio
from collections import Counter

import httpx2
import pytest

from actors import Stage, Visitor, code_of, data_of
from kefu.kit.db import Database
from kefu.sessions.fold import fold_all
from sessions.records import columns_of, log_of, row_of

AGENTS = 12
SESSIONS = 100


@pytest.fixture
def stage(db: Database, client: httpx2.AsyncClient) -> Stage:
    return Stage(db, client)


async def test_of_twelve_who_take_over_at_once_one_wins_and_the_others_learn_who(stage: Stage, db: Database) -> None:
    agents = [await stage.agent(f"agent-{n}") for n in range(AGENTS)]
    wins: Counter[str] = Counter()
    for _ in range(SESSIONS):
        visitor = await stage.visitor()
        answers = await asyncio.gather(*(agent.acts("takeover", visitor) for agent in agents))
        (winner,) = (agent for agent, answer in zip(agents, answers, strict=True) if answer.status_code == 200)
        wins[winner.id] += 1
        for agent, answer in zip(agents, answers, strict=True):
            if agent is winner:
                assert data_of(answer)["assigned_agent"] == {"id": winner.id, "name": winner.name}
                continue
            assert (answer.status_code, code_of(answer)) == (409, "ALREADY_TAKEN")
            assert answer.json()["error"]["details"] == {"agent": {"id": winner.id, "name": winner.name}}
            assert winner.name in answer.json()["error"]["message"]
        taken = [one for one in await log_of(db, visitor.name) if one.type == "session.taken_over"]
        assert [one.facts["agent"]["id"] for one in taken] == [winner.id]
        await winner.closes(visitor)
    assert sum(wins.values()) == SESSIONS


async def test_the_winner_may_repeat_the_takeover(stage: Stage, db: Database) -> None:
    agent, visitor = await stage.agent(), await stage.visitor()
    answers = await asyncio.gather(*(agent.acts("takeover", visitor) for _ in range(5)))
    assert {answer.status_code for answer in answers} == {200}
    assert (await row_of(db, visitor.name))["epoch"] == 1


async def test_one_message_sent_from_eight_tabs_at_once_is_stored_once(stage: Stage, db: Database) -> None:
    async def send(n: int) -> None:
        visitor = await stage.visitor()
        first, second = f"tab-{n}", f"next-{n}"
        for client_msg_id in (first, second):
            answers = await asyncio.gather(*(visitor.posts("hello", client_msg_id) for _ in range(8)))
            assert len({answer.text for answer in answers}) == 1, "a repeat gets the first answer"
            assert {answer.status_code for answer in answers} == {201}
        log = await log_of(db, visitor.name)
        assert [one.client_msg_id for one in log if one.client_msg_id] == [first, second]
        assert [one.seq for one in log] == list(range(1, len(log) + 1))

    for batch in range(10):
        await asyncio.gather(*(send(5 * batch + n) for n in range(5)))


async def test_of_two_who_open_one_name_at_once_one_gets_it(stage: Stage, db: Database) -> None:
    for n in range(20):
        wish = {"session_id": f"wanted-{n}"}
        answers = await asyncio.gather(*(stage.http.post("/api/conversation/new", json=wish) for _ in range(2)))
        won, lost = sorted(answers, key=lambda answer: answer.status_code)
        assert (won.status_code, lost.status_code, code_of(lost)) == (200, 401, "TOKEN_REQUIRED")
        assert len(await log_of(db, f"wanted-{n}")) == 1


async def test_sixty_four_who_write_at_once_get_gapless_places_in_order_of_commit(stage: Stage, db: Database) -> None:
    visitor, agent = await stage.visitor(), await stage.agent("boss", "supervisor")
    await agent.takes_over(visitor)

    async def write(n: int) -> dict[str, int]:
        tab = Visitor(stage, {"visitor_token": visitor.token, "session_name": visitor.name})
        return {f"{n}.{i}": await tab.says(f"{n}.{i}", f"{n}.{i}") for i in range(6)}

    async def reply() -> dict[str, int]:
        return {f"reply {i}": await agent.says(visitor, f"reply {i}", f"reply-{i}") for i in range(20)}

    stored = await asyncio.gather(*(write(n) for n in range(64)), reply())
    acknowledged = {content: seq for part in stored for content, seq in part.items()}
    log = await log_of(db, visitor.name)
    assert [one.seq for one in log] == list(range(1, len(log) + 1))
    assert {one.facts["content"]: one.seq for one in log if one.type == "message.posted"} == acknowledged
    assert [one.at for one in log] == sorted(one.at for one in log)
    for part in stored:
        assert list(part.values()) == sorted(part.values()), "each writer's own messages keep their order"
    assert columns_of(fold_all(visitor.name, log)) == await row_of(db, visitor.name)
