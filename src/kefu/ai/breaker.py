"""Who is not asked for a while because they did not answer: one for each provider, address and model.

closed ──FAILURES in a row──▶ open ──after a pause──▶ half open: one probe ──well──▶ closed
                               ▲                                    └──failed──▶ open, for twice as long
"""

import time
from collections.abc import Callable, Mapping

import structlog
from prometheus_client import Gauge

from kefu.ai.ports import Failing
from kefu.kit.metrics import few

log = structlog.get_logger()

FAILURES = 5
PAUSE_SECONDS = 5.0
LONGEST_PAUSE_SECONDS = 120.0
# What says that the provider is not well. The others say something about us: a wrong key, too many requests.
ILL: frozenset[Failing] = frozenset({"refused", "unknown_host", "slow", "cut", "broken", "malformed"})

OPEN = Gauge("kefu_model_breaker_open", "1 while a provider is not asked because it fails", ["provider", "model"])


class Breaker:
    """`enter` before each request; then exactly one of `succeeded`, `failed`, `left` with what it gave."""

    def __init__(self, labels: Mapping[str, str], clock: Callable[[], float] = time.monotonic) -> None:
        self._gauge = OPEN.labels(labels["provider"], few("model", labels["model"]))
        self._labels = labels
        self._clock = clock
        self._in_a_row = 0
        self._round = 0
        self._until = 0.0
        self._pause = 0.0
        self._is_probing = False
        self.reason: Failing = "slow"

    @property
    def is_open(self) -> bool:
        return self._pause > 0

    def enter(self) -> int | None:
        """A ticket to ask the provider with; None when it is not to be asked now."""
        if self.is_open:
            if self._is_probing or self._clock() < self._until:
                return None
            self._is_probing = True
        return self._round

    def succeeded(self, ticket: int) -> None:
        if ticket != self._round:
            return
        self._in_a_row = 0
        if self.is_open:
            self._turn(0.0)
            log.info("model.back", **self._labels)

    def failed(self, ticket: int, reason: Failing) -> None:
        """What was asked before the breaker opened says nothing new."""
        if reason not in ILL:
            self.left(ticket)
            return
        if ticket != self._round:
            return
        self._in_a_row += 1
        self.reason = reason
        if self.is_open or self._in_a_row >= FAILURES:
            self._turn(min(max(self._pause * 2, PAUSE_SECONDS), LONGEST_PAUSE_SECONDS))
            log.warning("model.rests", reason=reason, seconds=self._pause, **self._labels)

    def left(self, ticket: int) -> None:
        """It was not waited for, or what came says nothing of its health: the next one is the probe."""
        if ticket == self._round:
            self._is_probing = False

    def _turn(self, pause: float) -> None:
        self._round += 1
        self._pause, self._until = pause, self._clock() + pause
        self._in_a_row, self._is_probing = 0, False
        self._gauge.set(self.is_open)
