"""Rates put right by labels: the estimate is exact arithmetic, and the interval holds what it says."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import beta, binom

from gatekeeper.stats._corrected import Stratum, corrected, mid_p


def test_the_estimate_weighs_each_stratum_by_its_size():
    strata = [Stratum(size=900, zero=45, plus=5), Stratum(size=100, zero=10, plus=30)]
    found = corrected(strata)
    assert found is not None
    assert found.value == pytest.approx(0.9 * 0.1 + 0.1 * 0.75)
    assert found.lower < found.value < found.upper
    assert (found.labelled, found.taken) == (90, 0.0)


def test_a_stratum_without_labels_stands_as_the_detector_says_and_is_told():
    found = corrected([Stratum(size=750, taken=1.0), Stratum(size=250, zero=10, plus=10)])
    assert found is not None
    assert found.value == pytest.approx(0.75 + 0.25 * 0.5)
    assert found.taken == 0.75


def test_without_labels_or_units_nothing_is_said():
    assert corrected([Stratum(size=10, taken=1.0)]) is None
    assert corrected([]) is None


def test_labels_of_everything_leave_what_the_traffic_itself_varies():
    found = corrected([Stratum(size=5000, zero=4500, plus=500)])
    assert found is not None
    half = 1.96 * math.sqrt(0.1 * 0.9 / 5000)
    assert (found.lower, found.upper) == (pytest.approx(0.1 - half, abs=3e-4), pytest.approx(0.1 + half, abs=3e-4))


def test_a_difference_has_both_signs_and_mirrors():
    one = corrected([Stratum(size=100, minus=12, zero=20, plus=3)], signed=True)
    other = corrected([Stratum(size=100, minus=3, zero=20, plus=12)], signed=True)
    assert one is not None
    assert other is not None
    assert one.value == pytest.approx(-other.value)
    assert (one.lower, one.upper) == (pytest.approx(-other.upper), pytest.approx(-other.lower))
    assert one.upper < 0


@pytest.mark.parametrize(("hits", "n"), [(0, 30), (1, 30), (2, 7), (15, 30), (30, 30), (1, 1), (0, 1)])
def test_mid_p_bounds_leave_half_of_what_was_seen_beyond(hits: int, n: int):
    lower, upper = mid_p(hits, n, 0.95)
    if hits:
        assert binom.sf(hits, n, lower) + binom.pmf(hits, n, lower) / 2 == pytest.approx(0.025, abs=1e-6)
    else:
        assert lower == 0.0
    if hits < n:
        assert binom.cdf(hits - 1, n, upper) + binom.pmf(hits, n, upper) / 2 == pytest.approx(0.025, abs=1e-6)
    else:
        assert upper == 1.0
    exact = (
        beta.ppf(0.025, hits, n - hits + 1) if hits else 0.0,
        beta.ppf(0.975, hits + 1, n - hits) if hits < n else 1.0,
    )
    assert exact[0] <= lower <= upper <= exact[1]


def test_it_covers_the_truth_when_the_detector_errs_more_in_one_arm():
    rng = np.random.default_rng(7)
    size, truth, hits, replicates = 1500, 0.08, 0, 150
    for _ in range(replicates):
        true = rng.random(size) < truth
        flag = np.where(true, rng.random(size) < 0.7, rng.random(size) < 0.06)
        strata = []
        for said in (False, True):
            rows = rng.permutation(np.flatnonzero(flag == said))
            labelled = true[rows[:80]]
            strata.append(Stratum(size=len(rows), zero=int((~labelled).sum()), plus=int(labelled.sum())))
        found = corrected(strata)
        assert found is not None
        hits += found.lower <= truth <= found.upper
    assert binom.sf(hits, replicates, 0.95) < 0.999  # not fewer than chance explains
