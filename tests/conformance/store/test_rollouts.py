"""Every store keeps rollouts by compare-and-swap, with their audit chain and what they owe."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from gatekeeper.decide.chain import verify
from gatekeeper.errors import ConflictError, NotFoundError, StoreError
from gatekeeper.model.action import OutboxItem
from gatekeeper.model.rollout import RolloutState

if TYPE_CHECKING:
    from gatekeeper.model.rollout import Rollout
    from tests.conformance.store.conftest import Nouns, Store


def begin(store: Store, make: Nouns, **fields: object) -> Rollout:
    rollout = make.rollout(**fields)
    with store.unit() as unit:
        unit.rollouts.add(rollout, make.entry(rollout))
    return rollout


def test_a_rollout_comes_back_as_it_was_stored(store: Store, make: Nouns):
    rollout = begin(store, make, split_seen=make.split(version=3), stage_started_at=7.125)
    with store.unit(readonly=True) as unit:
        assert unit.rollouts.get("r1") == rollout
        assert unit.rollouts.get("r1", lock=False).settled is False


def test_one_rollout_runs_per_service(store: Store, make: Nouns):
    first = begin(store, make)
    with pytest.raises(ConflictError, match="'chat' has one running"):
        begin(store, make, id="r2")
    ended = replace(first, state=RolloutState.ABORTED, version=1, epoch=2, rollback_requested=True)
    with store.unit() as unit:
        unit.rollouts.save(ended, make.entry(ended))
    begin(store, make, id="r2", created_at=2.0)
    begin(store, make, id="r3", service="other", created_at=3.0)
    with store.unit(readonly=True) as unit:
        assert [one.id for one in unit.rollouts.list()] == ["r3", "r2", "r1"]
        assert [one.id for one in unit.rollouts.list(running=True)] == ["r3", "r2"]


def test_a_rollout_is_finished_once_it_has_ended_and_the_world_shows_it(store: Store, make: Nouns):
    first = begin(store, make)
    begin(store, make, id="r2", service="other", created_at=3.0)
    split = make.split(version=1, epoch=2)
    ended = replace(first, state=RolloutState.ABORTED, version=1, epoch=2, rollback_requested=True, split_wanted=split)
    with store.unit() as unit:
        assert [one.id for one in unit.rollouts.unfinished()] == ["r1", "r2"]
        unit.rollouts.save(ended, make.entry(ended))
        assert [one.id for one in unit.rollouts.unfinished()] == ["r1", "r2"]
        unit.rollouts.save(replace(ended, split_seen=split))
    with store.unit(readonly=True) as unit:
        assert [one.id for one in unit.rollouts.unfinished()] == ["r2"]
        assert unit.rollouts.list()[1].finished


def test_an_unknown_rollout_is_not_found(store: Store):
    with store.unit() as unit, pytest.raises(NotFoundError, match="no rollout 'nope'"):
        unit.rollouts.get("nope")


def test_a_transition_writes_row_audit_and_outbox_together(store: Store, make: Nouns):
    rollout = begin(store, make)
    moved = replace(rollout, version=1, stage=1, reason="proven")
    owed = OutboxItem(kind="webhook", key="k1", body={"event": "x"})
    with store.unit() as unit:
        unit.rollouts.save(moved, make.entry(moved, body={"n": 1.0, "nan": float("nan")}), [owed, owed])
    with store.unit() as unit:
        assert unit.rollouts.get("r1") == moved
        entries = unit.audit.entries("r1")
        assert [entry.version for entry in entries] == [0, 1]
        assert entries[1].body == {"n": 1.0, "nan": None}
        assert verify(entries, last_version=1) == []
        assert [item.key for item in unit.outbox.due(10)] == ["k1"]


def test_a_stale_transition_is_refused_and_leaves_nothing(store: Store, make: Nouns):
    rollout = begin(store, make)
    moved = replace(rollout, version=1, stage=1)
    with store.unit() as unit:
        unit.rollouts.save(moved, make.entry(moved))
    owed = OutboxItem(kind="webhook", key="late", body={})
    with pytest.raises(ConflictError, match="version 1"), store.unit() as unit:
        unit.rollouts.save(moved, make.entry(moved), [owed])
    with store.unit() as unit:
        assert len(unit.audit.entries("r1")) == 2
        assert unit.outbox.due(10) == []


def test_bookkeeping_keeps_version_and_is_refused_when_stale(store: Store, make: Nouns):
    rollout = begin(store, make)
    seen = replace(rollout, split_seen=rollout.split_wanted, stage_started_at=5.0)
    with store.unit() as unit:
        unit.rollouts.save(seen)
        assert unit.rollouts.get("r1").settled
    moved = replace(seen, version=1)
    with store.unit() as unit:
        unit.rollouts.save(moved, make.entry(moved))
    with pytest.raises(ConflictError), store.unit() as unit:
        unit.rollouts.save(seen)


def test_a_rollback_wins_and_is_never_taken_back(store: Store, make: Nouns):
    rollout = begin(store, make)
    back = replace(rollout, version=1, epoch=2, rollback_requested=True, state=RolloutState.ROLLED_BACK)
    with store.unit() as unit:
        unit.rollouts.save(back, make.entry(back))
    promoted = replace(rollout, version=2, state=RolloutState.PROMOTED)
    for late in (promoted, replace(promoted, epoch=2), replace(promoted, epoch=2, rollback_requested=True)):
        with pytest.raises(ConflictError), store.unit() as unit:
            unit.rollouts.save(late, make.entry(late))
    unset = replace(back, rollback_requested=False)
    with pytest.raises(ConflictError, match="nothing takes back"), store.unit() as unit:
        unit.rollouts.save(unset)
    with store.unit() as unit:
        assert unit.rollouts.get("r1") == back


def test_an_exception_undoes_the_whole_block(store: Store, make: Nouns):
    rollout = begin(store, make)
    moved = replace(rollout, version=1)

    def write_and_fail() -> None:
        with store.unit() as unit:
            unit.rollouts.save(moved, make.entry(moved), [OutboxItem(kind="webhook", key="k", body={})])
            unit.jobs.add("score", {})
            unit.splits.put(make.split())
            raise RuntimeError("boom")

    with pytest.raises(RuntimeError, match="boom"):
        write_and_fail()
    with store.unit() as unit:
        assert unit.rollouts.get("r1") == rollout
        assert len(unit.audit.entries("r1")) == 1
        assert (unit.outbox.due(1), unit.jobs.due(1), unit.splits.all()) == ([], [], [])


def test_a_reading_unit_refuses_to_write(store: Store, make: Nouns):
    with pytest.raises(StoreError), store.unit(readonly=True) as unit:
        unit.splits.put(make.split())
    with store.unit() as unit:
        assert unit.splits.all() == []
        assert unit.splits.put(make.split())
