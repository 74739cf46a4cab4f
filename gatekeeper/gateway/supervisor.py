"""Several workers on one port, each a process: one that dies is started again, and the others do not notice."""

from __future__ import annotations

import logging
import multiprocessing
import os
import signal
import tempfile
from dataclasses import dataclass, replace
from multiprocessing.connection import wait
from multiprocessing.context import SpawnProcess
from pathlib import Path
from time import monotonic

from gatekeeper.gateway.process import Role, run

log = logging.getLogger(__name__)
_SHORT_LIFE_S = 1.0
"""A worker that lived for less is not started again before this has passed since its start."""
_MEMORY = Path("/dev/shm")  # noqa: S108 - a folder of our own is made in it, with a name that nobody can foresee


@dataclass(slots=True)
class _Worker:
    """Hold a worker's process. started: monotonic seconds."""

    process: SpawnProcess
    started: float


def supervise(role: Role, workers: int) -> None:
    """Run workers until SIGTERM or SIGINT, then let them drain; SIGHUP goes on to them."""
    ended, end = multiprocessing.Pipe(duplex=False)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: end.send_bytes(b"end"))
    place = _MEMORY if os.access(_MEMORY, os.W_OK) else None
    with tempfile.TemporaryDirectory(prefix="gatekeeper-figures-", dir=place) as folder:
        crew = _Crew(replace(role, figures=Path(folder), workers=workers), workers)
        if role.tls_cert is not None:
            signal.signal(signal.SIGHUP, lambda *_: crew.send(signal.SIGHUP))
        while not ended.poll():
            living, due_s = crew.restart()
            wait([ended, *living], timeout=due_s)
        crew.end()


class _Crew:
    """Hold the workers by number."""

    def __init__(self, role: Role, workers: int) -> None:
        self._role = role
        self._context = multiprocessing.get_context("spawn")
        self._workers = {number: self._start(number) for number in range(1, workers + 1)}

    def restart(self) -> tuple[list[int], float | None]:
        """Start those again that have ended.

        Return what becomes readable when one ends that was found alive, and in how many seconds to look again (None:
        not before). Each is asked once: one that has closed its end of the pipe is for a moment still alive.
        """
        living, due_s = [], None
        for number, worker in self._workers.items():
            if not worker.process.is_alive():
                rest_s = worker.started + _SHORT_LIFE_S - monotonic()
                if rest_s > 0:
                    due_s = rest_s if due_s is None else min(due_s, rest_s)
                    continue
                log.error("worker %d ended with code %s and is started again", number, worker.process.exitcode)
                self._workers[number] = self._start(number)
            living.append(self._workers[number].process.sentinel)
        return living, due_s

    def send(self, number: signal.Signals) -> None:
        """Send a signal to the workers that live."""
        for worker in self._workers.values():
            if worker.process.pid is not None and worker.process.is_alive():
                os.kill(worker.process.pid, number)

    def end(self) -> None:
        """Let the workers drain, and wait for them."""
        for worker in self._workers.values():
            worker.process.terminate()
        for worker in self._workers.values():
            worker.process.join()

    def _start(self, number: int) -> _Worker:
        process = self._context.Process(target=run, args=(self._role, number), name=f"gateway-{number}")
        process.start()
        return _Worker(process, monotonic())
