"""What benchmarks/behaviour/corrected.py draws and counts."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[3] / "benchmarks" / "behaviour"))

import corrected


def test_labels_are_as_many_as_asked_and_of_the_kinds_asked():
    case = next(case for case in corrected.CASES if case.agreeing and case.truth is corrected.RARE)
    sizes, labels = corrected.draw(case, np.random.default_rng(0))
    per_kind = labels.sum(axis=1)
    assert sizes.sum() == case.pairs
    assert per_kind[[1, 2]].sum() == min(case.discordant, sizes[[1, 2]].sum())
    assert per_kind[[0, 3]].sum() == case.agreeing
    assert (per_kind <= sizes).all()


def test_the_detector_errs_as_told():
    case = corrected.CASES[0]
    sizes = np.sum([corrected.draw(case, np.random.default_rng(seed))[0] for seed in range(20)], axis=0)
    flagged = (sizes[1] + sizes[3]) / sizes.sum()
    true = case.truth[1] + case.truth[3]
    assert flagged == pytest.approx(true + (1 - true) * (1 - case.clean[1]), abs=0.005)


def test_a_row_has_a_cell_for_each_head():
    row = corrected.measure(corrected.CASES[1], 20, seed=1)
    assert len(row) == len(corrected.HEAD)
    assert float(row[6].rstrip("%")) >= 80.0
