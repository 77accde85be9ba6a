"""PostgreSQL is killed under the running server: 503 until it is back, then everything goes on by itself (S3, Q2)."""

import asyncio
import random
import tempfile
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from conftest import do_without
from faults.checker import violations
from faults.crowd import Crowd
from faults.people import Line, Visitor, at_work
from faults.postgres import Postgres
from faults.process import Kefu
from faults.stored import found, until_idle
from kefu.jobs.queue import LEASE
from kefu.kit.db import Database
from servers import Missing

HEALED_WITHIN = 2.0
# A job that was taken by a statement whose answer got lost waits for its lease to pass.
ANSWERED_WITHIN = LEASE.total_seconds() + 6


@pytest.fixture
async def postgres() -> AsyncIterator[Postgres]:
    with tempfile.TemporaryDirectory(prefix="kefu-postgres-") as home:
        try:
            postgres = Postgres(Path(home))
        except Missing as missing:
            do_without(str(missing))
        await postgres.create()
        await postgres.start()
        yield postgres
        await postgres.stop()


@pytest.fixture
async def database_url(postgres: Postgres, tmp_path: Path) -> str:
    """In the place of the shared server's: this one may be killed."""
    code, output = await Kefu(tmp_path, postgres.url).run("migrate")
    assert code == 0, output
    return postgres.url


async def statuses_without_a_database(line: Line, visitor: Visitor, agent: str) -> dict[str, int]:
    """What everybody is told while there is no database. The process itself is well."""
    body = {"session_name": visitor.name, "role": "agent", "content": "x", "client_msg_id": "x"}
    sign_in = {"username": "admin", "password": "wrong"}
    asked = {
        "post": ("POST", visitor.path, visitor.token, {"content": "x", "client_msg_id": "x"}),
        "agent's post": ("POST", "/api/manual/messages", agent, body),
        "takeover": ("POST", f"/api/sessions/{visitor.name}/takeover", agent, None),
        "escalate": ("POST", "/api/manual/escalate", visitor.token, {"session_name": visitor.name}),
        "list": ("GET", "/api/sessions", agent, None),
        "stream": ("GET", f"/api/sessions/{visitor.name}/events", visitor.token, None),
        "desk": ("GET", "/api/agent/events", agent, None),
        "new": ("POST", "/api/conversation/new", "", {}),
        "chat": ("POST", "/api/chat", visitor.token, {"message": "x", "user_id": visitor.name}),
        "sign-in": ("POST", "/api/agent/login", "", sign_in),
        "bot": ("GET", "/api/bot/info", "", None),
        "health": ("GET", "/api/health", "", None),
        "ready": ("GET", "/api/health/ready", "", None),
        "alive": ("GET", "/health", "", None),
    }
    answers = await asyncio.gather(*(line.once(*request) for request in asked.values()))
    return {what: answer.status_code if answer else 0 for what, answer in zip(asked, answers, strict=True)}


async def seconds_to_heal(line: Line, visitor: Visitor) -> float:
    began = asyncio.get_running_loop().time()
    await visitor.say(line=line)
    return asyncio.get_running_loop().time() - began


async def kill_and_heal(postgres: Postgres, line: Line, crowd: Crowd) -> tuple[list[dict[str, int]], list[float]]:
    """What was told while there was no database, and the seconds until a post was stored once it was there again."""
    outsider = await Visitor.arrive(line, "outsider")
    without, healed = [], []
    for _ in range(3):
        await asyncio.sleep(random.uniform(0, 0.3))
        await postgres.kill()
        without.append(await statuses_without_a_database(line, outsider, crowd.agent))
        await postgres.start()
        healed.append(await seconds_to_heal(line, outsider))
        await crowd.get_on()
    await postgres.crash()
    await postgres.until_ready()
    healed.append(await seconds_to_heal(line, outsider))
    return without, healed


async def test_it_says_503_and_heals_by_itself(
    postgres: Postgres, kefu: Kefu, line: Line, db: Database, record_property: Callable[[str, object], None]
) -> None:
    crowd = Crowd(line)
    await crowd.arrive(alone=4, with_agent=2)
    async with at_work(crowd.talk(), *crowd.follow()) as tasks:
        without, healed = await kill_and_heal(postgres, line, crowd)
        crowd.leave.set()
        await tasks[0]
        answered = await until_idle(db, LEASE.total_seconds() + 15)
        everything = await found(db, line.told, crowd.seen)
        await crowd.see_all(everything)
    record_property("acknowledged", len(line.told.acks))
    record_property("told 503", line.told.statuses[503])
    record_property("healed after", [round(one, 2) for one in healed])
    record_property("answered after", f"{answered:.1f} s")
    assert violations(everything) == []
    assert line.told.unpromised == []
    assert kefu.logged("request.failed") == []
    for statuses in without:
        assert statuses.pop("alive") == 200
        assert statuses == dict.fromkeys(statuses, 503)
    assert max(healed) < HEALED_WITHIN
    assert answered < ANSWERED_WITHIN
