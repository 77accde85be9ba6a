"""Long polling: one answer with what there is after a cursor, or with the next thing that happens.

For readers behind a proxy that lets no stream through: `GET /api/sessions/{name}/events?after=&wait=`.
"""

import asyncio
import time
from contextlib import suppress
from typing import Any

import orjson
from starlette.datastructures import State

from kefu.log.log import READ_LIMIT, Entry
from kefu.realtime.follower import JSON, Follower
from kefu.realtime.hub import Following, Hub
from kefu.realtime.replay import page, present
from kefu.sessions.models import stream_of
from kefu.sessions.since import Head

LONGEST_WAIT = 30
# Typing and drafts come in showers: each is not worth a request.
GATHER_SECONDS = 0.5
# Told by `present` as they are when the answer goes out.
TOLD_WHOLE = {"answer.delta", "queue.position", "read", "viewers", "visitor.online"}


def reached(head: Head, entries: list[Entry]) -> int:
    """The seq up to which a reader has everything who has this page."""
    last = entries[-1].seq if entries else 0
    return last if len(entries) == READ_LIMIT else max(last, head.seq)


class Poll:
    """One request. No transaction is open while it waits."""

    def __init__(self, state: State, name: str, follower: Follower) -> None:
        self.follower = follower
        self._state = state
        self._name = name

    async def answer(self, cursor: int, wait: int) -> dict[str, Any]:
        """`events` after the cursor, at most a page; `passing` what is in no log; `seq` is the next cursor.

        Raises SessionNotFound, Draining or Unavailable.
        """
        hub: Hub = self._state.hub
        deadline = time.monotonic() + wait
        passing: list[Any] = []
        with Following(hub, stream_of(self._name), self.follower) as channel:
            head, entries = await self._page(cursor)
            while not entries and not passing and self.follower.ended is None and time.monotonic() < deadline:
                channel.seq = reached(head, entries) if channel.seq is None else channel.seq
                passing += await self._pass(deadline - time.monotonic())
                head, entries = await self._page(cursor)
        if self.follower.ended == "slow":  # more came at once than it holds, and tore it out of what it did
            head, entries = await self._page(cursor)
        now = await present(self._state, head, sees_internal=self.follower.sees_internal)
        passing = [one for one in passing if one["type"] not in TOLD_WHOLE]
        passing += [orjson.Fragment(one.data) for one in now]
        return {
            "events": [orjson.Fragment(one.json()) for one in entries],
            "passing": passing,
            "seq": reached(head, entries),
            "status": head.status,
            "epoch": head.epoch,
        }

    async def _page(self, cursor: int) -> tuple[Head, list[Entry]]:
        return await page(self._state.db, self._name, cursor, self.follower)

    async def _pass(self, seconds: float) -> list[Any]:
        """What passes until the log grows, the stream ends, or the time is up; soon after the first that passes."""
        passing: list[Any] = []
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds) as limit:
                await self._gather(passing, limit)
        return passing

    async def _gather(self, passing: list[Any], limit: asyncio.Timeout) -> None:
        has_grown = False
        while not has_grown and (frames := await self.follower.take()):
            passing += [orjson.loads(frame) for seq, frame in frames if seq == 0 and frame != JSON.heartbeat]
            has_grown = any(seq for seq, _ in frames)
            if passing:
                soon = asyncio.get_running_loop().time() + GATHER_SECONDS
                limit.reschedule(min(limit.when() or soon, soon))
