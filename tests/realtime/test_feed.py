"""The feed for integrators: everything that happened, from a cursor on, and waiting for what comes."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest
from fastapi import FastAPI

from actors import Agent, Stage, Visitor, code_of, data_of
from conftest import ON_ONE_DATABASE
from kefu.kit.db import Database
from kefu.kit.pages import to_cursor
from kefu.sessions.post import post
from sessions.records import log_of

PATH = "/api/events"
OWN = {"cursor", "stream", "audience"}


@pytest.fixture
def stage(db: Database, client: httpx2.AsyncClient) -> Stage:
    return Stage(db, client)


@pytest.fixture
async def lead(stage: Stage) -> Agent:
    return await stage.agent("lead", "supervisor")


@pytest.fixture
async def other(database_url: str) -> AsyncIterator[Database]:
    """As another process has it."""
    db = Database(database_url)
    yield db
    await db.close()


@pytest.fixture
async def taken(stage: Stage, lead: Agent) -> Visitor:
    """A visitor whom an agent serves, so that no answer of the bot comes between."""
    visitor = await stage.visitor()
    await lead.takes_over(visitor)
    return visitor


async def page(reader: Agent, after: str = "", **query: int) -> Any:
    asked = "&".join([f"after={after}", *(f"{name}={value}" for name, value in query.items())])
    return data_of(await reader.get(f"{PATH}?{asked}"))


async def everything(reader: Agent, after: str = "", limit: int = 500) -> list[dict[str, Any]]:
    """Page after page until there is no more."""
    events: list[dict[str, Any]] = []
    async with asyncio.timeout(20):
        while True:
            found = await page(reader, after, limit=limit)
            events += found["events"]
            after = found["next"]
            if found["caught_up"]:
                return events


async def until_caught(reader: Agent, after: str, count: int) -> list[dict[str, Any]]:
    """The next `count` events, however long other transactions hold the newest back."""
    events: list[dict[str, Any]] = []
    async with asyncio.timeout(20):
        while len(events) < count:
            found = await page(reader, after, wait=1)
            events += found["events"]
            after = found["next"]
    return events


async def test_it_tells_all_of_the_workspace_as_the_log_has_it(lead: Agent, stage: Stage, db: Database) -> None:
    visitors = [await stage.visitor() for _ in range(3)]
    for visitor in visitors:
        await lead.takes_over(visitor)
        await visitor.says("in the box?")
        await lead.says(visitor, "yes", f"reply-{visitor.name}")
    logs = {f"session/{one.name}": await log_of(db, one.name) for one in visitors}
    events = await until_caught(lead, "", sum(map(len, logs.values())))
    for stream, log in logs.items():
        mine = sorted((one for one in events if one["stream"] == stream), key=lambda one: one["seq"])
        assert [one["audience"] for one in mine] == [one.audience for one in log]
        assert [{key: one[key] for key in one.keys() - OWN} for one in mine] == [one.shown for one in log]
    assert len(events) == sum(map(len, logs.values()))


async def test_every_event_is_a_place_to_go_on_from(lead: Agent, taken: Visitor) -> None:
    for n in range(6):
        await taken.says(f"message {n}")
    whole = await until_caught(lead, "", 8)
    cursors = [one["cursor"] for one in whole]
    assert len(set(cursors)) == len(cursors)
    for n, one in enumerate(whole):
        following = await page(lead, one["cursor"], limit=2)
        assert following["events"] == whole[n + 1 : n + 3]
        assert following["next"] == ((following["events"] or [one])[-1]["cursor"])
        assert following["caught_up"] is (len(whole) - n - 1 < 2)
    assert await everything(lead, limit=3) == whole


async def test_an_empty_log_has_a_beginning_to_come_back_to(lead: Agent, stage: Stage) -> None:
    nothing = await page(lead)
    assert (nothing["events"], nothing["caught_up"]) == ([], True)
    visitor = await stage.visitor()
    (first,) = await until_caught(lead, nothing["next"], 1)
    assert (first["type"], first["stream"]) == ("session.opened", f"session/{visitor.name}")


async def test_waiting_ends_with_the_first_event_of_this_process_or_of_another(
    lead: Agent, taken: Visitor, app: FastAPI, other: Database
) -> None:
    after = (await until_caught(lead, "", 2))[-1]["cursor"]
    for n, db in enumerate((app.state.db, other, app.state.db, other)):
        waiting = asyncio.create_task(page(lead, after, wait=30))
        await asyncio.sleep(0.1)
        assert not waiting.done()
        await post(db, taken.name, f"message {n}", f"m-{n}")
        found = await asyncio.wait_for(waiting, 15)
        assert [one["content"] for one in found["events"]][:1] == [f"message {n}"]
        after = found["next"]


async def test_who_waits_holds_no_connection_and_gets_an_empty_page_in_the_end(lead: Agent, app: FastAPI) -> None:
    pages = [asyncio.create_task(page(lead, wait=3)) for _ in range(40)]
    async with asyncio.timeout(20):
        await asyncio.sleep(0.3)
        while app.state.db.engine.pool.checkedout():  # noqa: ASYNC110 - nobody tells when a pool is empty
            await asyncio.sleep(0.01)
    assert not any(one.done() for one in pages)
    for found in await asyncio.gather(*pages):
        assert (found["events"], found["caught_up"]) == ([], True)


async def test_a_process_that_stops_keeps_nobody_waiting(lead: Agent, visitor: Visitor, app: FastAPI) -> None:
    (opened,) = await until_caught(lead, "", 1)
    waiting = asyncio.create_task(page(lead, opened["cursor"], wait=30))
    await asyncio.sleep(0.1)
    app.state.hub.drain()
    found = await asyncio.wait_for(waiting, 10)
    assert (found["events"], found["next"]) == ([], opened["cursor"])
    assert visitor.name in opened["stream"]


@ON_ONE_DATABASE
@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("after=nonsense", "after"),
        ("after=!!!", "after"),
        (f"after={to_cursor([1])}", "after"),
        (f"after={to_cursor(['1', 2])}", "after"),
        (f"after={to_cursor([-1, 2])}", "after"),
        (f"after={to_cursor([2**61, 2**61])}", "after"),
        (f"after={'x' * 300}", "after"),
        ("limit=0", "limit"),
        ("limit=501", "limit"),
        ("limit=many", "limit"),
        ("wait=31", "wait"),
        ("wait=-1", "wait"),
    ],
)
async def test_what_is_wrong_is_named(lead: Agent, query: str, field: str) -> None:
    answer = await lead.get(f"{PATH}?{query}")
    assert answer.status_code == 422
    assert [one["field"] for one in answer.json()["error"]["details"]["fields"]] == [field]


async def test_it_is_for_leads_only(stage: Stage, visitor: Visitor) -> None:
    for role in ("agent", "inspector"):
        answer = await (await stage.agent(role, role)).get(PATH)
        assert (answer.status_code, code_of(answer)) == (403, "FORBIDDEN")
    assert (await visitor.get(PATH)).status_code == 403
    assert (await stage.http.get(PATH)).status_code == 401
    assert (await (await stage.agent("boss", "super_admin")).get(PATH)).status_code == 200
