"""A stream of server-sent events, cut into the data of each event as bytes arrive.

The format is that of the HTML standard, section 9.2.6: lines of ``field: value``, an empty line
ends an event. Of the fields only ``data`` matters here; the servers repeat an event's name in it.
"""

from __future__ import annotations


class Events:
    """Takes bytes as they arrive; gives the data of the events that they complete."""

    def __init__(self) -> None:
        self._rest = b""
        self._data: list[bytes] = []

    def feed(self, arrived: bytes) -> list[bytes]:
        """The data of every event that is complete now."""
        # A line may end in CR LF whose halves arrive apart, so a CR at the end waits for more.
        text = self._rest + arrived
        held = b"\r" if text.endswith(b"\r") else b""
        lines = (text.removesuffix(b"\r") if held else text).replace(b"\r\n", b"\n")
        *whole, self._rest = lines.replace(b"\r", b"\n").split(b"\n")
        self._rest += held
        found = []
        for line in whole:
            if line:
                self._field(line)
            elif self._data:
                found.append(b"\n".join(self._data))
                self._data = []
        return found

    def end(self) -> list[bytes]:
        """The data of an event that the end of the stream completes, if there is one."""
        return self.feed(b"\n\n")

    def _field(self, line: bytes) -> None:
        name, _, value = line.partition(b":")
        if name == b"data":
            self._data.append(value.removeprefix(b" "))
