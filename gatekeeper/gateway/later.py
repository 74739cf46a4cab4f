"""Reads that wait until all that has come is read: then they are worked on one after the other.

The kernel and the interpreter drive each other out of the processor's caches and forecasts, and a short turn in either
costs more than its work. So a connection's `data_received` is a call into the loop's C code, which runs no Python; the
loop works on what it was given in the order in which it came, before it tells that a connection was lost.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable


def later(loop: asyncio.AbstractEventLoop, take: Callable[[bytes], None]) -> Callable[[bytes], object]:
    """Return a `data_received` that has `take` get each read soon."""
    return partial(loop.call_soon, take)


def nowhere(data: bytes) -> None:
    """Leave bytes to nobody: the connection is lost, and refers to itself no more."""
