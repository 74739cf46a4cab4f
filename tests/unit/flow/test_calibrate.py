"""The baseline against itself: planted drift, clusters and hidden relations are found, and nothing where nothing is."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from gatekeeper.decide.policyfile import policy_from_mapping
from gatekeeper.errors import InputError
from gatekeeper.flow._baseline import Reading
from gatekeeper.flow._moving import Moving, moving
from gatekeeper.flow._related import by_group, by_time
from gatekeeper.flow.calibrate import calibrate
from gatekeeper.model.policy import Unit
from gatekeeper.model.wire import to_dict

if TYPE_CHECKING:
    from numpy.typing import NDArray

POLICY = policy_from_mapping(
    {
        "error_budget": {"false_rollback": 0.05},
        "metrics": {"refusal_rate": {"max_increase": 0, "detect": "3pp"}, "latency_ms.p95": {"max_increase": "30%"}},
    }
)
DAY_S = 86_400.0


def rows(
    n: int = 4_000, *, wave: float = 0.0, users: int = 0, named: bool = True, rate: float = 0.1, segment: float = 0.0
) -> list[dict[str, Any]]:
    """Return three days of the baseline; wave: daily swing; users: how many, each with answers of its own rate."""
    rng = np.random.default_rng(11)
    ts = np.sort(rng.random(n)) * 3 * DAY_S
    swing = np.sin(2 * np.pi * ts / DAY_S)
    rates = rate * (1.0 + wave * swing)
    who = np.arange(n)
    if users:
        start = np.repeat(np.sort(rng.random(users)), n // users)
        place = np.argsort(np.argsort(start + rng.random(n) * 0.01))
        who[place] = np.repeat(np.arange(users), n // users)
        rates = rng.beta(rate * 1.5, (1 - rate) * 1.5, users)[who]
    agent = rng.random(n) < 0.4
    refused = rng.random(n) < rates + segment * agent
    slow = rng.lognormal(6.0, 0.7, n) * np.exp(0.5 * wave * swing)
    return [
        {
            "ts": 1.7e9 + ts[i],
            "arm": "baseline",
            "request_id": str(i),
            "refused": bool(refused[i]),
            "latency_ms": float(slow[i]),
            "segment": "agent" if agent[i] else "chat",
            **({"cluster_id": f"u{who[i]}"} if users and named else {}),
        }
        for i in range(n)
    ]


def test_a_steady_baseline_gives_no_warning():
    found = calibrate(rows(), POLICY, replicates=20)
    assert found.false_rollback.count <= 2
    assert (found.unit, found.moving, found.related, found.warnings) == ("request", (), (), ())
    assert found.false_rollback.lower <= found.false_rollback.value < found.false_rollback.upper < 0.4
    assert to_dict(found) == to_dict(calibrate(rows(), POLICY, replicates=20))


def test_planted_drift_is_found_with_period_and_size():
    found = calibrate(rows(8_000, wave=0.6), POLICY, replicates=1)
    moves = {move.metric: move for move in found.moving}
    assert set(moves) == {"refusal_rate", "latency_ms"}
    assert moves["refusal_rate"].period_s == pytest.approx(DAY_S, rel=0.15)
    assert moves["refusal_rate"].size == pytest.approx(0.06, rel=0.35)
    assert moves["latency_ms"].period_s == pytest.approx(DAY_S, rel=0.1)
    assert moves["latency_ms"].size == pytest.approx(0.35, rel=0.25)
    assert any("with a period of about 2" in text and "runs at the same time" in text for text in found.warnings)


def test_planted_clusters_are_found_and_held():
    found = calibrate(rows(users=500), POLICY, replicates=40)
    assert found.unit == "cluster_id"
    assert found.clusters == 500
    (relation,) = (one for one in found.related if one.by == "cluster_id")
    assert relation.correlation == pytest.approx(0.4, abs=0.1)
    assert relation.size == pytest.approx(8.0)
    assert relation.design_effect == pytest.approx(1 + 7 * relation.correlation)
    assert found.false_rollback.count <= 4
    assert found.per_request is not None
    assert found.per_request.count > found.false_rollback.count + 3
    assert any("keep giving it" in text for text in found.warnings)
    assert not [one for one in found.related if one.by == "time"]


def test_where_each_request_is_drawn_by_lot_requests_are_split():
    found = calibrate(rows(users=500), replace(POLICY, unit=Unit.REQUEST), replicates=4)
    assert (found.unit, found.per_request) == ("request", None)
    assert any("The policy says `unit: request`" in text for text in found.warnings)


def test_users_nobody_names_are_flagged():
    found = calibrate(rows(8_000, users=1_000, named=False), POLICY, replicates=1)
    (relation,) = found.related
    assert relation.by == "time"
    assert any("no sample names a cluster_id" in text for text in found.warnings)


def test_segments_that_differ_are_flagged_until_the_policy_knows_them():
    data = rows(segment=0.1)
    found = calibrate(data, POLICY, replicates=1)
    assert any("add `segments: [segment]`" in text for text in found.warnings)
    knowing = policy_from_mapping(
        {"segments": ["segment"], "metrics": {"refusal_rate": {"max_increase": 0, "detect": "3pp"}}}
    )
    assert not calibrate(data, knowing, replicates=1).warnings


def test_a_trend_and_a_jump_are_moves_without_period():
    rng = np.random.default_rng(2)
    n = 4_000
    ts = np.linspace(0.0, 1e4, n)
    nobody = np.full(n, -1)

    def move(level: NDArray[np.float64]) -> Moving | None:
        y = rng.normal(level, 1.0)
        reading = Reading(name="x", rows=np.arange(n), y=y, logs=True, value=1.0)
        return moving(reading, ts, nobody)

    trend = move(np.linspace(0, 1, n))
    assert trend is not None
    assert trend.trend
    assert trend.period_s is None
    assert move(np.zeros(n)) is None
    jump = move(1.0 * (ts > 9e3))
    assert jump is not None
    assert jump.ratio > 5


def test_relations_are_not_seen_where_none_are():
    rng = np.random.default_rng(8)
    groups = np.repeat(np.arange(500), 8)
    found = [
        (by_group("x", "cluster_id", y, groups, rng), by_time("x", y, np.full(4_000, -1), rng))
        for y in ((rng.random(4_000) < 0.03) * 1.0 for _ in range(10))
    ]
    assert sum(one is not None for pair in found for one in pair) <= 1


def test_neighbours_alike_beyond_their_cluster_are_seen():
    rng = np.random.default_rng(8)
    load = np.repeat(rng.normal(0, 0.5, 125), 64)
    y = load + rng.normal(0, 1, 8_000)
    found = by_time("x", y, np.arange(8_000) // 2, rng)
    assert found is not None
    assert found.design_effect > 2


def test_too_few_rows_and_numbers_out_of_range_are_refused():
    with pytest.raises(InputError, match="found 10 samples with arm baseline; expected at least 50"):
        calibrate(rows(10), POLICY)
    with pytest.raises(InputError, match="replicates is 0; expected 1 or more"):
        calibrate(rows(100), POLICY, replicates=0)
