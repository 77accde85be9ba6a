"""The bus of several processes: one Redis channel that all of them speak and hear (docs/adr/0011)."""

import asyncio
import secrets
import struct
import time
from collections import deque
from collections.abc import Callable, Iterator

import structlog
from prometheus_client import Counter

from kefu.bus.local import LocalBus
from kefu.bus.ports import Notice
from kefu.kit.beat import rung
from kefu.kit.redis import BACKGROUND_SECONDS, Away, Redis

log = structlog.get_logger()

# A packet is the origin and then notices, each a head (lengths of data, stream and type; public; seq) and those three.
HEAD = struct.Struct("!IHB?Q")
ORIGIN_BYTES = 8
QUEUE_LIMIT = 10_000
PACKET_BYTES = 262_144
GATHER_SECONDS = 0.002
# Who has heard nobody for half of BEAT_SECONDS says something at the next beat, if only that they are there, and hears
# themselves. Who hears nothing for SILENCE_SECONDS is at the end of a dead wire.
BEAT_SECONDS = 1.0
SILENCE_SECONDS = 3.0
PAUSE_SECONDS = 0.1
PAUSE_CAP_SECONDS = 1.0

SENT = Counter("kefu_bus_sent_total", "Notices sent to the other processes")
RECEIVED = Counter("kefu_bus_received_total", "Notices heard from the other processes")
DROPPED = Counter("kefu_bus_dropped_total", "Notices that the other processes must find in the database")


def pack(notice: Notice) -> bytes:
    stream, type_ = notice.stream.encode(), notice.type.encode()
    head = HEAD.pack(len(notice.data), len(stream), len(type_), notice.public, notice.seq)
    return b"%b%b%b%b" % (head, stream, type_, notice.data)


def unpack(packet: bytes) -> Iterator[Notice]:
    """The notices of a packet without its origin. Raises struct.error or ValueError for what is no packet."""
    at = 0
    while at < len(packet):
        data, stream, type_, public, seq = HEAD.unpack_from(packet, at)
        named = at + HEAD.size
        typed, written = named + stream, named + stream + type_
        at = written + data
        if at > len(packet):
            raise ValueError("a packet that is cut off")
        yield Notice(packet[named:typed].decode(), seq, packet[written:at], public, packet[typed:written].decode())


class RedisBus(LocalBus):
    """A `LocalBus` whose notices the other processes hear too, and which hears theirs.

    Publishing only puts the notice into a bounded queue; one task sends what has gathered as one packet, and another
    listens. What does not get through is lost: the hubs compare with the database every second, and at once when the
    bus says that there was a gap.
    """

    def __init__(self, redis: Redis) -> None:
        super().__init__()
        self._redis = redis
        self._channel = f"{redis.prefix}bus"
        self._origin = secrets.token_bytes(ORIGIN_BYTES)
        self._queue: deque[bytes] = deque()
        self._ring = asyncio.Event()
        self._heard_at = 0.0
        self._on_gap: list[Callable[[], None]] = []
        self._tasks: list[asyncio.Task[None]] = []
        self.hears = asyncio.Event()

    def on_gap(self, listener: Callable[[], None]) -> None:
        self._on_gap.append(listener)

    def start(self) -> None:
        self._tasks = [
            asyncio.create_task(self._send_forever(), name="bus-send"),
            asyncio.create_task(self._hear_forever(), name="bus-hear"),
        ]

    async def stop(self) -> None:
        """Send what still waits, for a moment, and stop."""
        if self._queue and not self._redis.is_away:
            await self._send()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def publish(self, notice: Notice) -> None:
        super().publish(notice)
        if self._redis.is_away or len(self._queue) >= QUEUE_LIMIT:
            DROPPED.inc()
            return
        self._queue.append(pack(notice))
        self._ring.set()

    async def _send_forever(self) -> None:
        while True:
            if not await rung(self._ring, BEAT_SECONDS) and time.monotonic() - self._heard_at < BEAT_SECONDS / 2:
                continue
            self._ring.clear()
            await self._send()
            while self._queue:  # it is busy: what comes in the next moment goes along
                await asyncio.sleep(GATHER_SECONDS)
                await self._send()

    async def _send(self) -> None:
        packet, size = [self._origin], 0
        while self._queue and size < PACKET_BYTES:
            packet.append(self._queue.popleft())
            size += len(packet[-1])
        try:
            await self._redis.ask(
                "publish", lambda client: client.publish(self._channel, b"".join(packet)), BACKGROUND_SECONDS
            )
        except Away:
            DROPPED.inc(len(packet) - 1)
        else:
            SENT.inc(len(packet) - 1)

    async def _hear_forever(self) -> None:
        pause = PAUSE_SECONDS
        while True:
            try:
                await self._hear_until_silent()
            except Exception as error:  # noqa: BLE001 - it is counted and logged, and we listen again
                pause = PAUSE_SECONDS if self.hears.is_set() else min(pause * 2, PAUSE_CAP_SECONDS)
                self.hears.clear()
                self._redis.failed("subscribe", error)
            await asyncio.sleep(pause)

    async def _hear_until_silent(self) -> None:
        """Raises TimeoutError for silence, and whatever the client raises for a broken connection."""
        wire = self._redis.listen()
        try:
            async with asyncio.timeout(BACKGROUND_SECONDS):
                await wire.subscribe(self._channel)
            while True:
                async with asyncio.timeout(SILENCE_SECONDS):
                    message = await wire.get_message(timeout=None)
                if message is None:  # Redis confirms that we are subscribed
                    self._hears_again()
                else:
                    self._heard_at = time.monotonic()
                    self._hear(message["data"])
        finally:
            await wire.aclose()  # type: ignore[no-untyped-call]  # the library says nothing of its types here

    def _hears_again(self) -> None:
        self.hears.set()
        for listener in self._on_gap:
            listener()

    def _hear(self, packet: bytes) -> None:
        if packet.startswith(self._origin):
            return
        try:
            for notice in unpack(packet[ORIGIN_BYTES:]):
                RECEIVED.inc()
                super().publish(notice)
        except Exception:
            log.warning("bus.not_understood", size=len(packet), exc_info=True)
