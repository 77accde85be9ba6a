"""Who is here: agents at their desk, agents who look at a session, visitors with the chat open.

A claim says that somebody has a stream open in some process. Each process counts its own streams and tells the others
over the bus what began and what ended, numbered, and every few seconds that it lives. Claims are leases, not goodbyes:
who has not been heard for LEASE_SECONDS is gone, and what it claimed with it, so a crash needs no last word. Who misses
a number, or has just begun, asks and is told the whole.

The bus may be away: what others claim then runs out with their lease, and comes back with them; own claims always hold.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

import orjson
import structlog

from kefu.bus.ports import Bus, Notice
from kefu.bus.telling import DESK
from kefu.kit.beat import rung
from kefu.kit.ids import new_id
from kefu.log.log import Actor
from kefu.realtime.hub import Hub, ephemeral

log = structlog.get_logger()

PRESENCE = "presence"
PAUSE_SECONDS = 0.1
TICK_SECONDS = 0.5
CALM_TICK_SECONDS = 2.0
RENEW_SECONDS = 10.0
LEASE_SECONDS = 25.0
# A reconnect within this time is no leave.
LINGER_SECONDS = 3.0

Claim = tuple[str, Actor]


@dataclass(slots=True)
class Process:
    """What another process claims. `number`: of the last change that was heard from it."""

    number: int
    until: float
    claims: set[Claim] = field(default_factory=set)


class Here:
    """A claim for the length of a block, which is that of a stream: a generator would be ten times as large.

    Or, with `come` and `leave`, from when it is known that they may be here; who never came does not leave.
    """

    __slots__ = ("_claim", "_has_come", "_presence")

    def __init__(self, presence: "Presence", claim: Claim) -> None:
        self._presence, self._claim, self._has_come = presence, claim, False

    def come(self) -> None:
        """Safe to repeat."""
        if not self._has_come:
            self._has_come = True
            self._presence.come(self._claim)

    def leave(self) -> None:
        if self._has_come:
            self._presence.go(self._claim)

    def __enter__(self) -> None:
        self.come()

    def __exit__(self, *_: object) -> None:
        self.leave()


class Presence:
    """The claims of all processes, as far as this one has heard."""

    def __init__(self, bus: Bus, hub: Hub) -> None:
        self._bus = bus
        self._hub = hub
        self._id = new_id("p")
        self._open: Counter[Claim] = Counter()
        self._lingering: dict[Claim, float] = {}
        self._others: dict[str, Process] = {}
        # By stream: who is there, and how many processes claim it.
        self._here: dict[str, dict[Actor, int]] = {}
        self._moved: set[Claim] = set()
        self._number = 0
        self._untold: dict[Claim, bool] = {}
        self._asked: set[str] = set()
        self._must_tell_all = False
        self._own: Notice | None = None  # what was said last, which comes back at once
        self._renew_at = 0.0
        self._ring = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        bus.listen(self._hear)
        bus.on_gap(self.ask)

    def start(self) -> None:
        self.ask()
        self._task = asyncio.create_task(self._announce_forever(), name="presence")

    def ask(self) -> None:
        """Have everybody tell the whole, as who has just begun or has been deaf for a while."""
        self._asked.add("")
        self._must_tell_all = True
        self._ring.set()

    async def stop(self) -> None:
        """The others need not wait for the lease: whoever was here has a moment to come back elsewhere."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._say("leaving")

    def here(self, stream: str, who: Actor) -> "Here":
        """`with presence.here(stream, who)`: they have the stream open until the block ends."""
        return Here(self, (stream, who))

    def come(self, claim: Claim) -> None:
        self._open[claim] += 1
        if self._open[claim] == 1 and self._lingering.pop(claim, None) is None:
            self._untold[claim] = True
            self._add([claim])

    def go(self, claim: Claim) -> None:
        self._open[claim] -= 1
        if not self._open[claim]:
            del self._open[claim]
            if not self._lingering:
                self._ring.set()
            self._lingering[claim] = time.monotonic() + LINGER_SECONDS

    def own_agents(self) -> set[str]:
        """The ids of those who have the workbench open by a stream of this process."""
        return {who.id for stream, who in self._open if stream == DESK and who.id}

    def agents(self, stream: str = DESK) -> list[dict[str, str]]:
        """Who is at the desk, or looks at the session of that stream, as `{id, name}` by name."""
        there = {one.id: one.name or "" for one in self._here.get(stream, ()) if one.kind == "agent" and one.id}
        return [{"id": id_, "name": name} for id_, name in sorted(there.items(), key=lambda one: (one[1], one[0]))]

    def has_visitor(self, stream: str) -> bool:
        return any(one.kind == "visitor" for one in self._here.get(stream, ()))

    def now(self, stream: str) -> list[Notice]:
        """What an agent who opens the stream needs to know. No visitor sees it."""
        if stream == DESK:
            return [_internal(stream, "presence", agents=self.agents())]
        online = _internal(stream, "visitor.online", online=self.has_visitor(stream))
        return [_internal(stream, "viewers", agents=self.agents(stream)), online]

    def _add(self, claims: Iterable[Claim]) -> None:
        for stream, who in claims:
            there = self._here.setdefault(stream, {})
            there[who] = there.get(who, 0) + 1
            if there[who] == 1:
                self._mark(stream, who)

    def _remove(self, claims: Iterable[Claim]) -> None:
        for stream, who in claims:
            there = self._here[stream]
            there[who] -= 1
            if not there[who]:
                del there[who]
                self._mark(stream, who)
            if not there:
                del self._here[stream]

    def _mark(self, stream: str, who: Actor) -> None:
        self._moved.add((stream, who))
        self._ring.set()

    async def _announce_forever(self) -> None:
        while True:
            if await rung(self._ring, TICK_SECONDS if self._lingering else CALM_TICK_SECONDS):
                await asyncio.sleep(PAUSE_SECONDS)
            self._ring.clear()
            try:
                self._go_on(time.monotonic())
            except Exception:
                log.warning("presence.not_told", exc_info=True)

    def _go_on(self, now: float) -> None:
        self._let_go(now)
        self._tell(now)
        self._show()

    def _let_go(self, now: float) -> None:
        """Of own claims that nobody came back to, and of processes that are not heard of any more."""
        gone = [claim for claim, until in self._lingering.items() if until <= now]
        for claim in gone:
            del self._lingering[claim]
            self._untold[claim] = False
        self._remove(gone)
        for id_ in [id_ for id_, other in self._others.items() if other.until <= now]:
            self._remove(self._others.pop(id_).claims)

    def _tell(self, now: float) -> None:
        for of in self._asked:
            self._say("asked", of=of)
        self._asked.clear()
        if not (self._untold or self._must_tell_all or now >= self._renew_at):
            return
        self._number += bool(self._untold)
        if self._must_tell_all:
            self._say("whole", number=self._number, claims=[_written(one) for one in {*self._open, *self._lingering}])
        else:
            came = [_written(one) for one, is_here in self._untold.items() if is_here]
            went = [_written(one) for one, is_here in self._untold.items() if not is_here]
            self._say("changed", number=self._number, came=came, went=went)
        self._untold.clear()
        self._must_tell_all = False
        self._renew_at = now + RENEW_SECONDS

    def _say(self, what: str, **facts: object) -> None:
        self._own = ephemeral(PRESENCE, f"presence.{what}", process=self._id, **facts)
        self._bus.publish(self._own)

    def _show(self) -> None:
        """Tell the agents who follow it in this process what moved; each process does so for its own."""
        streams = {(stream, who.kind) for stream, who in self._moved}
        self._moved.clear()
        for stream, kind in streams:
            if not self._hub.has_agents(stream):
                continue
            shows_visitor = kind == "visitor"
            for notice in self.now(stream):
                if stream == DESK or (notice.type == "visitor.online") is shows_visitor:
                    self._hub.hear(notice)

    def _hear(self, notice: Notice) -> None:
        if notice.stream != PRESENCE or notice is self._own:
            return
        said = orjson.loads(notice.data)
        match notice.type:
            case "presence.asked":
                if said["of"] in {"", self._id}:
                    self._must_tell_all = True
                    self._ring.set()
            case "presence.leaving":
                if other := self._others.get(said["process"]):
                    other.until = min(other.until, time.monotonic() + LINGER_SECONDS)
            case "presence.whole":
                self._learn(said["process"], said["number"], {_read(one) for one in said["claims"]})
            case "presence.changed":
                self._follow(said)

    def _learn(self, id_: str, number: int, claims: set[Claim]) -> None:
        before = self._others.get(id_)
        self._others[id_] = Process(number, time.monotonic() + LEASE_SECONDS, claims)
        # What stays is added before it is removed, so that nobody seems to leave.
        self._add(claims)
        self._remove(before.claims if before else ())

    def _follow(self, said: dict[str, Any]) -> None:
        """Take the next change, or the sign of life; ask for the whole when something before it was not heard."""
        other = self._others.get(said["process"])
        is_change = bool(said["came"] or said["went"])
        if other is None or said["number"] != other.number + is_change:
            self._asked.add(said["process"])
            self._ring.set()
            return
        came = {_read(one) for one in said["came"]} - other.claims
        went = {_read(one) for one in said["went"]} & other.claims
        other.number, other.until = said["number"], time.monotonic() + LEASE_SECONDS
        other.claims |= came
        other.claims -= went
        self._add(came)
        self._remove(went)


def _internal(stream: str, type_: str, **facts: object) -> Notice:
    return replace(ephemeral(stream, type_, **facts), public=False)


def _written(claim: Claim) -> list[str | None]:
    stream, who = claim
    return [stream, who.kind, who.id, who.name]


def _read(written: list[Any]) -> Claim:
    stream, *who = written
    return stream, Actor(*who)
