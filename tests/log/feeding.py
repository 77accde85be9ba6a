"""Writers of every path and a consumer of the feed, at the same time.

`feed_under_load` serves the short test here and the long one of the fault suite.
"""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select

from accounts.team import with_keys
from faults.stored import until_idle
from faults.waiting import until
from kefu.kit.db import Database
from kefu.kit.errors import Conflict
from kefu.kit.ids import new_id
from kefu.log.log import VISITOR
from kefu.log.models import Event
from kefu.sessions import service
from kefu.sessions.answers import post_answer, post_by_bot
from kefu.sessions.post import post
from kefu.sessions.queries import find
from kefu.sessions.work import AnswerVisitor

PATIENCE = 60.0
Key = tuple[str, int]
Reader = Callable[[str, int], Any]


@dataclass
class Figures:
    """`repeats`: what the consumer got again after it was killed, and knew. `late`: seconds until it had the rest."""

    stored: int = 0
    missed: set[Key] = field(default_factory=set)
    invented: set[Key] = field(default_factory=set)
    unlike: int = 0
    repeats: int = 0
    pages: int = 0
    kills: int = 0
    swapped: int = 0
    late: float = 0

    def __str__(self) -> str:
        return (
            f"{self.stored} events in the log, {len(self.missed)} missed, {len(self.invented)} invented, "
            f"{self.unlike} unlike; {self.pages} pages, {self.kills} kills of the consumer, {self.repeats} repeats, "
            f"{self.swapped} swapped inside a session; caught up {self.late:.2f} s after the last write"
        )


class Writer:
    """Owns a session and does to it what visitors, agents and the bot do, one after the other."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self.name = new_id("s")
        self._member = service.Member(new_id("agent"), "Mei")

    async def write(self, end: float) -> None:
        async with self._db.write() as tx:
            await service.open_session(tx, service.Opening(self.name, "default", "en"))
        while time.monotonic() < end:
            with suppress(Conflict):
                await random.choice((self._visitor, self._visitor, self._bot, self._agent, self._close))()

    async def _visitor(self) -> None:
        """On the hot path, also when the session must be reopened; sometimes with an id that was used."""
        own = random.choice((new_id("m"), "again"))
        await asyncio.gather(*(post(self._db, self.name, "hello 你好", f"{own}-{n}") for n in range(2)))

    async def _bot(self) -> None:
        posted = await post(self._db, self.name, "in the box?", new_id("m"))
        async with self._db.read() as tx:
            session = await find(tx, self.name)
        assert session is not None
        work = AnswerVisitor(self.name, posted.entry.seq, session.epoch)
        said = {"content": "yes", "draft_id": new_id("d"), "answered": True, "sources": []}
        if random.random() < 0.5:
            await post_answer(self._db, work, said, {"provider": "test"}, 0)
            return
        async with self._db.write() as tx:
            await asyncio.sleep(random.uniform(0, 0.004))
            await post_by_bot(tx, work, said, {"provider": "test"})

    async def _agent(self) -> None:
        async with self._db.write() as tx:
            await service.escalate(tx, self.name, VISITOR, "manual")
        async with self._db.write() as tx:
            await service.take_over(tx, self.name, self._member)
        for n in range(2):
            async with self._db.write() as tx:
                await service.post_by_agent(tx, self.name, self._member, service.Reply(f"reply {n}", new_id("r")))
                await asyncio.sleep(random.uniform(0, 0.004))
        async with self._db.write() as tx:
            await service.release(tx, self.name, self._member, "resolved")

    async def _close(self) -> None:
        async with self._db.write() as tx:
            await service.close(tx, self.name, self._member, "resolved")


class Consumer:
    """Follows the feed by `read(cursor, limit)`, which gives a page as the API does.

    It keeps what it got and then its cursor, as an integrator's database would, and may be killed between the two.
    """

    def __init__(self, read: Reader) -> None:
        self._read = read
        self._cursor = ""
        self.got: dict[Key, dict[str, Any]] = {}
        self.order: list[Key] = []
        self.figures = Figures()
        self.is_caught_up = False

    async def run(self) -> None:
        """Until cancelled, which may happen at any await."""
        while True:
            page = await self._read(self._cursor, random.choice((1, 2, 7, 50, 500)))
            self.figures.pages += 1
            for event in page["events"]:
                self._keep(event)
            await asyncio.sleep(random.choice((0, 0, 0, 0.001, 0.02)))
            self._cursor = page["next"]
            self.is_caught_up = page["caught_up"]

    def _keep(self, event: dict[str, Any]) -> None:
        key = event["stream"], event["seq"]
        if key in self.got:
            assert self.got[key] == event, "a repeat says the same"
            self.figures.repeats += 1
        else:
            self.got[key] = event
            self.order.append(key)

    async def run_and_be_killed(self) -> None:
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(random.uniform(0.05, 1.5)):
                    await self.run()
            self.figures.kills += 1


@asynccontextmanager
async def doors(url: str, count: int) -> AsyncIterator[Sequence[Database]]:
    """As many processes have them: each with pools of its own."""
    async with AsyncExitStack() as stack:
        opened = [with_keys(Database(url)) for _ in range(1 if url.startswith("sqlite") else count)]
        for one in opened:
            stack.push_async_callback(one.close)
        yield opened


async def feed_under_load(url: str, read: Reader, *, writers: int, seconds: float) -> Figures:
    """Let `writers` write to the database at `url` while one consumer follows through `read`; compare in the end.

    Also waits for the bot of a running application to answer what the writers asked.
    """
    consumer = Consumer(read)
    async with doors(url, 3) as opened:
        consuming = asyncio.create_task(consumer.run_and_be_killed())
        end = time.monotonic() + seconds
        await asyncio.gather(*(Writer(opened[n % len(opened)]).write(end) for n in range(writers)))
        await until_idle(opened[0], PATIENCE)
        log = await _log_of(opened[0])
        ended = time.monotonic()
        with suppress(TimeoutError):
            await until(lambda: consumer.is_caught_up and len(consumer.got) >= len(log), PATIENCE)
        consuming.cancel()
        await asyncio.gather(consuming, return_exceptions=True)
    return _compared(log, consumer, time.monotonic() - ended)


async def _log_of(db: Database) -> dict[Key, str]:
    async with db.read() as tx:
        rows = await tx.execute(select(Event.stream, Event.seq, Event.type))
        return {(stream, seq): type_ for stream, seq, type_ in rows}


def _compared(log: dict[Key, str], consumer: Consumer, late: float) -> Figures:
    figures = consumer.figures
    figures.stored, figures.late = len(log), late
    figures.missed, figures.invented = log.keys() - consumer.got.keys(), consumer.got.keys() - log.keys()
    figures.unlike = sum(log.get(key) != event["type"] for key, event in consumer.got.items())
    newest: dict[str, int] = {}
    for stream, seq in consumer.order:
        figures.swapped += seq < newest.get(stream, 0)
        newest[stream] = max(seq, newest.get(stream, 0))
    return figures


async def naively(db: Database, after: int) -> list[int]:
    """What a reader gets who trusts the positions: the planted bug."""
    async with db.read() as tx:
        return list(await tx.scalars(select(Event.position).where(Event.position > after).order_by(Event.position)))
