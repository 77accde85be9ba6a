"""The bus of one process."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Notice:
    """One line for the followers of a stream.

    `seq`: place in the stream's log, or 0 for what is not in the log (typing, answer deltas). `data`: one JSON object
    as bytes, written once and passed on as it is. `public`: whether a visitor may see it. `type`: what the JSON says as
    its own.
    """

    stream: str
    seq: int
    data: bytes
    public: bool
    type: str


class LocalBus:
    """Hands every notice to every listener at once, in order. Listeners must not block or raise."""

    def __init__(self) -> None:
        self._listeners: list[Callable[[Notice], None]] = []

    def listen(self, listener: Callable[[Notice], None]) -> None:
        self._listeners.append(listener)

    def publish(self, notice: Notice) -> None:
        for listener in self._listeners:
            listener(notice)
