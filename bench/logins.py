"""What 20 sign-ins a second do to everybody else: hashing a password takes a core for tens of milliseconds."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count

import orjson

from bench.client import Caller, Load, request
from bench.subject import Place, Subject
from kefu.accounts.audit import keys_of, seal_with
from kefu.accounts.passwords import hash_password
from kefu.accounts.service import NewAgent, create_agent
from kefu.kit.config import Settings
from kefu.kit.db import Database

AGENTS, PASSWORD = 20, "measure-by-measure-42"
LOGINS_PER_SECOND, POSTS_PER_SECOND = 20, 50
PATIENCE_SECONDS = 30


@dataclass(frozen=True)
class Beside:
    """Posts of visitors without and beside sign-ins, and the sign-ins themselves."""

    alone: Load
    beside: Load
    logins: Load


async def hire(place: Place) -> None:
    settings = Settings(data_dir=place.folder, database_url=place.database_url)
    db = Database(settings.database)
    seal_with(db, keys_of(settings))
    hashed = await hash_password(PASSWORD)
    for n in range(AGENTS):
        async with db.write() as tx:
            await create_agent(tx, NewAgent(f"bench-{n}", f"Bench {n}", "agent", hashed, must_change_password=False))
    await db.close()


async def measure(subject: Subject, rounds: int, seconds: float) -> Beside:
    """By turns, so that whatever else the machine does falls on both."""
    visit = await subject.served_visit()
    numbers = count()

    def post() -> bytes:
        body = {"content": "How far does it go in winter?", "client_msg_id": f"login-bench-{next(numbers)}"}
        return request("POST", f"/api/sessions/{visit.name}/messages", visit.token, orjson.dumps(body))

    def login() -> bytes:
        body = {"username": f"bench-{next(numbers) % AGENTS}", "password": PASSWORD}
        return request("POST", "/api/agent/login", body=orjson.dumps(body))

    found = Beside(Load(), Load(), Load())
    await paced(subject.caller, login, LOGINS_PER_SECOND, seconds / 2, Load())  # the first ones open connections
    for _ in range(rounds):
        await paced(subject.caller, post, POSTS_PER_SECOND, seconds, found.alone)
        await asyncio.gather(
            paced(subject.caller, post, POSTS_PER_SECOND, seconds, found.beside),
            paced(subject.caller, login, LOGINS_PER_SECOND, seconds, found.logins),
        )
    return found


async def paced(caller: Caller, make: Callable[[], bytes], rate: float, seconds: float, load: Load) -> None:
    """So many requests a second, whether or not the earlier ones are answered; each counts from when it was due."""

    async def one(due: float) -> None:
        status, _ = await caller.call(make())
        if status in {200, 201}:
            load.latencies.append(time.perf_counter() - due)
        else:
            load.bad += 1

    begun, calls = time.perf_counter(), []
    for n in range(int(rate * seconds)):
        due = begun + n / rate
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        calls.append(asyncio.create_task(one(due)))
    async with asyncio.timeout(PATIENCE_SECONDS):
        await asyncio.gather(*calls)
    load.seconds += time.perf_counter() - begun
