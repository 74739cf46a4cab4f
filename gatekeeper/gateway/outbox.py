"""What is written in one turn of the event loop goes out at its end.

Then a peer that takes a microsecond for each message finds the next one there, and does not fall asleep between two:
to wake it costs us more than to write to it.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

log = logging.getLogger(__name__)


def nowhere(data: bytes) -> None:
    """Write to nobody."""


class Wire:
    """Be a connection that is written to through an outbox; an `asyncio.Protocol`, as it has its methods.

    write_now: of its transport; `nowhere` while there is none.
    """

    __slots__ = ("write_now",)

    def __init__(self) -> None:
        """Be not connected yet."""
        self.write_now: Callable[[bytes], object] = nowhere

    def eof_received(self) -> bool:
        """Let the transport close; `connection_lost` follows."""
        return False


class Outbox:
    """Keep what is to be written, in order, until the loop has taken all that it had to read."""

    __slots__ = ("_later", "_pieces", "_wires")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        """Be empty."""
        self._later = loop.call_soon
        self._wires: list[Wire] = []
        self._pieces: list[bytes] = []

    def put(self, wire: Wire, data: bytes) -> None:
        """Keep bytes for a connection."""
        if not self._pieces:
            self._later(self.flush)
        self._wires.append(wire)
        self._pieces.append(data)

    def flush(self) -> None:
        """Write all that is kept; who is about to close a connection does it too."""
        wires, pieces = self._wires, self._pieces
        self._wires, self._pieces = [], []
        for number in range(len(pieces)):
            try:
                wires[number].write_now(pieces[number])
            except Exception:
                log.exception("%d bytes not written", len(pieces[number]))
