"""Dying with the process that started us, even when it is killed and can tell no one."""

from __future__ import annotations

import os
import signal
import threading
import time

POLL_S = 0.5


def die_with(parent_pid: int) -> None:
    """Kill this process's whole group as soon as `parent_pid` is no longer its parent.

    The caller must lead its own process group, else the kill reaches whoever shares it.
    """
    threading.Thread(target=_wait_and_die, args=(parent_pid,), name="die-with-parent", daemon=True).start()


def _wait_and_die(parent_pid: int) -> None:
    while os.getppid() == parent_pid:
        time.sleep(POLL_S)
    os.killpg(os.getpgrp(), signal.SIGKILL)
