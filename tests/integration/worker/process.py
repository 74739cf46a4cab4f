"""A worker process for tests: its handlers count what they do, block once, or kill their own process.

Arguments: broker URL, database URL, queue prefix, folder for marks, seconds of patience. The clock is the host's plus
the seconds in the folder's file `ahead`, so that a test can let time pass for every process at once.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gatekeeper.adapters.broker import make_celery
from gatekeeper.adapters.store.unit import SqlStore
from gatekeeper.worker.app import run_worker

if TYPE_CHECKING:
    from gatekeeper.ports import Unit


class AheadClock:
    """Tell the host's time plus what the file says."""

    def __init__(self, folder: Path) -> None:
        """Read the folder's file `ahead` at each call."""
        self._file = folder / "ahead"

    def now(self) -> float:
        """Return unix seconds."""
        return time.time() + float(self._file.read_text())


def main(broker_url: str, database_url: str, prefix: str, folder: Path, patience_s: float) -> int:
    """Run the worker until a signal ends it."""

    def mark(name: str) -> int:
        with (folder / name).open("a") as file:
            file.write("x")
            return file.tell()

    def count(unit: Unit, payload: dict[str, Any]) -> None:
        body = unit.tallies.get("r", payload["n"], 1) or {"times": 0}
        unit.tallies.put("r", payload["n"], 1, {"times": body["times"] + 1})

    def block_once(unit: Unit, payload: dict[str, Any]) -> None:
        count(unit, payload)
        if mark(f"started-{payload['n']}") == 1:
            time.sleep(payload.get("wait_s", 30))

    def poison(_unit: Unit, payload: dict[str, Any]) -> None:
        mark(f"started-{payload['n']}")
        os.kill(os.getpid(), signal.SIGKILL)

    handlers = {"score": count, "score.once": block_once, "control.poison": poison}
    store = SqlStore(database_url, clock=AheadClock(folder))
    return run_worker(
        make_celery(broker_url, prefix=prefix), store.unit, handlers, concurrency=1, patience_s=patience_s
    )


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:4], Path(sys.argv[4]), float(sys.argv[5])))
