"""Who is online, who looks at a session and who has read it, over two processes that may lose sight of each other."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any

import httpx2
import pytest
from fastapi import FastAPI

from actors import Agent, Caller, Stage, Visitor, Watch, data_of
from faults.proxy import Proxy
from kefu.bus.local import LocalBus
from kefu.bus.ports import Notice
from kefu.kit.config import Settings
from kefu.kit.db import Database
from kefu.main import create_app
from kefu.realtime import presence
from kefu.shops.service import first_shop
from serving import served


class Wire(LocalBus):
    """One process's end of a bus that all share. One that is cut hears itself alone, as when Redis is away."""

    def __init__(self, ends: list["Wire"]) -> None:
        super().__init__()
        self._ends = ends
        self.is_cut = False
        ends.append(self)

    def publish(self, notice: Notice) -> None:
        super().publish(notice)
        for end in self._ends:
            if end is not self and not (self.is_cut or end.is_cut):
                LocalBus.publish(end, notice)


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(presence, "TICK_SECONDS", 0.1)
    monkeypatch.setattr(presence, "CALM_TICK_SECONDS", 0.1)
    monkeypatch.setattr(presence, "RENEW_SECONDS", 0.2)
    monkeypatch.setattr(presence, "LEASE_SECONDS", 1.5)
    monkeypatch.setattr(presence, "LINGER_SECONDS", 0.6)


class Processes:
    """Application processes on one database and one bus, each on a port of its own."""

    def __init__(self, settings: Settings, db: Database, running: AsyncExitStack) -> None:
        self._settings, self._db, self._running = settings, db, running
        self._ends: list[Wire] = []

    async def start(self) -> tuple[Stage, Wire]:
        wire = Wire(self._ends)
        return await self.run(create_app(self._settings, bus=wire)), wire

    async def start_with_redis(self, url: str) -> Stage:
        return await self.run(create_app(self._settings.model_copy(update={"redis_url": url})))

    async def run(self, app: FastAPI) -> Stage:
        await self._running.enter_async_context(app.router.lifespan_context(app))
        address = await self._running.enter_async_context(served(app))
        http = httpx2.AsyncClient(base_url=address, timeout=30)
        stage = Stage(self._db, await self._running.enter_async_context(http))
        self._running.push_async_callback(stage.close)
        return stage


@pytest.fixture
async def processes(settings: Settings, db: Database) -> AsyncIterator[Processes]:
    async with db.write() as tx:
        await first_shop(tx)
    async with AsyncExitStack() as running:
        yield Processes(settings, db, running)


@pytest.fixture
async def two(processes: Processes) -> tuple[Stage, Stage]:
    return (await processes.start())[0], (await processes.start())[0]


def elsewhere(stage: Stage, who: Agent) -> Agent:
    """The same agent at another process."""
    return Agent(stage, who.token, {"id": who.id, "name": who.name})


async def looks_at(who: Caller, name: str) -> Watch:
    watch = await who.follows(name)
    await watch.sees("stream.ready")
    return watch


async def shows(watch: Watch, type_: str, **facts: Any) -> None:
    """Wait until the newest frame of this type says so."""

    def newest() -> dict[str, Any]:
        return next((frame for frame in reversed(watch.frames) if frame["type"] == type_), {})

    await watch.until(lambda: facts.items() <= newest().items(), what=f"{type_} {facts}")


async def online(stage: Stage, who: Agent) -> list[str]:
    agents = data_of(await elsewhere(stage, who).get("/api/presence"))["agents"]
    return [one["name"] for one in agents]


async def test_agents_see_who_looks_and_whether_the_visitor_is_there_at_any_process(two: tuple[Stage, Stage]) -> None:
    here, there = two
    visitor, mei = await here.visitor(), await here.agent("mei")
    bob = elsewhere(there, await here.agent("bob"))
    of_mei = await looks_at(mei, visitor.name)
    me = {"id": mei.id, "name": "Mei"}
    await shows(of_mei, "viewers", agents=[me])
    await shows(of_mei, "visitor.online", online=False)
    of_bob = await looks_at(bob, visitor.name)
    both = [{"id": bob.id, "name": "Bob"}, me]
    await shows(of_bob, "viewers", agents=both)
    await shows(of_mei, "viewers", agents=both)
    of_visitor = await looks_at(visitor, visitor.name)
    await shows(of_mei, "visitor.online", online=True)
    await shows(of_bob, "visitor.online", online=True)
    await of_bob.__aexit__(None, None, None)
    await shows(of_mei, "viewers", agents=[me])
    await of_visitor.__aexit__(None, None, None)
    await shows(of_mei, "visitor.online", online=False)
    assert {frame["type"] for frame in of_visitor.frames} == {"session.opened", "stream.ready"}


async def test_the_desk_knows_who_is_online(two: tuple[Stage, Stage]) -> None:
    here, there = two
    mei = await here.agent("mei")
    bob = elsewhere(there, await here.agent("bob"))
    desk = await mei.watches_the_desk()
    await shows(desk, "presence", agents=[{"id": mei.id, "name": "Mei"}])
    of_bob = await bob.watches_the_desk()
    await shows(desk, "presence", agents=[{"id": bob.id, "name": "Bob"}, {"id": mei.id, "name": "Mei"}])
    await shows(of_bob, "presence", agents=[{"id": bob.id, "name": "Bob"}, {"id": mei.id, "name": "Mei"}])
    assert await online(here, mei) == await online(there, mei) == ["Bob", "Mei"]
    await of_bob.__aexit__(None, None, None)
    await shows(desk, "presence", agents=[{"id": mei.id, "name": "Mei"}])


