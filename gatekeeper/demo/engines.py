"""The demo's servers: real vLLM or simulated ones, each on the core the other arm does not use, in turns."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Protocol

from gatekeeper import registry
from gatekeeper.demo import sim_answers
from gatekeeper.demo.catalogue import entry
from gatekeeper.demo.turns import Turns

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

MODEL = "demo-chat"
"""The name every server of the demo serves its model by."""

VLLM_FLAGS: Mapping[str, str | int | bool] = {
    "max-model-len": 256,
    "dtype": "float32",  # on every CPU: the starved release's KV cache is counted in bytes
}


class Server(Protocol):
    """Describe what the story needs of an engine's server."""

    url: str
    pid: int

    def ready(self, timeout_s: float | None = None) -> object:
        """Wait until it answers."""

    def stop(self) -> None:
        """Stop it with all its processes."""


class Crew:
    """Start and stop the demo's servers, at most one a core."""

    def __init__(self, engine: str, models: Mapping[str, Path], log_dir: Path) -> None:
        """Keep the engine's name, where the models lie (empty for simulated ones), and where logs go."""
        self._start = registry.load("adapters.engines", engine).start
        self._simulated = engine == "sim"
        self._models = models
        self._log_dir = log_dir
        cores = sorted(os.sched_getaffinity(0))
        self._cores = (cores[0], cores[-1])
        self._free = [0, 1]
        self._running: dict[str, tuple[Server, int]] = {}
        self._turns = Turns(self._cores)
        if not self._simulated:
            self._turns.start()

    def start(self, name: str) -> Server:
        """Start the server of a release without waiting for it."""
        place = self._free.pop(0)
        flags = dict(entry(name).flags)
        given = sim_answers.flags(name) if self._simulated else {**VLLM_FLAGS, **flags}
        server: Server = self._start(
            name if self._simulated else str(self._models[name]),
            served_name=MODEL,
            cores=(self._cores[place],),
            flags=given,
            log_path=self._log_dir / f"{name}.log",
        )
        self._running[name] = (server, place)
        if not self._simulated:
            self._turns.add(server.pid, place)
        return server

    def stop(self, name: str) -> None:
        """Stop the server of a release; its core is free again."""
        server, place = self._running.pop(name)
        if not self._simulated:
            self._turns.remove(server.pid)
        server.stop()
        self._free.append(place)

    def close(self) -> None:
        """Stop all that run."""
        self._turns.stop()
        for name in list(self._running):
            self.stop(name)
