"""A rollout's stored samples, read some at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from gatekeeper.adapters.clock import HandClock
from gatekeeper.adapters.memory import MemoryStore
from gatekeeper.errors import NotFoundError
from gatekeeper.flow.stored import ROWS_AT_ONCE, pages
from gatekeeper.model.arm import Arm
from gatekeeper.model.audit import AuditEntry
from gatekeeper.model.exchange import Exchange
from gatekeeper.model.rollout import Rollout
from gatekeeper.model.sample import Sample
from gatekeeper.model.split import Endpoint, Split

if TYPE_CHECKING:
    from gatekeeper.ports import Unit


class Counted:
    """Hand out units of a store that has a rollout `r1`, and count them."""

    def __init__(self, samples: int) -> None:
        """Store so many samples of stage 0."""
        self.store, self.opened = MemoryStore(HandClock()), 0
        split = Split(service="s", epoch=1, version=0, baseline=Endpoint(url="http://b", model="m"))
        rollout = Rollout(
            id="r1",
            service="s",
            policy_name="p",
            policy_digest="d",
            policy_text="",
            baseline_id="b",
            candidate_id="c",
            salt="s",
            split_wanted=split,
            created_at=1.0,
        )
        exchanges = [
            Exchange(id=f"x{i}", ts=float(i), arm=Arm.BASELINE, rollout_id="r1", stage=0, epoch=1)
            for i in range(samples)
        ]
        with self.store.unit() as unit:
            unit.rollouts.add(rollout, AuditEntry(rollout_id="r1", version=0, ts=1.0, actor="test", event="begun"))
            self.add(unit, exchanges)

    def add(self, unit: Unit, exchanges: list[Exchange]) -> None:
        """Store exchanges with their samples."""
        rows = unit.exchanges.add(exchanges)
        scored = ((one, Sample(request_id=one.id, ts=one.ts, arm=one.arm)) for one in exchanges)
        unit.samples.add([(row, one, sample, {}) for row, (one, sample) in zip(rows, scored, strict=True)])

    def read(self) -> Unit:
        """Return a unit, counted."""
        self.opened += 1
        return self.store.unit(readonly=True)


def test_pages_are_read_as_they_are_asked_for_and_hold_no_transaction():
    world = Counted(2 * ROWS_AT_ONCE + 5)
    found = pages(world.read, "r1", 0)
    assert world.opened == 1
    first = next(found)
    assert (len(first), world.opened) == (ROWS_AT_ONCE, 2)
    late = Exchange(id="late", ts=9.0, arm=Arm.CANDIDATE, rollout_id="r1", stage=0, epoch=1)
    with world.store.unit() as unit:
        world.add(unit, [late])
    rest = list(found)
    assert [len(page) for page in rest] == [ROWS_AT_ONCE, 5]
    ids = [sample.request_id for page in [first, *rest] for _, _, sample in page]
    assert ids == [f"x{i}" for i in range(2 * ROWS_AT_ONCE + 5)]


@pytest.mark.parametrize("samples", [0, 1, ROWS_AT_ONCE])
def test_no_page_is_empty(samples: int):
    assert [len(page) for page in pages(Counted(samples).read, "r1")] == ([samples] if samples else [])


def test_reading_goes_on_behind_a_row():
    world = Counted(10)
    ((row, _, _), *_) = next(pages(world.read, "r1", 0))
    assert [sample.request_id for page in pages(world.read, "r1", 0, row + 6) for _, _, sample in page] == [
        "x7",
        "x8",
        "x9",
    ]
    assert list(pages(world.read, "r1", 0, row + 9)) == []
    assert list(pages(world.read, "r1", 1)) == []


def test_an_unknown_rollout_is_told_before_the_first_page():
    with pytest.raises(NotFoundError, match="r2"):
        pages(Counted(0).read, "r2")
