"""All migrations applied equal the models, on both databases, there and back."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from gatekeeper.adapters.store.unit import SqlStore
from gatekeeper.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.services)])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[SqlStore]:
    """Give an empty database of each kind."""
    url = f"sqlite:///{tmp_path}/m.db" if request.param == "sqlite" else request.getfixturevalue("postgres_url")
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


def test_replicas_may_upgrade_at_once(store: SqlStore):
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(lambda _: store.upgrade(), range(4)))
    assert store.differences() == []
