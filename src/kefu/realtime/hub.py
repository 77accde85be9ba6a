"""The hub of one process: hands what happens in a session to everybody who follows it, each event once and in order.

A follower reads the log first and then takes from its queue what is newer. The hub never waits for a follower: a queue
that is full is cut, and the client resumes by its cursor. What the bus loses is found by comparing seqs with the
database every second or so.
"""

import asyncio
from collections.abc import Callable
from itertools import islice
from typing import ClassVar

import orjson
import structlog
from prometheus_client import Histogram

from kefu.bus.ports import Bus, Notice
from kefu.kit.beat import beat
from kefu.kit.clock import ms_of, now_ms
from kefu.kit.db import Database
from kefu.kit.errors import Unavailable
from kefu.kit.i18n import Text
from kefu.log.log import Entry, read
from kefu.realtime.drafts import Drafts
from kefu.realtime.follower import TORN, Follower, Wire
from kefu.sessions.contacts import veiled_notice
from kefu.sessions.models import stream_of
from kefu.sessions.since import changed, heads

log = structlog.get_logger()

CHECK_SECONDS = 1.0
TURN = 250
TURN_BEATS = 5
OVERLAP_MS = 3_000
CHANGED_LIMIT = 5_000
HEARTBEAT_SECONDS = 15
SESSION = stream_of("")
AT = b'"at":"'
LAG = Histogram(
    "kefu_delivery_lag_seconds",
    "From when an event of a session that somebody follows was written to when its followers were given it",
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10),
)
# After these the tokens that visitors have are void.
NEW_HANDS = {"session.identified", "session.signed_out"}


class Draining(Unavailable):
    code = "RESTARTING"
    text: ClassVar[Text] = {
        "en": "The server is restarting. Reconnect in a moment.",
        "zh": "服务正在重启，请稍后重连。",
    }


def notice_of(one: Entry) -> Notice:
    return Notice(one.stream, one.seq, one.json().encode(), public=one.audience == "public", type=one.type)


def ephemeral(stream: str, type_: str, **facts: object) -> Notice:
    """A notice that is in no log: typing, answer deltas, queue positions."""
    return Notice(stream, 0, orjson.dumps({"type": type_, **facts}), public=True, type=type_)


def written_at(notice: Notice) -> int:
    """When its event was written, ms. Its own fields stand before all that people say (`Entry.json`)."""
    at = notice.data.index(AT) + len(AT)
    return ms_of(notice.data[at : notice.data.index(b'"', at)].decode())


class Channel:
    """A stream that somebody follows.

    `seq`: the last one handed out, None before the first follower has read the log.
    """

    __slots__ = ("followers", "seq", "wanted")

    def __init__(self) -> None:
        self.followers: set[Follower] = set()
        self.seq: int | None = None
        self.wanted = 0

    def hand_out(self, notice: Notice) -> None:
        seq, public = notice.seq, notice.public
        is_move = seq and notice.type.startswith("session.")
        veiled = veiled_notice(notice)
        frames: dict[Wire, bytes] = {}
        veiled_frames = frames if veiled is notice else {}
        for follower in self.followers:
            if notice.type in NEW_HANDS and not follower.sees_internal:
                follower.end("revoked")
            elif public or follower.sees_internal:
                wire = follower.wire
                made, shown = (frames, notice) if follower.sees_contacts else (veiled_frames, veiled)
                frame = made.get(wire) or made.setdefault(wire, wire.frame(shown))
                if is_move and follower.sees_internal:
                    follower.is_unsure = True
                follower.put(seq, frame)


class Following:
    """`with Following(hub, stream, follower) as channel`: the follower hears the stream inside.

    One that is torn out of it goes on behind it. Raises Draining. A class, for it is held as long as the stream: a
    generator would be ten times as large.
    """

    __slots__ = ("_follower", "_hub", "_stream")

    def __init__(self, hub: "Hub", stream: str, follower: Follower) -> None:
        self._hub, self._stream, self._follower = hub, stream, follower

    def __enter__(self) -> Channel:
        if self._hub.is_draining:
            raise Draining
        return self._hub.join(self._stream, self._follower)

    def __exit__(self, _: object, error: BaseException | None, __: object) -> bool:
        self._hub.leave(self._stream, self._follower)
        task = asyncio.current_task()
        if not isinstance(error, asyncio.CancelledError) or self._follower.ended not in TORN or task is None:
            return False
        task.uncancel()
        return True


