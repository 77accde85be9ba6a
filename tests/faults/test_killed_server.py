"""The server is killed with -9 again and again while people write: nothing is lost, doubled or reordered (S3, S4, Q2)."""

import asyncio
import random
from collections.abc import Callable
from pathlib import Path

from faults.checker import Found, violations
from faults.people import Desk, Follower, Line, Visitor, at_work, line_to, names
from faults.process import Kefu
from faults.stored import found, until_idle
from kefu.jobs.queue import LEASE
from kefu.kit.db import Database

KILLS = 12
ALONE = 5
WITH_AGENT = 3
ANSWERED_WITHIN = LEASE.total_seconds() + 5


class People:
    """Some visitors alone with the bot, some with an agent who comes and goes, and a follower for everybody."""

    def __init__(self, line: Line) -> None:
        self._line = line
        self.visitors: list[Visitor] = []
        self.desks: list[Desk] = []
        self.followers: list[Follower] = []
        self.leave = asyncio.Event()

    async def arrive(self) -> None:
        agent = await self._line.sign_in()
        for name in [*names("alone", ALONE), *names("served", WITH_AGENT)]:
            visitor = await Visitor.arrive(self._line, name)
            self.visitors.append(visitor)
            self.followers.append(Follower(self._line, name, visitor.token))
        for name in names("served", WITH_AGENT):
            self.desks.append(Desk(self._line, name, agent))
            self.followers.append(Follower(self._line, name, agent, sees_internal=True))

    async def talk(self) -> None:
        """Until `leave` is set and everybody has been told what became of their last message."""
        talking = [*(visitor.talk(self.leave) for visitor in self.visitors)]
        serving = [*(desk.serve(self.leave) for desk in self.desks)]
        await asyncio.gather(*talking, *serving)

    async def see_all(self, everything: Found) -> None:
        """Wait until each follower has seen the newest event it may see. Raises TimeoutError."""
        for follower in self.followers:
            log = everything.logs[follower.seen.session]
            await follower.until(max(one.seq for one in log if follower.may_see(one)), 5)


async def keep_killing(kefu: Kefu) -> None:
    """At any instant: while it begins to serve, in the middle of posts, of answers, of streams."""
    for _ in range(KILLS):
        await asyncio.sleep(random.uniform(0.1, 0.7))
        await kefu.kill()
        await kefu.start()


async def kill_while_the_bot_speaks(kefu: Kefu, people: People, db: Database) -> float:
    """Returns the seconds from the restart until everybody has their answer."""
    await asyncio.gather(*(visitor.say() for visitor in people.visitors))
    await asyncio.sleep(0.3)
    await kefu.kill()
    await kefu.start()
    return await until_idle(db, ANSWERED_WITHIN + 10)


async def test_nothing_acknowledged_is_lost(
    db: Database, database_url: str, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    kefu = Kefu(tmp_path, database_url)
    await kefu.start()
    try:
        async with line_to(kefu.address) as line:
            people = People(line)
            await people.arrive()
            async with at_work(people.talk(), *(follower.follow() for follower in people.followers)) as tasks:
                await keep_killing(kefu)
                people.leave.set()
                await tasks[0]
                answered = await kill_while_the_bot_speaks(kefu, people, db)
                everything = await found(db, line.told, [follower.seen for follower in people.followers])
                await people.see_all(everything)
    finally:
        await kefu.kill()
    record_property("acknowledged", len(line.told.acks))
    record_property("answers lost on the way", line.told.lost)
    record_property("streams resumed", sum(follower.connections - 1 for follower in people.followers))
    record_property("answered after", f"{answered:.1f} s")
    assert violations(everything) == []
    assert line.told.unpromised == []
    assert kefu.logged("request.failed") == []
    assert answered < ANSWERED_WITHIN
