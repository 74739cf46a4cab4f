"""Agreement of two raters, held against published figures and another library."""

from __future__ import annotations

import numpy as np
import pytest

from gatekeeper.stats._agreement import kappa, paired_difference, share


def test_kappa_and_its_interval_are_those_of_statsmodels():
    found = kappa(np.array([[30, 5, 2], [4, 40, 6], [1, 7, 25]]))
    assert found.value == pytest.approx(0.681393372982158)
    assert (found.lower, found.upper) == (pytest.approx(0.5697352164363564), pytest.approx(0.7930515295279597))
    assert found.n == 120


def test_kappa_of_perfect_chance_and_opposite_raters():
    assert kappa(np.array([[10, 0], [0, 10]])).value == 1.0
    assert kappa(np.array([[25, 25], [25, 25]])).value == pytest.approx(0.0)
    assert kappa(np.array([[0, 10], [10, 0]])).value == -1.0


def test_what_cannot_be_said_is_none():
    assert kappa(np.zeros((2, 2), np.int64)).value is None
    assert kappa(np.array([[7, 0], [0, 0]])).value is None
    assert share(0, 0).value is None
    assert paired_difference(0, 0, 0).value is None


def test_shares_and_their_differences():
    half = share(50, 100)
    assert half.value == 0.5
    assert half.lower == pytest.approx(0.4027, abs=2e-3)
    more = paired_difference(30, 10, 100)
    assert more.value == pytest.approx(0.2)
    assert more.lower is not None
    assert 0.06 < more.lower < 0.1
