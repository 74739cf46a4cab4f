"""A rollout's samples are read page by page in the order of an index, never sorted."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import Engine, event

from gatekeeper.adapters.store.unit import SqlStore

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("stage", [None, 2])
def test_a_page_of_samples_walks_one_index(tmp_path: Path, stage: int | None):
    store = SqlStore(f"sqlite:///{tmp_path}/s.db")
    store.upgrade()
    asked: list[tuple[str, tuple[object, ...]]] = []

    def note(*execution: object) -> None:
        asked.append(execution[2:4])

    event.listen(Engine, "before_cursor_execute", note)
    try:
        with store.unit(readonly=True) as unit:
            assert unit.samples.page("r1", stage, 1, 1_000_000, 1000) == []
    finally:
        event.remove(Engine, "before_cursor_execute", note)
        store.dispose()
    statement, parameters = next(one for one in asked if "FROM samples" in one[0])
    with sqlite3.connect(tmp_path / "s.db") as connection:
        plan = [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {statement}", parameters)]
    assert plan == ["SEARCH samples USING INDEX ix_samples_rows (rollout_id=? AND row>? AND row<?)"]
