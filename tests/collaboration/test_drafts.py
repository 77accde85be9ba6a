"""What an agent writes and does not send is kept for them, on any device, and for nobody else."""

import asyncio
from typing import Any

import pytest

from actors import Agent, Stage, Visitor, code_of, data_of
from collaboration.asking import delete, put
from kefu.kit.db import Database
from kefu.sessions import drafts, service


def path_of(visitor: Visitor) -> str:
    return f"/api/sessions/{visitor.name}/draft"


async def saves(agent: Agent, visitor: Visitor, content: str, revision: int) -> Any:
    return data_of(await put(agent, path_of(visitor), {"content": content, "revision": revision}))


async def draft(agent: Agent, visitor: Visitor) -> tuple[str, int]:
    found = data_of(await agent.get(path_of(visitor)))
    return found["content"], found["revision"]


async def test_a_draft_is_there_on_another_device_and_for_nobody_else(
    stage: Stage, visitor: Visitor, agent: Agent
) -> None:
    assert await draft(agent, visitor) == ("", 0)
    saved = await saves(agent, visitor, "您好，<b>稍等</b>", 1)
    assert saved["is_ours"]
    assert saved["saved_at"]
    colleague = await stage.agent("boris", "supervisor")
    assert await draft(colleague, visitor) == ("", 0)
    assert await draft(agent, visitor) == ("您好，<b>稍等</b>", 1)
    assert code_of(await visitor.get(path_of(visitor))) == "FORBIDDEN"


async def test_a_late_save_never_overwrites_a_newer_one_and_a_repeat_changes_nothing(
    visitor: Visitor, agent: Agent
) -> None:
    await saves(agent, visitor, "newer", 7)
    late = await saves(agent, visitor, "older", 6)
    assert (late["content"], late["revision"], late["is_ours"]) == ("newer", 7, False)
    assert (await saves(agent, visitor, "newer", 7))["is_ours"]
    assert not (await saves(agent, visitor, "another device's seventh", 7))["is_ours"]
    assert await draft(agent, visitor) == ("newer", 7)


async def test_of_many_saves_at_once_the_last_revision_stands(visitor: Visitor, agent: Agent) -> None:
    await asyncio.gather(*(saves(agent, visitor, f"text {n}", n) for n in (3, 9, 1, 12, 7, 12, 5)))
    assert await draft(agent, visitor) == ("text 12", 12)


async def test_the_reply_that_used_a_draft_empties_it_and_a_save_on_its_way_does_not_bring_it_back(
    visitor: Visitor, agent: Agent
) -> None:
    await agent.takes_over(visitor)
    await saves(agent, visitor, "Hello", 2)
    data_of(await agent.writes(visitor, "Hello", "one", draft_revision=3))
    assert await draft(agent, visitor) == ("", 3)
    assert not (await saves(agent, visitor, "Hello", 3))["is_ours"]
    await saves(agent, visitor, "The next", 4)
    data_of(await agent.writes(visitor, "Hello", "one", draft_revision=3))  # repeated, the answer was lost
    assert await draft(agent, visitor) == ("The next", 4)


async def test_a_reply_that_is_refused_leaves_the_draft(visitor: Visitor, agent: Agent) -> None:
    await agent.takes_over(visitor)
    await saves(agent, visitor, "Hello", 2)
    await visitor.says("Wait")
    refused = await agent.writes(visitor, "Hello", "one", draft_revision=2, seen_seq=1)
    assert code_of(refused) == "STALE_VIEW"
    assert await draft(agent, visitor) == ("Hello", 2)
    data_of(await agent.writes(visitor, "Hello", "two"))  # by a program that knows of no drafts
    assert await draft(agent, visitor) == ("Hello", 2)


async def test_a_process_that_dies_before_the_commit_keeps_draft_and_no_reply(
    db: Database, visitor: Visitor, agent: Agent
) -> None:
    await agent.takes_over(visitor)
    await saves(agent, visitor, "Hello", 2)

    class Died(Exception):
        pass

    async def reply_and_die() -> None:
        async with db.write() as tx:
            await service.post_by_agent(
                tx, visitor.name, service.Member(agent.id, agent.name), service.Reply("Hello", "one")
            )
            await drafts.used(tx, visitor.name, agent.id, 2)
            raise Died

    with pytest.raises(Died):
        await reply_and_die()
    assert await draft(agent, visitor) == ("Hello", 2)
    assert [one["content"] for one in (await visitor.reads())["history"]] == []


async def test_a_draft_is_dropped_unless_a_later_one_stands(visitor: Visitor, agent: Agent) -> None:
    await saves(agent, visitor, "Hello", 5)
    assert not data_of(await delete(agent, path_of(visitor) + "?revision=4"))["is_ours"]
    assert data_of(await delete(agent, path_of(visitor) + "?revision=6"))["is_ours"]
    assert await draft(agent, visitor) == ("", 6)


WRONG: list[dict[str, object]] = [
    {"content": "x" * 5001, "revision": 1},
    {"content": "\x00", "revision": 1},
    {"content": None, "revision": 1},
    {"content": "x"},
    {"content": "x", "revision": 0},
    {"content": "x", "revision": "1"},
    {"content": "x", "revision": 2**60},
]


async def test_a_wrong_draft_is_refused(visitor: Visitor, agent: Agent) -> None:
    for wrong in WRONG:
        refused = await put(agent, path_of(visitor), wrong)
        assert (refused.status_code, code_of(refused)) == (422, "VALIDATION_FAILED"), wrong


async def test_there_is_no_draft_without_a_session_or_a_permission(
    stage: Stage, visitor: Visitor, agent: Agent
) -> None:
    body = {"content": "x", "revision": 1}
    assert code_of(await put(agent, "/api/sessions/nowhere/draft", body)) == "SESSION_NOT_FOUND"
    inspector = await stage.agent("ines", "inspector")
    assert code_of(await put(inspector, path_of(visitor), body)) == "FORBIDDEN"