class Hub:
    """Followers by stream. Listens to the bus."""

    def __init__(self, db: Database, bus: Bus) -> None:
        self._db = db
        self._channels: dict[str, Channel] = {}
        self._catching_up: dict[str, asyncio.Task[None]] = {}
        self._ticker: asyncio.Task[None] | None = None
        self._extra_check: asyncio.Task[None] | None = None
        self._checked_at = now_ms()
        self._beat = 0
        self._beats: tuple[set[Follower], ...] = tuple(set() for _ in range(HEARTBEAT_SECONDS))
        self._on_changes: list[Callable[[list[tuple[str, int]]], None]] = []
        self.drafts = Drafts()
        self.is_draining = False
        self.is_drained = asyncio.Event()
        bus.listen(self.hear)
        bus.on_gap(self.check_now)

    def start(self) -> None:
        self._ticker = asyncio.create_task(self._tick_forever(), name="hub")

    async def stop(self) -> None:
        tasks = [task for task in (self._ticker, self._extra_check, *self._catching_up.values()) if task]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def on_changes(self, listen: Callable[[list[tuple[str, int]]], None]) -> None:
        """Have `listen` told, while anybody follows anything, what changed a moment ago: `(name, seq)` of sessions."""
        self._on_changes.append(listen)

    def drain(self) -> None:
        """End every stream with a word to come back; new ones are refused."""
        self.is_draining = True
        for channel in self._channels.values():
            for follower in channel.followers:
                follower.end("restart")
        self._note_drained()

    def _note_drained(self) -> None:
        if self.is_draining and not self._channels:
            self.is_drained.set()

    def count(self) -> int:
        return sum(map(len, self._beats))

    def has_followers(self, stream: str) -> bool:
        return stream in self._channels

    def has_agents(self, stream: str) -> bool:
        channel = self._channels.get(stream)
        return channel is not None and any(one.sees_internal for one in channel.followers)

    def join(self, stream: str, follower: Follower) -> Channel:
        channel = self._channels.setdefault(stream, Channel())
        channel.followers.add(follower)
        self._beat_of(follower).add(follower)
        return channel

    def leave(self, stream: str, follower: Follower) -> None:
        self._beat_of(follower).discard(follower)
        channel = self._channels.get(stream)
        if channel is not None:
            channel.followers.discard(follower)
            if not channel.followers:
                self._channels.pop(stream)
                self._note_drained()

    def _beat_of(self, follower: Follower) -> set[Follower]:
        return self._beats[(id(follower) >> 6) % HEARTBEAT_SECONDS]

    def hear(self, notice: Notice) -> None:
        """From the bus: hand it out, or note that something is missing."""
        self.drafts.hear(notice)
        channel = self._channels.get(notice.stream)
        if channel is None:
            return
        if notice.seq == 0:
            channel.hand_out(notice)
        elif channel.seq is None or notice.seq == channel.seq + 1:
            self._advance(channel, notice)
        elif notice.seq > channel.seq:
            self._want(notice.stream, channel, notice.seq)

    def hand_each(self, stream: str, choose: Callable[[Follower], Notice | None]) -> None:
        """Give each follower of the stream what is for them; all who get the same notice share its frame."""
        channel = self._channels.get(stream)
        frames: dict[tuple[int, Wire], bytes] = {}
        for follower in list(channel.followers) if channel else ():
            if notice := choose(follower):
                key = id(notice), follower.wire
                follower.put(0, frames.get(key) or frames.setdefault(key, follower.wire.frame(notice)))

    def _advance(self, channel: Channel, notice: Notice) -> None:
        channel.seq = notice.seq
        channel.hand_out(notice)
        LAG.observe(max(now_ms() - written_at(notice), 0) / 1000)

    def _want(self, stream: str, channel: Channel, seq: int) -> None:
        channel.wanted = max(channel.wanted, seq)
        if stream not in self._catching_up:
            task = asyncio.create_task(self._catch_up(stream, channel), name=f"catch-up-{stream}")
            self._catching_up[stream] = task
            task.add_done_callback(lambda _: self._catching_up.pop(stream, None))

    async def _catch_up(self, stream: str, channel: Channel) -> None:
        """Read from the log what the bus did not bring, until nothing known is missing.

        While the database is away it gives up; the check of the seqs comes back to it.
        """
        while channel.followers and channel.seq is not None and channel.seq < channel.wanted:
            try:
                async with self._db.read() as tx:
                    entries = await read(tx, stream, channel.seq, public_only=False)
            except Unavailable:
                return
            for one in entries:
                if one.seq == channel.seq + 1:
                    self._advance(channel, notice_of(one))
            if not entries:
                return

    async def _tick_forever(self) -> None:
        while True:
            await beat(CHECK_SECONDS)
            self._beat += 1
            self._send_heartbeats()
            await self._check()

    def _send_heartbeats(self) -> None:
        """Each follower once in 15 s, a fifteenth of them each second."""
        for follower in list(self._beats[self._beat % HEARTBEAT_SECONDS]):
            follower.put(0, follower.wire.heartbeat)

    def check_now(self) -> None:
        """The bus may have lost something: do not wait for the next tick."""
        self._extra_check = asyncio.create_task(self._check(), name="hub-gap")

    async def _check(self) -> None:
        try:
            if self._channels:
                await self._check_seqs()
        except Exception:
            log.warning("hub.not_checked", exc_info=True)

    async def _check_seqs(self) -> None:
        """Compare with the database: what changed a moment ago, and every few seconds a part of the streams in turn.

        The turn finds what was committed long after the time it bears, such as by a process whose clock is slow.
        """
        checked_at = now_ms()
        found = await changed(self._db, self._checked_at - OVERLAP_MS, CHANGED_LIMIT)
        self._checked_at = checked_at
        for listen in self._on_changes:
            listen(found)
        if self._beat % TURN_BEATS == 0:
            found += await self._heads_in_turn()
        for name, seq in found:
            channel = self._channels.get(stream_of(name))
            if channel is not None and channel.seq is not None and seq > channel.seq:
                self._want(stream_of(name), channel, seq)

    async def _heads_in_turn(self) -> list[tuple[str, int]]:
        start = self._beat // TURN_BEATS * TURN % max(TURN, len(self._channels))
        part = islice(self._channels, start, start + TURN)
        followed = [stream.removeprefix(SESSION) for stream in part if stream.startswith(SESSION)]
        return await heads(self._db, followed) if followed else []