async def test_a_process_that_starts_knows_at_once_who_is_elsewhere(processes: Processes) -> None:
    here, _ = await processes.start()
    mei, visitor = await here.agent("mei"), await here.visitor()
    await (await mei.watches_the_desk()).sees("stream.ready")
    await looks_at(visitor, visitor.name)
    there, _ = await processes.start()
    watch = await looks_at(elsewhere(there, mei), visitor.name)
    await shows(watch, "visitor.online", online=True)
    assert await online(there, mei) == ["Mei"]


async def test_whoever_was_at_a_process_that_died_is_gone_without_a_word(processes: Processes) -> None:
    here, _ = await processes.start()
    there, wire = await processes.start()
    visitor, mei = await here.visitor(), await here.agent("mei")
    watch = await looks_at(mei, visitor.name)
    await looks_at(Visitor(there, {"visitor_token": visitor.token, "session_name": visitor.name}), visitor.name)
    await shows(watch, "visitor.online", online=True)
    wire.is_cut = True
    await shows(watch, "visitor.online", online=False)
    wire.is_cut = False
    await shows(watch, "visitor.online", online=True)


async def test_what_was_missed_while_the_bus_was_away_is_made_up_for(processes: Processes) -> None:
    here, _ = await processes.start()
    there, wire = await processes.start()
    mei = await here.agent("mei")
    bob = elsewhere(there, await here.agent("bob"))
    desk = await mei.watches_the_desk()
    await desk.sees("stream.ready")
    wire.is_cut = True
    of_bob = await bob.watches_the_desk()
    await of_bob.sees("stream.ready")
    await asyncio.sleep(0.3)
    wire.is_cut = False
    await shows(desk, "presence", agents=[{"id": bob.id, "name": "Bob"}, {"id": mei.id, "name": "Mei"}])
    await shows(of_bob, "presence", agents=[{"id": bob.id, "name": "Bob"}, {"id": mei.id, "name": "Mei"}])


async def test_over_redis_it_is_the_same_and_heals_when_redis_comes_back(processes: Processes, redis_url: str) -> None:
    address, _, number = redis_url.rpartition("/")
    async with Proxy(int(address.rpartition(":")[2])) as wire:
        here = await processes.start_with_redis(redis_url)
        visitor, mei = await here.visitor(), await here.agent("mei")
        watch = await looks_at(mei, visitor.name)
        there = await processes.start_with_redis(f"redis://127.0.0.1:{wire.port}/{number}")
        bob = elsewhere(there, await here.agent("bob"))
        of_bob = await looks_at(bob, visitor.name)
        both = [{"id": bob.id, "name": "Bob"}, {"id": mei.id, "name": "Mei"}]
        await shows(of_bob, "viewers", agents=both)
        await shows(watch, "viewers", agents=both)
        wire.refuse()
        wire.cut_all()
        await shows(watch, "viewers", agents=both[1:])
        await shows(of_bob, "viewers", agents=both[:1])
        await wire.accept()
        await shows(watch, "viewers", agents=both)
        await shows(of_bob, "viewers", agents=both)


async def test_a_reconnect_is_no_leave(two: tuple[Stage, Stage], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(presence, "LINGER_SECONDS", 30.0)
    here, there = two
    visitor, mei = await here.visitor(), await here.agent("mei")
    watch = await looks_at(mei, visitor.name)
    for n in range(6):
        stage = (here, there)[n % 2]
        again = await looks_at(
            Visitor(stage, {"visitor_token": visitor.token, "session_name": visitor.name}), visitor.name
        )
        await shows(watch, "visitor.online", online=True)
        await again.__aexit__(None, None, None)
    await asyncio.sleep(presence.RENEW_SECONDS)
    said = [frame["online"] for frame in watch.frames if frame["type"] == "visitor.online"]
    assert said == [False, True]


async def test_each_side_sees_how_far_the_other_has_read(two: tuple[Stage, Stage]) -> None:
    here, there = two
    visitor, mei = await here.visitor(), await here.agent("mei")
    other_tab = elsewhere(there, mei)
    of_visitor, of_mei = await looks_at(visitor, visitor.name), await looks_at(mei, visitor.name)
    desk, other_desk = await other_tab.watches_the_desk(), await (await here.agent("bob")).watches_the_desk()
    await desk.sees("stream.ready")
    await mei.takes_over(visitor)
    said = await visitor.says("hello?")
    await mei.has_read(visitor, said)
    assert await of_visitor.sees("read") == {"type": "read", "actor": {"kind": "agent"}, "seq": said}
    assert await desk.sees("session.read") == {
        "type": "session.read",
        "session": visitor.name,
        "seq": said,
        "read_count": 1,
    }
    await mei.has_read(visitor, said)
    answered = await mei.says(visitor, "yes?")
    await visitor.has_read(answered)
    await of_mei.sees("read", actor={"kind": "visitor"}, seq=answered)
    late = await looks_at(visitor, visitor.name)
    await late.sees("read", actor={"kind": "visitor"}, seq=answered)
    await late.sees("read", actor={"kind": "agent"}, seq=said)
    moved = [frame["seq"] for frame in of_visitor.frames if frame["type"] == "read"]
    assert moved == [said, answered], "a mark that did not move says nothing"
    assert "session.read" not in {frame["type"] for frame in other_desk.frames}


async def test_who_is_online_is_for_agents(stage: Stage, visitor: Visitor) -> None:
    assert (await visitor.get("/api/presence")).status_code == 403
    assert (await stage.http.get("/api/presence")).status_code == 401
