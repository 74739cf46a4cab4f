"""Two servers take turns on their cores, so that a core which others keep busy slows neither more than the other."""

from __future__ import annotations

import contextlib
import os
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

EVERY_S = 0.25
"""How long a server stays on a core: much less than a stage, much more than a step of the model."""

FAMILY_S = 3.0
"""How long a server's list of processes is trusted."""


class Turns:
    """Swap the cores of servers, in a thread, from `start` to `stop`.

    Each server has a core to itself at any time, and both in equal parts.
    """

    def __init__(self, cores: Sequence[int]) -> None:
        """Take the cores, one for each server."""
        self._cores = tuple(cores)
        self._turn = 0
        self._places: dict[int, int] = {}
        self._families: dict[int, tuple[float, list[int]]] = {}
        self._lock = threading.Lock()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="demo-turns", daemon=True)

    def start(self) -> None:
        """Begin to swap; with one core there is nothing to swap."""
        if len(set(self._cores)) > 1:
            self._thread.start()

    def add(self, pid: int, place: int) -> None:
        """Let a server take part: its first process, and which of the cores is its own at first."""
        with self._lock:
            self._places[pid] = place

    def remove(self, pid: int) -> None:
        """Leave a server alone from now on."""
        with self._lock:
            self._places.pop(pid, None)
            self._families.pop(pid, None)

    def stop(self) -> None:
        """End the swapping."""
        self._stopped.set()
        if self._thread.is_alive():
            self._thread.join()

    def swap(self) -> None:
        """Move every server to the next core."""
        with self._lock:
            self._turn += 1
            for pid, place in self._places.items():
                move(self._family(pid), self._cores[(place + self._turn) % len(self._cores)])

    def _run(self) -> None:
        while not self._stopped.wait(EVERY_S):
            self.swap()

    def _family(self, pid: int) -> list[int]:
        """Return a server's processes, looked up now and then: to list them costs more than to move them."""
        seen, family = self._families.get(pid, (-FAMILY_S, []))
        if time.monotonic() - seen >= FAMILY_S:
            family = processes(pid)
            self._families[pid] = (time.monotonic(), family)
        return family


def processes(pid: int) -> list[int]:
    """List a process and all it started; nothing of one that has ended."""
    import psutil  # noqa: PLC0415  # only real servers need it

    try:
        first = psutil.Process(pid)
        return [pid, *(child.pid for child in first.children(recursive=True))]
    except psutil.NoSuchProcess:
        return []


def move(pids: Iterable[int], core: int) -> None:
    """Hold every thread of these processes to one core; those that have ended are passed over."""
    for pid in pids:
        with contextlib.suppress(OSError):
            for thread in Path(f"/proc/{pid}/task").iterdir():
                os.sched_setaffinity(int(thread.name), {core})
