"""However often conversations are joined and divided: every message is read once, in one of those that were kept."""

import random
from collections import Counter

import pytest

from kefu.histories import queries, service
from kefu.kit.db import Database
from kefu.kit.errors import KefuError
from kefu.sessions import service as sessions
from kefu.sessions.fold import fold_all
from kefu.sessions.queries import find
from kefu.sessions.service import Member, Opening
from sessions.records import all_of, columns_of

LEAD = Member("agent_1", "Mei", is_lead=True)
STEPS = 51


class Desk:
    """Does anything in any order to the sessions of one visitor."""

    def __init__(self, db: Database, seed: int) -> None:
        self._db, self._chance = db, random.Random(seed)
        self.names: list[str] = []
        self.said: list[str] = []
        self.done: Counter[str] = Counter()

    async def open(self) -> None:
        async with self._db.write() as tx:
            opening = Opening(f"s{len(self.names)}", "default", "en", "visitor_1")
            self.names.append((await sessions.open_session(tx, opening)).name)

    async def step(self) -> None:
        """Something that may be refused; then nothing may have changed."""
        what = self._chance.choices(["say", "merge", "split", "open"], [10, 3, 4, 2])[0]
        try:
            await getattr(self, what)()
            self.done[what] += 1
        except KefuError:
            self.done["refused"] += 1

    async def say(self) -> None:
        text = f"word {len(self.said)}"
        async with self._db.write() as tx:
            await sessions.post_by_visitor(tx, self._chance.choice(self.names), text, text)
        self.said.append(text)

    async def merge(self) -> None:
        source, into = self._chance.choices(self.names, k=2)
        async with self._db.write() as tx:
            await service.merge(tx, source, into, LEAD)

    async def split(self) -> None:
        name = self._chance.choice(self.names[:4])
        async with self._db.write() as tx:
            session = await sessions.locked(tx, name)
            place = self._chance.choice([session.last_visitor_seq, self._chance.randint(1, session.seq)])
            made = await service.split(tx, name, place, LEAD)
        self.names.append(made.name)

    async def read(self) -> list[str]:
        """What is read in all that were not merged."""
        words = []
        for name in self.names:
            async with self._db.read() as tx:
                session = await find(tx, name)
                assert session is not None
                if session.merged_into is None:
                    words += [one for _, one in await queries.messages(tx, session, None, 10_000, others=False)]
        return [one.facts["content"] for one in words]


@pytest.mark.parametrize("seed", [1, 3])
async def test_every_message_is_read_once(db: Database, seed: int) -> None:
    desk = Desk(db, seed)
    for _ in range(3):
        await desk.open()
    for n in range(STEPS):
        await desk.step()
        assert n % 5 or sorted(await desk.read()) == sorted(desk.said), desk.done
    for name in desk.names:
        row, log = await all_of(db, name)
        assert columns_of(fold_all(name, log)) == row
        assert [one.seq for one in log] == list(range(1, len(log) + 1))
    assert min(desk.done["merge"], desk.done["split"]) > 0, desk.done
