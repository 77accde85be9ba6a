"""A visitor with several conversations, and what is asked about them."""

from typing import Any

import httpx2

from accounts.team import bearer
from actors import Agent, Caller, Stage, Visitor, data_of


async def comes_again(stage: Stage, visitor: Visitor, **wish: str) -> Visitor:
    """The same visitor in a new conversation."""
    answer = await stage.http.post("/api/conversation/new", json=wish, headers=bearer(visitor.token))
    return Visitor(stage, data_of(answer))


async def two_talks(stage: Stage) -> tuple[Visitor, Visitor]:
    """Two conversations of one visitor, two messages in each."""
    first = await stage.visitor()
    second = await comes_again(stage, first)
    for one, topic in ((first, "battery"), (second, "brakes")):
        await one.says(f"About my {topic}")
        await one.says(f"More about the {topic}")
    return first, second


async def merges(agent: Agent, source: Visitor, into: Visitor) -> httpx2.Response:
    return await agent.post(f"/api/sessions/{source.name}/merge", {"into": into.name})


async def splits(agent: Agent, source: Visitor, from_seq: int) -> httpx2.Response:
    return await agent.post(f"/api/sessions/{source.name}/split", {"from_seq": from_seq})


async def says_of(caller: Caller, name: str, query: str = "") -> Any:
    """A page of messages: `data` of the answer."""
    place = "/api/visitor/sessions" if isinstance(caller, Visitor) else "/api/sessions"
    return data_of(await caller.get(f"{place}/{name}/messages{query}"))


async def read_by(caller: Caller, name: str, query: str = "") -> list[tuple[str, str]]:
    """Session and words of what is read as this session, without the bot's."""
    messages = (await says_of(caller, name, query))["messages"]
    return [(one["session_name"], one["content"]) for one in messages if one["role"] != "assistant"]
