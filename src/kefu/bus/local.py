"""The bus of one process."""

from collections.abc import Callable

from kefu.bus.ports import Notice


class LocalBus:
    """Hands every notice to every listener at once."""

    def __init__(self) -> None:
        self._listeners: list[Callable[[Notice], None]] = []

    def listen(self, listener: Callable[[Notice], None]) -> None:
        self._listeners.append(listener)

    def on_gap(self, listener: Callable[[], None]) -> None:
        """There is never one."""

    def publish(self, notice: Notice) -> None:
        for listener in self._listeners:
            listener(notice)
