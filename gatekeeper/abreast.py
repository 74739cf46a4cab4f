"""Independent work on many rows, side by side on all cores: numpy and Arrow let go of the interpreter meanwhile."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

Found = TypeVar("Found")

MANY = 200_000
"""Rows from which on threads are worth their start."""


def abreast(work: Iterable[Callable[[], Found]], rows: int) -> list[Found]:
    """Return what each piece of work returns, in their order; what the first to fail raises is raised.

    rows: how many each piece goes through; few are worked on one after the other.
    """
    if rows < MANY or cores() == 1:
        return [piece() for piece in work]
    with ThreadPoolExecutor(cores()) as pool:
        return [done.result() for done in [pool.submit(piece) for piece in work]]


def cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
