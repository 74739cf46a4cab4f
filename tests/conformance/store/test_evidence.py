"""Every store keeps exchanges once, samples until they are folded, and tallies and reports."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from gatekeeper.errors import NotFoundError
from gatekeeper.model.arm import Arm
from gatekeeper.model.exchange import Failure

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gatekeeper.model.exchange import Exchange
    from gatekeeper.model.sample import Sample
    from tests.conformance.store.conftest import Nouns, Store


def test_a_batch_sent_twice_is_stored_once(store: Store, make: Nouns):
    batch = [make.exchange(number) for number in range(50)]
    with store.unit() as unit:
        first = unit.exchanges.add(batch)
    with store.unit() as unit:
        again = unit.exchanges.add([*batch, make.exchange(50), make.exchange(50)])
    assert len(first) == 50
    assert first == sorted(first)
    assert len(again) == 1
    with store.unit(readonly=True) as unit:
        assert unit.exchanges.get(first) == batch
        assert unit.exchanges.get([first[9], first[0]]) == [batch[9], batch[0]]
        with pytest.raises(NotFoundError, match="row"):
            unit.exchanges.get([999_999])


def test_an_exchange_comes_back_as_it_was_stored(store: Store, make: Nouns):
    odd = make.exchange(
        1,
        arm=Arm.CANDIDATE,
        pair_id="p",
        cluster_id="user 1",
        segment={"workload": "batch", "tenant": "ä"},
        response=None,
        error=Failure(kind="timeout", message="after 2 s"),
        expect=({"type": "contains", "value": "x"},),
        request={"nul": "a\x00b", "surrogate": "\ud800", "big": 2**70, "deep": [1, 2.5, None, True]},
    )
    with store.unit() as unit:
        rows = unit.exchanges.add([odd])
    with store.unit(readonly=True) as unit:
        assert unit.exchanges.get(rows) == [odd]


def test_samples_are_folded_once_and_in_order(store: Store, make: Nouns):
    exchanges = [make.exchange(number) for number in range(6)]
    with store.unit() as unit:
        make.scored(unit, *((exchange, make.sample(exchange, refused=True)) for exchange in exchanges))
        make.scored(unit, (make.exchange(7, epoch=2), make.sample(make.exchange(7))))
    with store.unit() as unit:
        window = unit.samples.unfolded("r1", 0, 1, 4)
        assert [sample.request_id for _, sample in window] == ["x0", "x1", "x2", "x3"]
        assert window[0][1] == make.sample(exchanges[0], refused=True)
        unit.samples.mark_folded([row for row, _ in window[:2]])
        unit.samples.mark_folded([window[2][0]], dropped=True)
        unit.samples.mark_folded([window[2][0]])
    with store.unit() as unit:
        assert [sample.request_id for _, sample in unit.samples.unfolded("r1", 0, 1, 10)] == ["x3", "x4", "x5"]
        assert unit.samples.counts("r1") == {
            "stages": {0: {"baseline": {"stored": 7, "folded": 2, "dropped": 1}}},
            "unscored": 0,
        }


def test_samples_are_read_again_in_pages_whatever_became_of_them(store: Store, make: Nouns):
    def of(rollout: str, stage: int, *numbers: int) -> Iterator[tuple[Exchange, Sample]]:
        for number in numbers:
            exchange = make.exchange(number, rollout_id=rollout, stage=stage)
            yield exchange, make.sample(exchange, extra={"n": number})

    with store.unit() as unit:
        make.scored(unit, *of("r1", 0, 1, 2), *of("r2", 0, 3), *of("r1", 1, 4, 5), *of("r1", -1, 6), *of("r1", 0, 7))
        unit.samples.mark_folded([row for row, _ in unit.samples.unfolded("r1", 0, 1, 2)])
    with store.unit(readonly=True) as unit:
        samples = unit.samples
        first, last = samples.extent("r1", 0) or (0, 0)
        whole = samples.page("r1", 0, first, last, 10)
        assert [(stage, sample.request_id) for _, stage, sample in whole] == [(0, "x1"), (0, "x2"), (0, "x7")]
        assert [row for row, _, _ in whole] == sorted({row for row, _, _ in whole})
        assert (whole[0][0], whole[-1][0]) == (first, last)
        assert whole[0][2] == make.sample(make.exchange(1), extra={"n": 1})
        assert samples.page("r1", 0, first, last, 2) == whole[:2]
        assert samples.page("r1", 0, whole[1][0] + 1, last, 2) == whole[2:]
        assert samples.page("r1", 0, first, last - 1, 10) == whole[:2]
        every = samples.page("r1", None, *(samples.extent("r1") or (0, 0)), 10)
        assert [stage for _, stage, _ in every] == [0, 0, 1, 1, 0]
        assert samples.extent("r1", 2) is None
        assert samples.extent("unknown") is None


def test_scoring_twice_stores_once_and_the_unscored_are_counted(store: Store, make: Nouns):
    exchange = make.exchange(1)
    with store.unit() as unit:
        row, _ = unit.exchanges.add([exchange, make.exchange(2)])
        unit.samples.add([(row, exchange, make.sample(exchange, refused=True), {})])
        unit.samples.add([(row, exchange, make.sample(exchange, refused=False), {})])
    with store.unit(readonly=True) as unit:
        assert [sample.refused for _, sample in unit.samples.unfolded("r1", 0, 1, 10)] == [True]
        assert unit.samples.counts("r1")["unscored"] == 1
        assert unit.samples.counts("unknown") == {"stages": {}, "unscored": 0}


def test_pairs_that_differ_come_first(store: Store, make: Nouns):
    def pair(n: int, baseline: dict[str, object], candidate: dict[str, object]) -> Iterator[tuple[Exchange, Sample]]:
        halves = zip((Arm.BASELINE, Arm.CANDIDATE), (baseline, candidate), strict=True)
        for offset, (arm, fields) in enumerate(halves):
            exchange = make.exchange(10 * n + offset, arm=arm, pair_id=f"p{n}")
            yield exchange, make.sample(exchange, **fields)

    fine = {"refused": False, "json_valid": True}
    with store.unit() as unit:
        make.scored(unit, *pair(1, fine, {"refused": True, "json_valid": True}))
        make.scored(unit, *pair(2, fine, fine), *pair(3, fine, {"error": "timeout"}))
        make.scored(unit, *pair(4, fine, fine), *list(pair(5, fine, fine))[:1])
    with store.unit(readonly=True) as unit:
        pairs = unit.exchanges.pairs("r1", 10)
        assert [pair["pair_id"] for pair in pairs] == ["p3", "p1", "p4", "p2"]
        assert [one["pair_id"] for one in unit.exchanges.pairs("r1", 2)] == ["p3", "p1"]
        assert unit.exchanges.pairs("r2", 2) == []
    assert pairs[1]["differs"] == ["refused"]
    assert pairs[0]["differs"] == ["error", "refused", "json_valid"]
    assert pairs[1]["baseline"]["request"]["messages"][0]["content"] == "question 10"
    assert pairs[1]["candidate"]["response"]["choices"][0]["message"]["content"] == "answer 11"
    assert pairs[1]["candidate"]["sample"]["refused"] is True
    assert pairs[1]["candidate"]["labels"] == {"n": 2}


def test_a_tally_is_replaced_and_reports_come_newest_first(store: Store):
    with store.unit() as unit:
        assert unit.tallies.get("r1", 0, 1) is None
        unit.tallies.put("r1", 0, 1, {"n": 1})
        unit.tallies.put("r1", 0, 1, {"n": 2})
        for stage, look in ((0, 1), (0, 2), (1, 1)):
            unit.tallies.put_report("r1", stage, 1, look, float(look), {"verdict": "hold"})
        unit.tallies.put_report("r1", 0, 1, 2, 2.0, {"verdict": "promote"})
    with store.unit(readonly=True) as unit:
        assert unit.tallies.get("r1", 0, 1) == {"n": 2}
        assert unit.tallies.get("r1", 0, 2) is None
        assert [(one["stage"], one["look"]) for one in unit.tallies.reports("r1")] == [(1, 1), (0, 2), (0, 1)]
        newest = {"stage": 0, "epoch": 1, "look": 2, "ts": 2.0, "report": {"verdict": "promote"}}
        assert unit.tallies.reports("r1", 0, 1) == [newest]
