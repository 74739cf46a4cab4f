"""What benchmarks/decision/look_cost.py makes a history of."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[3] / "benchmarks" / "decision"))

import look_cost


def test_ten_metrics_are_judged():
    assert len(look_cost.policy().stages[0].streams) == 10


def test_a_tally_holds_about_as_many_values_as_it_stands_for():
    tally = look_cost.Tally(np.random.default_rng(0), 1_000_000, 20, rate=0.1, median=100.0)
    windows = tally.windows(0.0)
    assert windows.shape == (look_cost.WINDOWS, 20, 4)
    assert windows[..., [0, 2]].sum() == pytest.approx(1_000_000, rel=0.01)
    assert windows[..., 1].sum() / windows[..., 0].sum() == pytest.approx(0.1, rel=0.02)
    for histogram in tally.histograms():
        assert histogram["count"].sum() == pytest.approx(500_000, rel=0.01)
        assert np.average(histogram["at"], weights=histogram["count"]) * 0.001 == pytest.approx(np.log(100), abs=0.01)


def test_a_look_keeps_what_it_adds(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(look_cost, "START", 600)
    found = look_cost.measured(6_000, looks=1, per_look=50, seed=1)
    assert found["look"] > 0
    assert found["kB"] > 1
