"""The server is killed with -9 again and again while people write: nothing is lost, doubled or reordered (S3, S4)."""

import asyncio
import random
from collections.abc import Callable

from faults.checker import violations
from faults.crowd import Crowd
from faults.people import Line, at_work
from faults.process import Kefu
from faults.stored import found, until_idle
from kefu.jobs.queue import LEASE
from kefu.kit.db import Database

KILLS = 6
# One SQLite file has one server, which knows at its start that nobody else holds a job.
ANSWERED_WITHIN = {True: 5.0, False: LEASE.total_seconds() + 5}


async def keep_killing(kefu: Kefu, crowd: Crowd) -> None:
    """At any instant: while it begins to serve, in the middle of posts, and when the bot has had time to speak.

    That one waits for each agent too: where starting takes long, whoever was unlucky twice would give up.
    """
    for n in range(KILLS):
        if n % 3:
            await crowd.get_on()
        if n % 3 == 2:
            await asyncio.gather(crowd.all_serve(), asyncio.sleep(random.uniform(1.0, 2.0)))
        else:
            await asyncio.sleep(random.uniform(0, 0.3))
        await kefu.kill()
        await kefu.start()


async def kill_while_the_bot_speaks(kefu: Kefu, crowd: Crowd, db: Database) -> float:
    """Returns the seconds from the restart until everybody has their answer."""
    await crowd.ask()
    await asyncio.sleep(0.3)
    await kefu.kill()
    await kefu.start()
    return await until_idle(db, LEASE.total_seconds() + 15)


async def test_nothing_acknowledged_is_lost(
    kefu: Kefu, line: Line, db: Database, record_property: Callable[[str, object], None]
) -> None:
    crowd = Crowd(line)
    await crowd.arrive(alone=4, with_agent=2)
    async with at_work(crowd.talk(), *crowd.follow()) as tasks:
        await keep_killing(kefu, crowd)
        crowd.leave.set()
        await tasks[0]
        answered = await kill_while_the_bot_speaks(kefu, crowd, db)
        everything = await found(db, line.told, crowd.seen)
        await crowd.see_all(everything)
    record_property("acknowledged", len(line.told.acks))
    record_property("answers lost on the way", line.told.lost)
    record_property("streams resumed", crowd.resumed)
    record_property("answered after", f"{answered:.1f} s")
    assert violations(everything) == []
    assert line.told.unpromised == []
    assert kefu.logged("request.failed") == []
    assert answered < ANSWERED_WITHIN[db.is_sqlite]
