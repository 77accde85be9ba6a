"""A session's log read from its end backwards."""

from typing import Any

from actors import Agent, Stage, Visitor, code_of, data_of
from kefu.kit.db import Database
from kefu.log.log import VISITOR, Actor, Fact, read
from kefu.sessions import service
from kefu.sessions.models import stream_of

MEI = Actor("agent", "agent_1", "Mei")


async def talk(db: Database, name: str, pairs: int) -> None:
    """So many questions, each with an answer."""
    said = [fact for n in range(pairs) for fact in (_said(VISITOR, "user", n), _said(MEI, "agent", n))]
    async with db.write() as tx:
        await service.record(tx, await service.locked(tx, name), *said)


def _said(who: Actor, role: str, number: int) -> Fact:
    return Fact("message.posted", who, {"role": role, "content": f"{role} {number}"})


async def page(agent: Agent, visitor: Visitor, query: str = "") -> Any:
    return data_of(await agent.get(f"/api/sessions/{visitor.name}/log?{query}"))


async def test_stretches_together_are_the_log_and_count_what_is_before_them(stage: Stage, db: Database) -> None:
    agent, visitor = await stage.agent("lead", "supervisor"), await stage.visitor()
    await agent.takes_over(visitor)
    await talk(db, visitor.name, 6)
    async with db.read() as tx:
        log = [one.seq for one in await read(tx, stream_of(visitor.name), public_only=False)]

    last = await page(agent, visitor, "limit=5")
    assert [one["content"] for one in last["events"] if one["type"] == "message.posted"] == [
        "agent 3", "user 4", "agent 4", "user 5", "agent 5"
    ]  # fmt: skip
    assert (last["messages"], last["theirs"]) == (7, 4)
    assert {"session.opened", "session.taken_over"} <= {one["type"] for one in last["events"]}

    found = [one["seq"] for one in last["events"] if one["seq"] >= last["first"]]
    while last["first"] > 1:
        last = await page(agent, visitor, f"limit=4&before={last['first']}")
        found = [one["seq"] for one in last["events"]] + found
    assert found == log
    assert (last["messages"], last["theirs"]) == (0, 0)


async def test_it_is_for_agents_who_may_read_the_session(stage: Stage, db: Database) -> None:
    lena, mei, visitor = await stage.agent("lena"), await stage.agent("mei"), await stage.visitor()
    await talk(db, visitor.name, 1)
    path = f"/api/sessions/{visitor.name}/log"
    assert code_of(await visitor.get(path)) == "FORBIDDEN"
    await lena.takes_over(visitor)
    assert code_of(await mei.get(path)) == "HIDDEN_SESSION"
    assert code_of(await lena.get("/api/sessions/nowhere/log")) == "SESSION_NOT_FOUND"
    for query in ("before=0", "before=x", "limit=0", "limit=501"):
        assert (await lena.get(f"{path}?{query}")).status_code == 422, query
