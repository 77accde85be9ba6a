"""Server-sent events, as providers send them (WHATWG HTML 9.2.6): what a stream of bytes says so far."""

from typing import NamedTuple

LONGEST = 1 << 20


class TooLong(Exception):
    """One event is longer than LONGEST bytes."""


class Event(NamedTuple):
    """`name` is empty where the sender gave none. Comments, ids and events without data are none."""

    name: str
    data: bytes


class Events:
    """Cuts bytes, however they arrive, into events."""

    def __init__(self) -> None:
        self._rest = b""
        self._name = ""
        self._data: list[bytes] = []

    def feed(self, chunk: bytes) -> list[Event]:
        """The events that are whole now. Raises TooLong."""
        text = self._rest + chunk
        # A CR at the end may be half of a line's end.
        whole, self._rest = (text[:-1], b"\r") if text.endswith(b"\r") else (text, b"")
        if b"\r" in whole:
            whole = whole.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        *lines, last = whole.split(b"\n")
        self._rest = last + self._rest
        if len(self._rest) + sum(map(len, self._data)) > LONGEST:
            raise TooLong
        return [event for line in lines if (event := self._line(line)) is not None]

    def _line(self, line: bytes) -> Event | None:
        if line.startswith(b"data:"):
            self._data.append(line[6:] if line[5:6] == b" " else line[5:])
        elif line.startswith(b"event:"):
            self._name = line[6:].strip().decode(errors="replace")
        elif not line:
            name, data = self._name, self._data
            self._name, self._data = "", []
            return Event(name, b"\n".join(data)) if data else None
        return None
