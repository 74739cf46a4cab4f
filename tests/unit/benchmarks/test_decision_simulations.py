"""The simulations of benchmarks/decision ask the judge what real data would ask it."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[3] / "benchmarks" / "decision"))

import draws
import figures
import gate
import goal_quantile_pairs
import goals
import limits
import ours
import rollouts
from batches import Counts, Numbers

from gatekeeper.model.finding import VerdictKind
from gatekeeper.stats._rows import Rows


def rows(a: np.ndarray, b: np.ndarray) -> Rows:
    return Rows(a=a[:, None], b=b[:, None], a_at=2 * np.arange(len(a)), b_at=2 * np.arange(len(b)) + 1)


def test_simulated_counts_are_cut_as_rows_are():
    rng = np.random.default_rng(0)
    drawn = draws.counts(rng, 3, 12, 100, (draws.constant(0.0), draws.constant(1.0)))
    for look, counts in enumerate(drawn):
        expected = rows(np.zeros(100), np.ones(100)).windows(200.0 * look)[:, 0, :]
        assert counts == pytest.approx(np.broadcast_to(expected, counts.shape))


def test_an_uneven_split_gives_the_candidate_its_share():
    rng = np.random.default_rng(1)
    drawn = draws.counts(rng, 50, 20, 100, (draws.constant(0.5), draws.constant(0.5)), 0.1)
    total = sum(look.sum(axis=(0, 1)) for look in drawn)
    assert total[0] + total[2] == 50 * 20 * 200
    assert total[2] / (total[0] + total[2]) == pytest.approx(0.1, abs=0.005)


def test_pairs_have_the_rates_and_the_correlation_asked_for():
    _, alone_b, alone_a, both = draws.correlated(0.2, 0.25, 0.6)
    p_a, p_b = alone_a + both, alone_b + both
    phi = (both - p_a * p_b) / np.sqrt(p_a * (1 - p_a) * p_b * (1 - p_b))
    assert (p_a, p_b, phi) == pytest.approx((0.2, 0.25, 0.6))


def test_simulated_numbers_have_the_forms_of_rows():
    rng = np.random.default_rng(2)
    a, b = rng.lognormal(5, 1, 80), rng.lognormal(5, 1, 90)
    mine, theirs = Numbers(a, b), rows(a, b)
    for one, other in zip(mine.sums(), theirs.sums(), strict=True):
        assert one == pytest.approx(other)
    for one, other in zip(mine.histograms(), theirs.histograms(), strict=True):
        assert one["at"].tolist() == other["at"].tolist()
        assert one["count"] == pytest.approx(other["count"])


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_simulated_stream_decides_when_analyze_does(seed: int):
    rng = np.random.default_rng(seed)
    candidate = rollouts.taking_turns(1500)
    refused = rng.random(3000) < np.where(candidate, 0.1, 0.02)
    policy = {"metrics": {"refusal_rate": {"max_increase": "1pp"}}, "error_budget": {"false_rollback": 0.05}}
    kind, seen = rollouts.verdict(rollouts.table(candidate, refused=refused), policy, 200)
    a, b = (refused[candidate == side].astype(float) for side in (False, True))
    looks = [[Counts(rows(a[at : at + 100], b[at : at + 100]).windows(2.0 * at))] for at in range(0, 1500, 100)]
    asked = ours.stream("refusal_rate", 0.01, 0.01)
    assert kind is VerdictKind.ROLLBACK
    assert ours.judge(asked, looks, 1).rollback[0] * 100 == seen
    verdict, at = gate.judge(gate.streams(policy), [[look] for look in looks], 1)
    assert (verdict[0], at[0] * 100) == (gate.ROLLBACK, seen)


def test_every_goal_is_measured_and_no_case_twice():
    cases = goals.cases()
    assert {case.goal for case in cases} == set(range(1, 9))
    assert len({(case.goal, case.name) for case in cases}) == len(cases)


def test_a_figure_says_whether_its_bound_is_met():
    hits = np.zeros(1000, np.bool_)
    hits[:55] = True
    assert figures.share("case", "false rollback", hits, 0.06).verdict == "met"
    assert figures.share("case", "false rollback", hits, 0.05).verdict == "within error"
    assert figures.share("case", "false rollback", hits, 0.02).verdict == "missed"
    assert figures.share("case", "power", hits, 0.02, at_most=False).verdict == "met"


def test_pairs_of_unrelated_latencies_need_hardly_more_than_two_arms_and_related_ones_fewer():
    alone = limits.lognormal_quantile(0.8, 1.25, 0.95, 0.05)
    assert alone < limits.lognormal_quantile_pairs(0.8, 1.25, 0.95, 0.0, 0.05) < 1.01 * alone
    assert limits.lognormal_quantile_pairs(0.8, 1.25, 0.95, 0.8, 0.05) < 0.9 * alone


def test_simulated_pairs_of_latencies_go_together_about_the_p95_asked_for():
    draw = goal_quantile_pairs._latencies(1.2, 0.8, 0.4)  # noqa: SLF001 - the case's own draw
    looks = draws.number_pairs(np.random.default_rng(4), 2, 1, 100_000, draw)
    for batch in next(looks):
        a, b, _, _ = batch.values()
        assert np.corrcoef(np.log(a), np.log(b))[0, 1] == pytest.approx(0.8, abs=0.01)
        assert np.quantile(b, 0.95) / np.quantile(a, 0.95) == pytest.approx(1.2, rel=0.02)


def test_the_goals_of_quantiles_on_pairs_are_measured():
    for case in goal_quantile_pairs.cases():
        found = case.run(case.name, 3, np.random.default_rng(5))
        assert all(figure.replicates == 3 for figure in found)
        measures = [figure.measure for figure in found]
        if "beyond" in case.name:
            assert measures[-1] == "median pairs / unpaired limit"
        else:
            assert measures == ["false rollback", *(["false promotion"] if "on a margin" in case.name else [])]
