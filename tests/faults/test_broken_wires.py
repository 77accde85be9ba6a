"""Wires break between client, server and PostgreSQL, and nobody is told anything that is not so (spec S3, Q2)."""

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from functools import partial
from pathlib import Path

import pytest

from faults.checker import violations
from faults.crowd import Crowd
from faults.people import PATIENCE, Line, Visitor, at_work, line_to
from faults.process import Kefu
from faults.proxy import Proxy
from faults.stored import found, until_idle
from faults.waiting import until
from kefu.jobs.queue import LEASE
from kefu.kit.db import Database
from kefu.kit.postgres import FREE_SECONDS, STATEMENT_SECONDS
from kefu.log.log import find_client_message
from kefu.sessions.models import stream_of
from kefu.sessions.service import locked

TOLD_WITHIN = FREE_SECONDS + STATEMENT_SECONDS + 1
ALIVE_WITHIN = 1.0
HEALED_WITHIN = 2.0
CUTS = 40


@pytest.fixture
async def wire(postgres_database: str) -> AsyncIterator[Proxy]:
    """The wire between the server and its PostgreSQL."""
    async with Proxy(_port_of(postgres_database)) as proxy:
        yield proxy


@pytest.fixture
async def wired(database_url: str, wire: Proxy, tmp_path: Path) -> AsyncIterator[Kefu]:
    """A server whose PostgreSQL is at the other end of `wire`."""
    kefu = Kefu(tmp_path, database_url.replace(f":{_port_of(database_url)}/", f":{wire.port}/"))
    await kefu.start()
    yield kefu
    await kefu.kill()


def _port_of(url: str) -> int:
    return int(url.rpartition(":")[2].partition("/")[0])


async def test_an_answer_that_got_lost_is_given_again(kefu: Kefu, line: Line, db: Database) -> None:
    async with Proxy(kefu.port) as proxy:
        visitor = await Visitor.arrive(line, "unlucky")
        for arrives in (0, 1, 16, 120, 300):
            body = visitor.next_message()
            async with line_to(f"http://127.0.0.1:{proxy.port}") as broken:
                proxy.cut_answer_after(arrives)
                assert await broken.once("POST", visitor.path, visitor.token, body) is None
            async with db.read() as tx:
                first = await find_client_message(tx, stream_of(visitor.name), body["client_msg_id"])
            assert first
            assert await visitor.say(body) == first.seq
        await until_idle(db, LEASE.total_seconds())
        assert violations(await found(db, line.told, [])) == []


async def worst_of_health(line: Line) -> float:
    """Ask again and again whether the process is alive; cancelled, it returns how long the slowest answer took."""
    loop = asyncio.get_running_loop()
    worst = 0.0
    try:
        while True:
            asked = loop.time()
            answer = await line.once("GET", "/health")
            assert answer
            assert answer.status_code == 200
            worst = max(worst, loop.time() - asked)
            await asyncio.sleep(0.05)
    except asyncio.CancelledError:
        return worst


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_a_silent_postgresql_is_not_waited_for(
    wired: Kefu, wire: Proxy, db: Database, record_property: Callable[[str, object], None]
) -> None:
    async with line_to(wired.address) as line:
        agent = await line.sign_in()
        crowd = [await Visitor.arrive(line, f"waiting-{n}") for n in range(12)]
        await asyncio.gather(*(visitor.say() for visitor in crowd))
        bodies = [visitor.next_message() for visitor in crowd]
        async with line_to(wired.address) as probe, line_to(wired.address) as silent:
            wire.hush()
            pulse = asyncio.create_task(worst_of_health(probe))
            posts = [silent.once("POST", one.path, one.token, body) for one, body in zip(crowd, bodies, strict=True)]
            lists = [silent.once("GET", "/api/sessions", agent) for _ in range(12)]
            answers = await asyncio.gather(*posts, *lists)
            pulse.cancel()
            slowest_pulse = await pulse
            wire.speak()
        began = asyncio.get_running_loop().time()
        await asyncio.gather(*(visitor.say(body) for visitor, body in zip(crowd, bodies, strict=True)))
        healed = asyncio.get_running_loop().time() - began
        await until_idle(db, LEASE.total_seconds() + 5)
        everything = await found(db, line.told, [])
    record_property("told within", f"{silent.told.slowest:.1f} s")
    record_property("alive within", f"{slowest_pulse:.3f} s")
    record_property("healed within", f"{healed:.2f} s")
    assert [answer.status_code for answer in answers if answer] == [503] * 24
    assert violations(everything) == []
    assert silent.told.unpromised + line.told.unpromised == []
    assert silent.told.slowest < TOLD_WITHIN
    assert slowest_pulse < ALIVE_WITHIN
    assert healed < HEALED_WITHIN


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_who_holds_a_session_for_long_is_not_waited_for(line: Line, db: Database) -> None:
    """Another process stands still in the middle of a transaction, so the session's row stays locked."""
    visitor = await Visitor.arrive(line, "held")
    await visitor.say()
    bodies = [visitor.next_message() for _ in range(4)]
    async with db.write() as tx:
        await locked(tx, visitor.name)
        answers = await asyncio.gather(
            line.once("POST", "/api/manual/escalate", visitor.token, {"session_name": visitor.name}),
            *(line.once("POST", visitor.path, visitor.token, body) for body in bodies),
        )
    assert [answer.status_code for answer in answers if answer] == [503] * 5
    assert line.told.slowest < TOLD_WITHIN
    for body in bodies:
        await visitor.say(body)
    await until_idle(db, LEASE.total_seconds() + 5)
    assert violations(await found(db, line.told, [])) == []
    assert line.told.unpromised == []


async def keep_cutting(wire: Proxy) -> None:
    """After a few bytes of a question to PostgreSQL or of its answer: before, in and after the commit."""
    for _ in range(CUTS):
        random.choice((wire.cut_answer_after, wire.cut_request_after))(random.randint(0, 1500))
        await until(partial(wire.has_cut, wire.cuts + 1), PATIENCE)
        await asyncio.sleep(random.uniform(0, 0.05))


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_a_commit_whose_answer_got_lost_is_there_once(
    wired: Kefu, wire: Proxy, db: Database, record_property: Callable[[str, object], None]
) -> None:
    async with line_to(wired.address) as line:
        crowd = Crowd(line)
        await crowd.arrive(alone=4, with_agent=2)
        async with at_work(crowd.talk(), *crowd.follow()) as tasks:
            await keep_cutting(wire)
            crowd.leave.set()
            await tasks[0]
            await until_idle(db, LEASE.total_seconds() + 5)
            everything = await found(db, line.told, crowd.seen)
            await crowd.see_all(everything)
    record_property("acknowledged", len(line.told.acks))
    record_property("told 503", line.told.statuses[503])
    assert violations(everything) == []
    assert line.told.unpromised == []
    assert wired.logged("request.failed") == []
