"""The store in memory and SQLite answer every sequence of calls alike, undone blocks included."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gatekeeper.adapters.clock import HandClock
from gatekeeper.adapters.memory import MemoryStore
from gatekeeper.adapters.store.unit import SqlStore
from gatekeeper.model.action import Job, OutboxItem
from gatekeeper.model.arm import Arm
from gatekeeper.model.exchange import Exchange
from gatekeeper.model.sample import Sample
from gatekeeper.model.split import Endpoint, Split

if TYPE_CHECKING:
    import pytest

    from gatekeeper.ports import Unit

SMALL = st.integers(0, 3)
CALL = st.one_of(
    st.tuples(st.just("job"), st.just(0), st.just(0)),
    st.tuples(st.sampled_from(["claim", "finish", "fail", "split", "sample", "fold", "owe", "retry"]), SMALL, SMALL),
    st.tuples(st.sampled_from(["due", "owed", "seen"]), SMALL, st.just(0)),
)
BLOCK = st.tuples(st.lists(CALL, max_size=6), st.booleans(), st.sampled_from([0.0, 3.0, 61.0]))


def call(unit: Unit, name: str, first: int, second: int) -> Any:  # noqa: ANN401 - whatever the store answers
    job = Job(id=first + 1, kind="score", payload={}, attempt=second)
    exchange = Exchange(
        id=f"x{first}{second}", ts=1.0, arm=Arm.BASELINE, rollout_id="r", stage=first, epoch=1, pair_id=f"p{second}"
    )
    split = Split(service="s", epoch=first, version=second, baseline=Endpoint(url="u", model="m"))

    def sample() -> Any:  # noqa: ANN401 - as above
        for row in unit.exchanges.add([exchange]):
            unit.samples.add([(row, exchange, Sample(request_id=exchange.id, ts=1.0, arm=exchange.arm), {})])
        return unit.samples.unfolded("r", first, 1, 10), unit.samples.counts("r")

    calls = {
        "job": lambda: unit.jobs.add("score", {}),
        "claim": lambda: unit.jobs.claim(first + 1, 60),
        "finish": lambda: unit.jobs.finish(job),
        "fail": lambda: unit.jobs.finish(job, "e"),
        "due": lambda: (unit.jobs.due(first), unit.jobs.counts()),
        "split": lambda: (unit.splits.put(split), unit.splits.all()),
        "seen": lambda: (unit.splits.report_seen(f"g{first}", {"s": (first, 1)}), unit.splits.seen("s", 10)),
        "sample": sample,
        "fold": lambda: unit.samples.mark_folded([row for row, _ in unit.samples.unfolded("r", first, 1, second)]),
        "owe": lambda: unit.outbox.add([OutboxItem(kind="k", key=str(first), body={}, next_at=second * 30.0)]),
        "owed": lambda: (unit.outbox.due(first), unit.outbox.counts()),
        "retry": lambda: [unit.outbox.retry(item.id, None, "e") for item in unit.outbox.due(second)],
    }
    return calls[name]()


class UndoError(Exception):
    """Ask for the block to be undone."""


def play(store: MemoryStore | SqlStore, calls: list[tuple[str, int, int]], *, undo: bool) -> list[Any]:
    answers = []
    with suppress(UndoError), store.unit() as unit:
        answers = [call(unit, *one) for one in calls]
        if undo:
            raise UndoError
    return answers


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(BLOCK, max_size=8))
def test_memory_and_sqlite_answer_alike(
    tmp_path_factory: pytest.TempPathFactory, blocks: list[tuple[list[tuple[str, int, int]], bool, float]]
):
    clock = HandClock()
    stores = [MemoryStore(clock), SqlStore(f"sqlite:///{tmp_path_factory.mktemp('s')}/s.db", clock=clock)]
    stores[1].upgrade()
    for calls, undo, wait_s in blocks:
        memory, sqlite = (play(store, calls, undo=undo) for store in stores)
        assert memory == sqlite
        clock.advance(wait_s)
    stores[1].dispose()
