"""A loop in a thread: calls one function again and again, tells what fails, and never dies of it."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING

from gatekeeper.errors import WorldError

if TYPE_CHECKING:
    from collections.abc import Callable

log = logging.getLogger(__name__)
LONGEST_WAIT_S = 10.0


class Loop:
    """Call `work` every `wait_s` seconds in a thread of its own, at once again while it returns True.

    After a failure the wait doubles up to 10 s; a world that is away is told in one line, anything else with its trace.
    """

    def __init__(self, name: str, work: Callable[[], object], wait_s: float) -> None:
        """Keep what to do; nothing runs before `start`."""
        self.name = name
        self.failures = 0
        self._work = work
        self._wait_s = wait_s
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self, timeout_s: float = 10.0) -> None:
        """End after the call in progress."""
        self._stopped.set()
        if self._thread.is_alive():
            self._thread.join(timeout_s)

    def _run(self) -> None:
        wait_s = self._wait_s
        while not self._stopped.is_set():
            try:
                again = self._work() is True
            except WorldError as exc:
                self.failures, again, wait_s = self.failures + 1, False, min(wait_s * 2, LONGEST_WAIT_S)
                log.warning("%s: %s; trying again in %.1f s", self.name, exc, wait_s)
            except Exception:
                self.failures, again, wait_s = self.failures + 1, False, min(wait_s * 2, LONGEST_WAIT_S)
                log.exception("%s failed; trying again in %.1f s", self.name, wait_s)
            else:
                wait_s = self._wait_s
            if not again:
                self._stopped.wait(wait_s)
