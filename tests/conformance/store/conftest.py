"""The same tests over every store: in memory, SQLite, PostgreSQL."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from msgspec import structs

from gatekeeper.adapters.clock import HandClock
from gatekeeper.adapters.memory import MemoryStore
from gatekeeper.adapters.store.unit import SqlStore
from gatekeeper.model.arm import Arm
from gatekeeper.model.audit import AuditEntry
from gatekeeper.model.exchange import Exchange, Timing
from gatekeeper.model.rollout import Rollout
from gatekeeper.model.sample import Sample
from gatekeeper.model.split import Endpoint, Split

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from gatekeeper.ports import Unit

Store = MemoryStore | SqlStore


class Nouns:
    """Make nouns for tests; every field can be given."""

    def split(self, **fields: object) -> Split:
        """Return a split of service `chat`."""
        base = Split(service="chat", epoch=1, version=0, baseline=Endpoint(url="http://b", model="m"))
        return replace(base, **fields)

    def rollout(self, **fields: object) -> Rollout:
        """Return a running rollout `r1` of service `chat`."""
        base = Rollout(
            id="r1",
            service="chat",
            policy_name="p",
            policy_digest="d",
            policy_text="policy: p",
            baseline_id="b",
            candidate_id="c",
            salt="s",
            created_at=1.5,
            split_wanted=self.split(),
        )
        return replace(base, **fields)

    def entry(self, rollout: Rollout, **fields: object) -> AuditEntry:
        """Return the audit entry of the rollout's version."""
        base = AuditEntry(rollout_id=rollout.id, version=rollout.version, ts=12.25, actor="judge", event="moved")
        return replace(base, **fields)

    def exchange(self, number: int, **fields: object) -> Exchange:
        """Return an exchange of rollout `r1`, stage 0, epoch 1."""
        base = Exchange(
            id=f"x{number}",
            ts=float(number),
            arm=Arm.BASELINE,
            request={"messages": [{"role": "user", "content": f"question {number}"}]},
            response={"choices": [{"message": {"content": f"answer {number}"}}]},
            timing=Timing(ttft_ms=1.5, e2e_ms=20.0),
            rollout_id="r1",
            stage=0,
            epoch=1,
        )
        return structs.replace(base, **fields)

    def sample(self, exchange: Exchange, **fields: object) -> Sample:
        """Return the exchange's sample."""
        base = Sample(request_id=exchange.id, ts=exchange.ts, arm=exchange.arm, pair_id=exchange.pair_id)
        return replace(base, **fields)

    def scored(self, unit: Unit, *pairs: tuple[Exchange, Sample]) -> None:
        """Store exchanges with their samples."""
        rows = unit.exchanges.add([exchange for exchange, _ in pairs])
        unit.samples.add(
            [(row, exchange, sample, {"n": row}) for row, (exchange, sample) in zip(rows, pairs, strict=True)]
        )


@pytest.fixture
def make() -> Nouns:
    """Give the makers of nouns."""
    return Nouns()


@pytest.fixture
def clock() -> HandClock:
    """Give a clock that the test moves."""
    return HandClock()


@pytest.fixture(params=["memory", "sqlite", pytest.param("postgresql", marks=pytest.mark.services)])
def store(request: pytest.FixtureRequest, clock: HandClock, tmp_path: Path) -> Iterator[Store]:
    """Give an empty store of each kind."""
    if request.param == "memory":
        yield MemoryStore(clock)
        return
    url = f"sqlite:///{tmp_path}/store.db" if request.param == "sqlite" else request.getfixturevalue("postgres_url")
    made = SqlStore(url, clock=clock)
    made.upgrade()
    yield made
    made.dispose()
