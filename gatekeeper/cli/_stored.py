"""Stored rollouts and their samples: from the control plane, or out of this installation's own database."""

from __future__ import annotations

import os
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from gatekeeper.cli._plane import connect
from gatekeeper.errors import InputError
from gatekeeper.flow.backtest import Recorded
from gatekeeper.model.rollout import Rollout
from gatekeeper.model.wire import from_dict
from gatekeeper.settings import read_settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from typing import Any

    from gatekeeper.adapters.store.unit import SqlStore
    from gatekeeper.client import Client
    from gatekeeper.model.sample import Sample

SERVER = ("GATEKEEPER_API_URL", "GATEKEEPER_API_KEY", "GATEKEEPER_API_KEY_FILE")
"""Variables any of which says that there is a control plane to ask."""


@contextmanager
def stored_rollouts() -> Iterator[Callable[[str], Recorded]]:
    """Hand out a function that finds a rollout by its id; its samples are read while the context is open.

    The control plane is asked where the environment names it or a key for it, else the database.

    Raises:
        InputError: GATEKEEPER_DATABASE_URL names a file that is not there; NotFoundError for an unknown rollout.
        WorldError: the control plane or the database is away, or the database is of another version.
    """
    if any(os.environ.get(name) for name in SERVER):
        with connect() as plane:
            yield lambda rollout_id: _from_plane(plane, rollout_id)
        return
    store = _open_store(read_settings(os.environ).database_url)
    try:
        store.check()
        yield lambda rollout_id: _from_store(store, rollout_id)
    finally:
        store.dispose()


def _from_plane(plane: Client, rollout_id: str) -> Recorded:
    """Return a rollout of the control plane."""
    shown = plane.rollout(rollout_id)

    def read(stage: int) -> Iterator[Sample]:
        return plane.stream_samples(rollout_id, stage)

    return Recorded(rollout=from_dict(Rollout, shown), stored=_stored(shown["counts"]["stages"]), read=read)


def _open_store(url: str) -> SqlStore:
    """Return the store at a URL; a SQLite file is not made where there is none."""
    from gatekeeper.adapters.store.engine import parse_url  # noqa: PLC0415 - a control plane needs no database here
    from gatekeeper.adapters.store.unit import SqlStore  # noqa: PLC0415 - as above

    parsed = parse_url(url)
    if parsed.get_backend_name() == "sqlite" and not Path(parsed.database or "").is_file():
        raise InputError(f"GATEKEEPER_DATABASE_URL is {url}: no such file; expected the database that keeps rollouts")
    return SqlStore(url)


def _from_store(store: SqlStore, rollout_id: str) -> Recorded:
    """Return a rollout of the database."""
    from gatekeeper.flow import stored  # noqa: PLC0415 - as above

    with store.unit(readonly=True) as unit:
        rollout = unit.rollouts.get(rollout_id)
        counts = unit.samples.counts(rollout_id)["stages"]

    def read(stage: int) -> Iterator[Sample]:
        pages = stored.pages(lambda: store.unit(readonly=True), rollout_id, stage)
        return (sample for page in pages for _, _, sample in page)

    return Recorded(rollout=rollout, stored=_stored(counts), read=read)


def _stored(stages: Mapping[Any, Mapping[str, Mapping[str, int]]]) -> dict[int, int]:
    """Return the number of stored samples by stage, over all arms."""
    return {int(stage): sum(arm["stored"] for arm in arms.values()) for stage, arms in stages.items()}
