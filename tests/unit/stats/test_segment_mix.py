"""Do the arms have the same mix of segments?"""

from __future__ import annotations

import math

import numpy as np
import pytest

from gatekeeper.stats import _segment_mix

BAR = -math.log(_segment_mix.ALPHA)


@pytest.mark.parametrize("share", [0.5, 0.1])
def test_equal_mixes_are_hardly_ever_found_to_differ(share: float):
    rng = np.random.default_rng(0)
    crossed = 0
    for _ in range(300):
        counts = np.zeros((5, 2))
        most = -np.inf
        for _ in range(20):
            stratum, arm = rng.choice(5, 100, p=[0.5, 0.2, 0.2, 0.05, 0.05]), rng.random(100) < share
            np.add.at(counts, (stratum, arm.astype(int)), 1)
            most = max(most, _segment_mix.log_e(counts.tolist()))
        crossed += most >= BAR
    assert crossed <= 2


def test_the_mean_e_value_is_at_most_one():
    rng = np.random.default_rng(1)
    e = [
        math.exp(_segment_mix.log_e(rng.multinomial(60, [0.35, 0.35, 0.15, 0.15]).reshape(2, 2).tolist()))
        for _ in range(4_000)
    ]
    assert np.mean(e) <= 1.0


def test_other_mixes_are_found():
    rng = np.random.default_rng(2)
    counts = np.stack([rng.multinomial(3_000, [0.7, 0.3]), rng.multinomial(3_000, [0.6, 0.4])], axis=1)
    assert _segment_mix.log_e(counts.tolist()) >= BAR


@pytest.mark.parametrize("counts", [[], [[5, 3]], [[5, 0], [3, 0]], [[0, 0], [0, 0]]])
def test_nothing_to_compare_says_nothing(counts: list[list[int]]):
    assert _segment_mix.log_e(counts) == 0.0
