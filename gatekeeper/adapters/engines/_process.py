"""A model server as a process of ours: spawned, waited for, read, and stopped with everything it started."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import psutil

from gatekeeper.adapters.engines._metrics import signals
from gatekeeper.errors import EngineError

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

POLL_S = 0.1
HEALTH_S = 1.0
METRICS_S = 5.0
TAIL_LINES = 20
LISTEN = "LISTEN"


@dataclass(frozen=True, slots=True)
class Launch:
    """Hold what one server is started with.

    advice: a text found in the log of a failed start, to the words that mend it.
    ready_timeout_s: how long `EngineServer.ready` waits unless told otherwise.
    """

    engine: str
    model: str
    served_name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    host: str
    port: int
    log_path: Path
    ready_timeout_s: float
    advice: Mapping[str, str] = field(default_factory=dict)


class EngineServer:
    """Own one running server and all its processes; stop it, or leave the `with` block, when done.

    url: the server's root, without `/v1`. model: what it was asked to serve. served_name: the name requests use.
    """

    def __init__(self, launch: Launch) -> None:
        """Spawn the server and return at once; `ready` waits for it.

        Raises:
            EngineError: the program could not be started at all.
        """
        self.launch = launch
        self.model = launch.model
        self.served_name = launch.served_name
        self.log_path = launch.log_path
        self.url = f"http://{launch.host}:{launch.port}"
        launch.log_path.parent.mkdir(parents=True, exist_ok=True)
        with launch.log_path.open("wb") as log:
            try:
                self._process = subprocess.Popen(  # noqa: S603  # our own interpreter, arguments never through a shell
                    list(launch.command),
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    env=dict(launch.environment),
                    start_new_session=True,
                )
            except OSError as error:
                raise EngineError(f"{launch.engine} could not be started: {error}") from error
        self.pid = self._process.pid
        self._client = httpx.Client(base_url=self.url, timeout=METRICS_S, trust_env=False)

    def ready(self, timeout_s: float | None = None) -> None:
        """Wait until the server answers, and is ours; stop it when it never will.

        timeout_s: None takes the launch's.

        Raises:
            EngineError: it died, another process answers on its port, or the time is over; with its last lines.
        """
        patience_s = self.launch.ready_timeout_s if timeout_s is None else timeout_s
        deadline = time.monotonic() + patience_s
        while True:
            code = self._process.poll()
            if code is not None:
                self._fail(f"died with exit code {code} before it was ready")
            if self._healthy():
                if self._listens():
                    return
                self._fail(f"is not the process that answers on {self.url}: another one has the port")
            if time.monotonic() >= deadline:
                self._fail(f"was not ready after {patience_s:g} s")
            time.sleep(POLL_S)

    def alive(self) -> bool:
        """Say whether the server's first process still runs."""
        return self._process.poll() is None

    def metrics(self) -> dict[str, float]:
        """Read the engine's own signals, such as queue_depth, running and kv_usage; an unknown one is left out.

        Raises:
            EngineError: the server does not answer.
        """
        try:
            return signals(self._client.get("/metrics").raise_for_status().text)
        except httpx.HTTPError as error:
            raise EngineError(f"{self._name()} gave no metrics: {error}; log: {self.log_path}") from error

    def stop(self, grace_s: float = 10.0) -> None:
        """End the server: ask it, wait for grace_s, then kill its whole process group; stopping twice is fine."""
        self._client.close()
        if self._process.poll() is None:
            self._process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(grace_s)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        self._process.wait()

    def __enter__(self) -> Self:
        """Give back the server, which may not be ready yet: several can start side by side."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop the server."""
        self.stop()

    def _healthy(self) -> bool:
        try:
            return self._client.get("/health", timeout=HEALTH_S).is_success
        except httpx.HTTPError:
            return False

    def _listens(self) -> bool:
        """Say whether the server's port is held by a process of this server, and not by a stranger."""
        try:
            first = psutil.Process(self.pid)
            family = [first, *first.children(recursive=True)]
        except psutil.NoSuchProcess:
            return False
        return any(_holds(process, self.launch.port) for process in family)

    def _name(self) -> str:
        return f"{self.launch.engine} server of {self.model!r} (pid {self.pid})"

    def _fail(self, what: str) -> None:
        self.stop(grace_s=0)
        text = self.log_path.read_text(errors="replace")
        lines = [line for line in text.splitlines() if line.strip()][-TAIL_LINES:]
        message = f"{self._name()} {what}"
        fixes = [fix for sign, fix in self.launch.advice.items() if sign in text]
        message += "".join(f"\nfix: {fix}" for fix in fixes)
        message += f"\nlast lines of {self.log_path}:\n" + "\n".join(lines or ["(nothing was written)"])
        raise EngineError(message)


def _holds(process: psutil.Process, port: int) -> bool:
    try:
        return any(c.status == LISTEN and c.laddr.port == port for c in process.net_connections("tcp"))
    except psutil.Error:
        return False


def environment(**extra: str) -> dict[str, str]:
    """Return our own environment with `extra` on top, where a child interpreter finds this package from anywhere."""
    root = str(Path(__file__).parents[3])
    path = os.pathsep.join(filter(None, (root, os.environ.get("PYTHONPATH"))))
    return {**os.environ, "PYTHONPATH": path, **extra}
