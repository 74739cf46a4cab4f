"""Matching the arms' mixes of strata."""

from __future__ import annotations

import numpy as np
import pytest

from gatekeeper.decide import _match
from gatekeeper.decide._match import matched


def folded(rng: np.random.Generator, shares: list[tuple[float, float]], *, looks: int, n: int = 500, arm: float = 0.5):
    """Return totals after some looks; shares: each stratum's part of the baseline's and of the candidate's traffic."""
    seen, kept = [], []
    table = np.array(shares)
    for _ in range(looks):
        side = (rng.random(n) < arm).astype(np.int64)
        stratum = np.where(side == 1, *(rng.choice(len(shares), n, p=table[:, s]) for s in (1, 0)))
        _, seen, kept = matched(seen, kept, code=2 * stratum + side, strata=len(shares), weight=None, shares=None)
    return np.array(seen), np.array(kept)


@pytest.mark.parametrize("arm", [0.5, 0.1])
def test_other_mixes_are_made_alike(arm: float):
    seen, kept = folded(np.random.default_rng(0), [(0.7, 0.6), (0.3, 0.4)], looks=40, arm=arm)
    before, after = (np.diff(table / table.sum(axis=0), axis=1)[0, 0] for table in (seen, kept))
    assert before == pytest.approx(-0.1, abs=0.03)
    assert abs(after) < 0.015
    assert kept.sum() > 0.8 * seen.sum()


def test_equal_mixes_lose_little():
    seen, kept = folded(np.random.default_rng(1), [(0.05, 0.05)] * 20, looks=40)
    assert kept.sum() > 0.93 * seen.sum()


def test_one_stratum_loses_nothing_but_for_the_other_arm_to_come():
    code = np.array([0, 1] * 50)
    left_out, seen, kept = matched([], [], code=code, strata=1, weight=None, shares=None)
    assert not len(left_out)
    assert seen == kept == [[50.0, 50.0]]


def test_the_last_to_arrive_are_left_out_whatever_their_weight():
    code = np.array([0] * 30 + [1] * 10 + [2, 3] * 20)
    left_out, _, kept = matched([], [], code=code, strata=2, weight=None, shares=(0.5, 0.5))
    assert left_out.tolist() == [*range(14, 30)]
    assert kept == [[14.0, 10.0], [20.0, 20.0]]
    left_out, _, kept = matched([], [], code=code, strata=2, weight=np.full(80, 0.5), shares=(0.5, 0.5))
    assert left_out.tolist() == [*range(18, 30)]
    assert kept == [[9.0, 5.0], [10.0, 10.0]]


@pytest.mark.parametrize("tail", [1, 7, 1 << 20])
def test_the_last_to_arrive_are_found_however_far_back_they_lie(tail: int, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(_match, "TAIL", tail)
    code = np.array([*[0] * 40, *[1] * 10, *[2, 3] * 30])
    left_out, _, kept = matched([], [], code=code, strata=2, weight=None, shares=(0.5, 0.5))
    assert left_out.tolist() == [*range(14, 40)]
    assert kept == [[14.0, 10.0], [30.0, 30.0]]
