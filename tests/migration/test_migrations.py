"""All migrations applied equal the models, on both databases, there and back."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import create_engine, text

from gatekeeper.adapters.store.unit import SqlStore
from gatekeeper.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.services)])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Name an empty database of each kind."""
    return f"sqlite:///{tmp_path}/m.db" if request.param == "sqlite" else request.getfixturevalue("postgres_url")


@pytest.fixture
def store(url: str) -> Iterator[SqlStore]:
    """Give an empty database of each kind."""
    made = SqlStore(url)
    yield made
    made.dispose()


def test_all_migrations_applied_equal_the_models(store: SqlStore):
    store.upgrade()
    assert store.differences() == []
    store.check()


def test_upgrade_downgrade_upgrade(store: SqlStore):
    store.upgrade()
    store.downgrade("base")
    assert store.revision() is None
    store.upgrade()
    store.upgrade()
    assert store.differences() == []


def test_an_older_database_is_named_with_what_mends_it(store: SqlStore):
    with pytest.raises(StoreError, match="run `gatekeeper db upgrade`"):
        store.check()
    with pytest.raises(StoreError, match="run `gatekeeper db upgrade`"), store.unit() as unit:
        unit.rollouts.list()


def test_rollouts_of_before_are_known_to_be_finished_or_not(store: SqlStore, url: str):
    store.upgrade("pre_0002")
    old, new = {"epoch": 1, "version": 3}, {"epoch": 2, "version": 4}
    rows = {"ended": ("promoted", new, new), "leaving": ("rolled_back", old, new), "begun": ("running", None, old)}
    engine = create_engine(url.replace("postgresql:", "postgresql+psycopg:"))
    with engine.begin() as connection:
        for rollout_id, (state, seen, wanted) in rows.items():
            body = json.dumps({"split_seen": seen, "split_wanted": wanted})
            values = {"id": rollout_id, "state": state, "body": body}
            connection.execute(
                text(
                    "INSERT INTO rollouts (id, service, state, version, epoch, rollback_requested, created_at, body) "
                    "VALUES (:id, :id, :state, 1, 1, false, 1.0, :body)"
                ),
                values,
            )
    store.upgrade()
    with engine.connect() as connection:
        found = connection.execute(text("SELECT id FROM rollouts WHERE unfinished ORDER BY id")).scalars().all()
    engine.dispose()
    assert found == ["begun", "leaving"]


def test_replicas_may_upgrade_at_once(store: SqlStore):
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(lambda _: store.upgrade(), range(4)))
    assert store.differences() == []
