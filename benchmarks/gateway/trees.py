"""A server under test as a tree of processes: started on its core, waited for, weighed, ended."""

from __future__ import annotations

import atexit
import contextlib
import os
import socket
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import psutil

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

OURS, UNDER_TEST = 0, 1
"""The core of the stub, the load generator and this script; the core of the server under test."""
START_S = 120.0
STOP_S = 40.0


def cpu_of(process: psutil.Process) -> float:
    """Return seconds of user and system time: to the nanosecond where Linux tells, else to the clock's tick."""
    if sys.platform == "linux":
        try:
            return time.clock_gettime((~process.pid << 3) | 2)  # the kernel's name for that process's CPU clock
        except OSError as exc:
            raise psutil.NoSuchProcess(process.pid) from exc
    times = process.cpu_times()
    return float(times.user + times.system)


@contextlib.contextmanager
def on_core(core: int) -> Iterator[None]:
    """Start what is started meanwhile on this core, where the machine has it and lets us choose."""
    allowed = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else set()
    if len(allowed) <= core:
        yield
        return
    os.sched_setaffinity(0, {sorted(allowed)[core]})
    try:
        yield
    finally:
        os.sched_setaffinity(0, allowed)


@dataclass(frozen=True, slots=True)
class Weight:
    """Hold what a tree has used and holds. cpu_s: user and system time since its start; rss_mb: resident, in 10^6 B."""

    cpu_s: float
    rss_mb: float
    fds: int


class Tree:
    """Own a process and all it starts; its output goes to a log."""

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        *,
        port: int,
        log: Path,
        core: int = OURS,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        """Start it and return at once; `ready` waits until its port answers. core: of `on_core`."""
        self.name = name
        self.port = port
        self.log = log
        with log.open("ab") as sink, on_core(core):
            self._process = subprocess.Popen(  # noqa: S603 - the command is this benchmark's own
                list(command),
                stdout=sink,
                stderr=sink,
                stdin=subprocess.DEVNULL,
                env={**os.environ, **(environment or {})},
                start_new_session=True,
            )
        self._root = psutil.Process(self._process.pid)
        atexit.register(self.stop)  # also when this script is told to end in between

    @property
    def url(self) -> str:
        """Return its root URL."""
        return f"http://127.0.0.1:{self.port}"

    def ready(self) -> Tree:
        """Wait until something listens on its port.

        Raises:
            RuntimeError: it ended, or did not listen in time; the message ends with the log's last lines.
        """
        until = time.monotonic() + START_S
        while time.monotonic() < until and self._process.poll() is None:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=1.0):
                return self
            time.sleep(0.05)
        ended = self._process.poll()
        self.stop()
        lines = self.log.read_text(errors="replace").splitlines()[-12:]
        what = f"ended with code {ended}" if ended is not None else f"did not listen within {START_S:.0f} s"
        raise RuntimeError("\n".join([f"{self.name} {what}:", *lines]))

    def weigh(self) -> Weight:
        """Sum over the processes that live now."""
        cpu_s, rss, fds = 0.0, 0, 0
        for process in [self._root, *self._root.children(recursive=True)]:
            with contextlib.suppress(psutil.NoSuchProcess):
                cpu_s += cpu_of(process)
                rss += process.memory_info().rss
                fds += process.num_fds()
        return Weight(cpu_s, rss / 1e6, fds)

    def stop(self) -> None:
        """End it as an operator would, and all that it started if that takes too long."""
        atexit.unregister(self.stop)
        family = [self._root, *self._root.children(recursive=True)] if self._process.poll() is None else []
        if family:
            self._process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(STOP_S)
        for process in family:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        self._process.wait()


@contextlib.contextmanager
def watched(tree: Tree, every_s: float = 0.25) -> Iterator[list[Weight]]:
    """Weigh a tree again and again meanwhile; the list has at least one weight at the end."""
    weights, over = [], threading.Event()

    def look() -> None:
        while not over.wait(every_s):
            weights.append(tree.weigh())

    watcher = threading.Thread(target=look)
    watcher.start()
    try:
        yield weights
    finally:
        over.set()
        watcher.join()
        weights.append(tree.weigh())
