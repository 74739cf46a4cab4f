"""Gates that the server runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select

from gatekeeper.adapters.store.tables import TrialRow
from gatekeeper.errors import NotFoundError
from gatekeeper.model.trial import Trial
from gatekeeper.model.wire import from_dict, to_dict

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gatekeeper.adapters.store.work import Work


class SqlTrials:
    """Keep trials."""

    def __init__(self, work: Work) -> None:
        """Work in this transaction."""
        self._work = work

    def put(self, trial: Trial) -> None:
        """Store a trial under its id, in place of what stood there."""
        values = {
            "id": trial.id,
            "running": not trial.state.ended,
            "created_at": trial.created_at,
            "body": to_dict(trial),
        }
        self._work.put(TrialRow, values, ("id",))

    def get(self, trial_id: str, *, lock: bool = False) -> Trial:
        """Return a trial; raises NotFoundError. lock: hold its row until the unit ends."""
        query = select(TrialRow.body).where(TrialRow.id == trial_id)
        found = self._work.first(query.with_for_update() if lock else query)
        if found is None:
            raise NotFoundError(f"no gate {trial_id!r}")
        return from_dict(Trial, found.body)

    def list(self, *, running: bool = False, limit: int | None = None) -> Sequence[Trial]:
        """Return trials, newest first; only those still running when asked."""
        query = select(TrialRow.body).order_by(TrialRow.created_at.desc(), TrialRow.id.desc()).limit(limit)
        if running:
            query = query.where(TrialRow.running.is_(True))
        return [from_dict(Trial, row.body) for row in self._work.all(query)]
