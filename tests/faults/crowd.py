"""A crowd: visitors alone with the bot, with an agent who comes and goes, or wanted by several, and their followers."""

import asyncio
from collections.abc import Coroutine
from contextlib import suppress
from functools import partial
from typing import Any

from faults.checker import Found, Seen
from faults.people import PATIENCE, Desk, Follower, Integrator, Line, Rivals, Visitor
from faults.waiting import until
from kefu.kit.postgres import IDLE_SECONDS

# A transaction that was left open when its wire broke holds the feed back until PostgreSQL ends it.
FED_WITHIN = IDLE_SECONDS + 5
# On a machine that does much else; who is stuck has not come on by then either.
SEEN_WITHIN = 15


class Crowd:
    """`prefix` begins the names of its sessions, where several crowds come to one database."""

    def __init__(self, line: Line, prefix: str = "") -> None:
        self._line = line
        self._prefix = prefix
        self._desks: list[Desk | Rivals] = []
        self._followers: list[Follower] = []
        self._integrator: Integrator | None = None
        self.visitors: list[Visitor] = []
        self.agent = ""
        self.leave = asyncio.Event()

    async def arrive(self, *, alone: int, with_agent: int) -> None:
        """Sign in and open the sessions; the ones with an agent have a follower who sees what is internal, too."""
        self.agent = await self._line.sign_in()
        served = [f"{self._prefix}served-{n}" for n in range(1, with_agent + 1)]
        for name in [*(f"{self._prefix}alone-{n}" for n in range(1, alone + 1)), *served]:
            visitor = await Visitor.arrive(self._line, name)
            self.visitors.append(visitor)
            self._followers.append(Follower(self._line, name, visitor.token))
        for name in served:
            self._desks.append(Desk(self._line, name, self.agent))
            self._followers.append(Follower(self._line, name, self.agent, sees_internal=True))

    async def rival(self, tokens: dict[str, str], sessions: int) -> None:
        """So many visitors more whom all the agents want. `tokens` by the agents' ids."""
        for name in (f"{self._prefix}wanted-{n}" for n in range(1, sessions + 1)):
            visitor = await Visitor.arrive(self._line, name)
            self.visitors.append(visitor)
            self._desks.append(Rivals(self._line, name, tokens))
            self._followers += [Follower(self._line, name, visitor.token) for _ in range(2)]
            self._followers += [Follower(self._line, name, token, sees_internal=True) for token in tokens.values()]

    def integrate(self) -> None:
        """Somebody reads everything."""
        self._integrator = Integrator(self._line, self.agent)

    @property
    def fed(self) -> list[dict[str, Any]] | None:
        return self._integrator.events if self._integrator else None

    @property
    def seen(self) -> list[Seen]:
        return [follower.seen for follower in self._followers]

    @property
    def resumed(self) -> int:
        """How often a follower came back."""
        return sum(follower.connections - 1 for follower in self._followers)

    def follow(self) -> list[Coroutine[Any, Any, None]]:
        readers: list[Follower | Integrator] = [*self._followers]
        if self._integrator:
            readers.append(self._integrator)
        return [reader.follow() for reader in readers]

    async def talk(self) -> None:
        """Until `leave` is set and everybody has been told what became of their last message."""
        talking = [visitor.talk(self.leave) for visitor in self.visitors]
        serving = [desk.serve(self.leave) for desk in self._desks]
        await asyncio.gather(*talking, *serving)

    async def ask(self) -> None:
        """Everybody writes one more message."""
        await asyncio.gather(*(visitor.say() for visitor in self.visitors))

    async def get_on(self) -> float:
        """Wait until several have been told something new; returns the seconds that took. Raises TimeoutError."""
        wanted = len(self._line.told.acks) + len(self.visitors)
        return await until(lambda: len(self._line.told.acks) >= wanted, PATIENCE)

    async def all_serve(self) -> float:
        """Wait until each agent has written something new; returns the seconds that took. Raises TimeoutError."""
        since, names = len(self._line.told.acks), {desk.name for desk in self._desks}

        def have_served() -> bool:
            return names <= {ack.session for ack in self._line.told.acks[since:] if ack.sender == "agent"}

        return await until(have_served, PATIENCE)

    async def see_all(self, everything: Found) -> None:
        """Wait a moment until each follower has seen the newest event it may see. Who has not is for the checker."""
        for follower in self._followers:
            log = everything.logs[follower.seen.session]
            newest = max(one.seq for one in log if follower.may_see(one))
            with suppress(TimeoutError):
                await until(partial(follower.has_seen, newest), SEEN_WITHIN)
        if self._integrator:
            wanted = {(one.stream, one.seq) for log in everything.logs.values() for one in log}
            with suppress(TimeoutError):
                await until(partial(self._has_read, wanted), FED_WITHIN)

    def _has_read(self, wanted: set[tuple[str, int]]) -> bool:
        return wanted <= {(event["stream"], event["seq"]) for event in self.fed or ()}
