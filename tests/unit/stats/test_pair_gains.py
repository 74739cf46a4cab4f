"""A bet on a pair is fair: its mean is 1 whatever ties the two answers together."""

from __future__ import annotations

import numpy as np
import pytest

from gatekeeper.stats import _pair_gains


@pytest.mark.parametrize("t", [0.01, 0.05, 0.1, 0.5, 0.9])
@pytest.mark.parametrize("pull", [None, 0.1, 0.5, 2.0])
def test_a_pair_of_equal_arms_gains_nothing_on_average(t: float, pull: float | None):
    gains = _pair_gains.around(t, pull)
    neither = np.exp(gains.neither)
    low, high = np.exp(gains.low) * neither, np.exp(gains.high) * neither
    both = np.exp(gains.both) * low * high / neither
    for together in np.linspace(max(0.0, 2 * t - 1), t, 5):
        mean = together * both + (t - together) * (low + high) + (1 - 2 * t + together) * neither
        assert mean == pytest.approx(1.0, abs=1e-9)


@pytest.mark.parametrize("t", [0.05, 0.5])
def test_the_high_arm_beyond_alone_wins_and_the_low_arm_alone_loses(t: float):
    gains = _pair_gains.around(t, 0.5)
    assert np.all(gains.high + gains.neither > 0)
    assert np.all(gains.low + gains.neither < 0)
    assert np.all(gains.both >= -1e-12)
