"""Who follows a stream of the hub: a bounded queue of frames, and how frames look on its wire."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from kefu.bus.ports import Notice
from kefu.sessions.visibility import Reader

QUEUE_LIMIT = 256

# Why a stream ends: "gone" is the reader's doing, "refused" what the reader did.
# "hidden": a colleague has the session now.
Ending = Literal["restart", "slow", "revoked", "hidden", "gone", "refused"]
TORN = {"slow", "refused"}
WriteNow = Callable[[bytes], bool]


def frame_of(notice: Notice) -> bytes:
    """The notice as one SSE frame; only what is in the log has an id."""
    head = b"id: %d\n" % notice.seq if notice.seq else b""
    return b"%sdata: %s\n\n" % (head, notice.data)


@dataclass(frozen=True, slots=True, eq=False)
class Wire:
    """How notices look on a transport. What is made for one of its followers is shared by all."""

    frame: Callable[[Notice], bytes]
    heartbeat: bytes


SSE = Wire(frame_of, b":\n\n")
JSON = Wire(lambda notice: notice.data, b'{"type":"heartbeat"}')


class Follower:
    """One reader of one stream, served by one task.

    `end` closes it from outside; a slow one is torn out of the send that it hangs in. `sent` is the last seq its reader
    has. `write_now`, when its task sets it, writes a frame at once or says False: an idle reader, as nearly all are,
    gets it without its task being woken, half of what a delivery costs. `is_unsure`: the `reader`, an agent, may have
    to stop reading; `checked_at`: when that was asked last. Without `sees_contacts` contact data is hidden from it.
    `may_hang`: its task waits for a reader's line, out of which only a cancellation gets it.
    """

    __slots__ = (
        "_frames",
        "_task",
        "_waiter",
        "checked_at",
        "ended",
        "is_unsure",
        "reader",
        "sees_contacts",
        "sees_internal",
        "sent",
        "wire",
        "write_now",
    )

    def __init__(
        self,
        *,
        sees_internal: bool,
        sees_contacts: bool = True,
        wire: Wire = SSE,
        reader: Reader | None = None,
        may_hang: bool = True,
    ) -> None:
        self.sees_internal = sees_internal
        self.sees_contacts = sees_contacts
        self.wire = wire
        self.ended: Ending | None = None
        self.sent = 0
        self.write_now: WriteNow | None = None
        self.is_unsure = False
        self.checked_at = time.monotonic()
        self.reader = reader
        self._frames: list[tuple[int, bytes]] = []
        self._task = asyncio.current_task() if may_hang else None
        self._waiter: asyncio.Future[None] | None = None

    def put(self, seq: int, frame: bytes) -> None:
        if self._waiter is not None and self.write_now and not self._frames and self.ended is None:
            if seq:
                if seq <= self.sent:
                    return
                if self.write_now(frame):
                    self.sent = seq
                    return
            elif self.write_now(frame):
                return
        if len(self._frames) < QUEUE_LIMIT:
            self._frames.append((seq, frame))
            self._wake()
        else:
            self.tear("slow")

    def tear(self, why: Ending) -> None:
        """End it even where its task hangs in a send, or in anything else."""
        if self.ended is None:
            self.end(why)
            if self._task is not None:
                self._task.cancel()

    def end(self, why: Ending) -> None:
        if self.ended is None:
            self.ended = why
            self._wake()

    def gone(self) -> None:
        self.end("gone")

    def forget_ephemeral(self) -> None:
        """Drop what is in no log; the caller is about to send the draft as a whole."""
        self._frames = [one for one in self._frames if one[0]]

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    async def take(self) -> list[tuple[int, bytes]]:
        """What is there, at least one `(seq, frame)`; seq is 0 for what is in no log.

        Empty means that the follower has ended.
        """
        while not self._frames and self.ended is None:
            self._waiter = asyncio.get_running_loop().create_future()
            try:
                await self._waiter
            finally:
                self._waiter = None
        frames, self._frames = self._frames, []
        return frames if self.ended in {None, "restart"} else []
