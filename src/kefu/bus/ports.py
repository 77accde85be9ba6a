"""What a bus is: it tells everybody who listens, in this process and in the others. It may lose; the log never does."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol


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


class Bus(Protocol):
    """Listeners must not block or raise. What one process publishes is heard in order, by each listener once."""

    def listen(self, listener: Callable[[Notice], None]) -> None: ...

    def on_gap(self, listener: Callable[[], None]) -> None:
        """Call `listener` when notices of other processes may have been missed and now come again."""

    def publish(self, notice: Notice) -> None:
        """Hand it to this process's listeners before returning, and to the other processes soon. Never fails."""
