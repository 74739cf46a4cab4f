"""Gates that the server runs, in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gatekeeper.errors import NotFoundError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gatekeeper.adapters.memory_shelf import Shelves
    from gatekeeper.model.trial import Trial


class MemoryTrials:
    """Keep trials."""

    def __init__(self, shelves: Shelves) -> None:
        """Work on these shelves."""
        self._shelves = shelves

    def put(self, trial: Trial) -> None:
        """Store a trial under its id, in place of what stood there."""
        self._shelves.trials[trial.id] = trial

    def get(self, trial_id: str, *, lock: bool = False) -> Trial:
        """Return a trial; raises NotFoundError. lock is the unit's own already."""
        del lock
        found = self._shelves.trials.get(trial_id)
        if found is None:
            raise NotFoundError(f"no gate {trial_id!r}")
        return found

    def list(self, *, running: bool = False, limit: int | None = None) -> Sequence[Trial]:
        """Return trials, newest first; only those still running when asked."""
        found = [one for one in self._shelves.trials.values() if not (running and one.state.ended)]
        return sorted(found, key=lambda one: (one.created_at, one.id), reverse=True)[:limit]
