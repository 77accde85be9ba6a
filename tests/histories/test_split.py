"""One conversation becomes two: what was said from a message on is read in the new one."""

import asyncio

import pytest

from actors import Agent, Stage, Visitor, code_of, data_of
from histories.test_merge import is_folded
from histories.visits import comes_again, merges, read_by, splits
from kefu.kit.db import Database
from sessions.records import log_of


@pytest.fixture
async def talk(stage: Stage) -> tuple[Visitor, list[int]]:
    visitor = await stage.visitor()
    return visitor, [await visitor.says(f"Word {n}") for n in range(4)]


def known(visitor: Visitor, name: str) -> Visitor:
    return Visitor(visitor.stage, {"visitor_token": visitor.token, "session_name": name})


async def test_what_was_said_from_there_on_is_read_in_the_new_one(
    lead: Agent, db: Database, talk: tuple[Visitor, list[int]]
) -> None:
    visitor, seqs = talk
    before = await log_of(db, visitor.name)

    made = data_of(await splits(lead, visitor, seqs[2]))

    name = made["session_name"]
    assert await read_by(lead, visitor.name) == [(visitor.name, "Word 0"), (visitor.name, "Word 1")]
    assert await read_by(lead, name) == [(visitor.name, "Word 2"), (visitor.name, "Word 3")]
    log = await log_of(db, visitor.name)
    assert log[: len(before)] == before
    (mark,) = [one for one in log if one.type == "session.split_off"]
    assert (mark.audience, mark.facts) == ("public", {"into": name, "from_seq": seqs[2], "to_seq": mark.seq - 1})
    assert made["visitor_id"] == (await visitor.reads())["visitor_id"]
    await is_folded(db, visitor, known(visitor, name))

    opened = data_of(await visitor.post(f"/api/visitor/sessions/{name}/token"))
    other = Visitor(visitor.stage, opened)
    await other.says("Word 4")
    await visitor.says("Back to the first thing")
    assert [text for _, text in await read_by(visitor, name)] == ["Word 2", "Word 3", "Word 4"]
    assert [text for _, text in await read_by(other, visitor.name)] == ["Word 0", "Word 1", "Back to the first thing"]
    (listed,) = data_of(await visitor.get("/api/visitor/sessions"))["sessions"]
    assert listed["session_name"] == name


async def test_merged_back_it_is_read_as_before(lead: Agent, db: Database, talk: tuple[Visitor, list[int]]) -> None:
    visitor, seqs = talk
    name = data_of(await splits(lead, visitor, seqs[2]))["session_name"]
    data_of(await merges(lead, known(visitor, name), visitor))
    assert [text for _, text in await read_by(lead, visitor.name)] == [f"Word {n}" for n in range(4)]
    assert [text for _, text in await read_by(lead, visitor.name, "?others=true")] == ["Word 2", "Word 3"]
    await is_folded(db, visitor, known(visitor, name))


@pytest.mark.parametrize("state", ["bot_active", "pending_manual", "manual_live", "closed"])
async def test_the_new_one_is_in_the_same_hands(
    lead: Agent, agent: Agent, db: Database, talk: tuple[Visitor, list[int]], state: str
) -> None:
    visitor, seqs = talk
    if state == "pending_manual":
        await visitor.asks_for_a_person()
    if state == "manual_live":
        await agent.takes_over(visitor)
    if state == "closed":
        await lead.closes(visitor)
    made = data_of(await splits(lead, visitor, seqs[1]))
    source = await visitor.reads()
    assert made["status"] == source["status"] == state
    assert made["assigned_agent"] == source["assigned_agent"]
    await is_folded(db, visitor, known(visitor, made["session_name"]))


async def test_a_place_where_nothing_can_be_divided_is_refused(
    stage: Stage, lead: Agent, talk: tuple[Visitor, list[int]]
) -> None:
    visitor, seqs = talk

    async def refusal(from_seq: object) -> tuple[int, str]:
        answer = await lead.post(f"/api/sessions/{visitor.name}/split", {"from_seq": from_seq})
        return answer.status_code, code_of(answer)

    assert await refusal(seqs[0]) == (409, "NOT_SPLITTABLE"), "nothing would stay"
    assert await refusal(1) == (409, "NOT_SPLITTABLE"), "the opening is no message"
    assert await refusal(seqs[-1] + 100) == (409, "NOT_SPLITTABLE")
    for wrong in (0, -1, "2", None, 2**60, True):
        assert await refusal(wrong) == (422, "VALIDATION_FAILED")
    assert code_of(await lead.post("/api/sessions/no-such/split", {"from_seq": 3})) == "SESSION_NOT_FOUND"
    name = data_of(await splits(lead, visitor, seqs[2]))["session_name"]
    for n in (1, 2, 3):
        answer = await splits(lead, visitor, seqs[n])
        assert (answer.status_code, code_of(answer)) == (409, "ALREADY_SPLIT")
        assert answer.json()["error"]["details"] == {"into": name}
    later = await visitor.says("Word 5")
    data_of(await splits(lead, visitor, later))
    other = await comes_again(stage, visitor)
    data_of(await merges(lead, visitor, other))
    assert await refusal(later) == (409, "SESSION_MERGED")


async def test_two_who_split_at_once_make_one(lead: Agent, db: Database, talk: tuple[Visitor, list[int]]) -> None:
    visitor, seqs = talk
    answers = await asyncio.gather(*(splits(lead, visitor, seqs[2]) for _ in range(4)))
    assert sorted(answer.status_code for answer in answers) == [200, 409, 409, 409]
    assert [one.type for one in await log_of(db, visitor.name)].count("session.split_off") == 1


async def test_what_is_posted_while_it_is_split_is_read_in_one_of_the_two(
    lead: Agent, db: Database, talk: tuple[Visitor, list[int]]
) -> None:
    visitor, seqs = talk
    texts = [f"race {n}" for n in range(10)]
    stored, made = await asyncio.gather(
        asyncio.gather(*(visitor.says(text) for text in texts)), splits(lead, visitor, seqs[2])
    )
    assert len(set(stored)) == 10
    name = data_of(made)["session_name"]
    here, there = await read_by(lead, visitor.name), await read_by(lead, name)
    assert sorted(text for _, text in [*here, *there] if text.startswith("race")) == sorted(texts)
    await is_folded(db, visitor, known(visitor, name))
