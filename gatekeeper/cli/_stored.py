"""Rollouts and their samples out of this installation's own database."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import select

from gatekeeper.adapters.store.engine import Engines
from gatekeeper.adapters.store.tables import SampleRow
from gatekeeper.adapters.store.unit import SqlStore
from gatekeeper.errors import InputError
from gatekeeper.model.sample import Sample
from gatekeeper.model.wire import from_dict
from gatekeeper.settings import read_settings

if TYPE_CHECKING:
    from gatekeeper.model.rollout import Rollout

ROWS_AT_ONCE = 10_000


def read_rollout(rollout_id: str) -> tuple[Rollout, dict[int, list[Sample]]]:
    """Return a rollout and all its samples by stage, in the order in which they were stored.

    Raises:
        InputError: GATEKEEPER_DATABASE_URL names a file that is not there; NotFoundError for an unknown rollout.
        StoreError: the database is away, or of another version.
    """
    url = read_settings(os.environ).database_url
    engines = Engines(url)
    if engines.url.get_backend_name() == "sqlite" and not Path(engines.url.database or "").is_file():
        raise InputError(f"GATEKEEPER_DATABASE_URL is {url}: no such file; expected the database that keeps rollouts")
    store = SqlStore(url)
    try:
        store.check()
        with store.unit(readonly=True) as unit:
            rollout = unit.rollouts.get(rollout_id)
        return rollout, _samples(engines, rollout_id)
    finally:
        store.dispose()
        engines.dispose()


def _samples(engines: Engines, rollout_id: str) -> dict[int, list[Sample]]:
    """Return the samples by stage, read some thousands at a time."""
    found: dict[int, list[Sample]] = {}
    last = 0
    with engines.engine.connect() as connection:
        while True:
            query = select(SampleRow.row, SampleRow.stage, SampleRow.body)
            query = query.where(SampleRow.rollout_id == rollout_id, SampleRow.row > last)
            rows = connection.execute(query.order_by(SampleRow.row).limit(ROWS_AT_ONCE)).all()
            for row, stage, body in rows:
                found.setdefault(stage, []).append(from_dict(Sample, body))
                last = row
            if len(rows) < ROWS_AT_ONCE:
                return found
