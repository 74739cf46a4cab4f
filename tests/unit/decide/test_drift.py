"""The streaming warning that the baseline moves."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from gatekeeper.decide import drift

Draw = Callable[[int], NDArray[np.float64]]


def watched(draw: Draw, looks: int = 100) -> dict[str, Any]:
    state = drift.begin()
    for look in range(looks):
        values = draw(look)
        state = drift.absorb(state, len(values), float(values.sum()), float((values**2).sum()))
    return state


def steady(kind: str, rng: np.random.Generator) -> Draw:
    return {
        "rare": lambda _: (rng.random(50) < 0.01) * 1.0,
        "even": lambda _: (rng.random(50) < 0.4) * 1.0,
        "skewed": lambda _: rng.lognormal(0, 1, 50),
        "constant": lambda _: np.ones(50),
        "few": lambda _: (rng.random(1) < 0.3) * 1.0,
    }[kind]


@pytest.mark.parametrize("kind", ["rare", "even", "skewed", "constant", "few"])
def test_a_steady_baseline_is_not_warned_of(kind: str):
    rng = np.random.default_rng(3)
    assert [drift.warning(watched(steady(kind, rng))) for _ in range(25)] == [None] * 25


def test_a_moving_rate_is_told_in_words():
    rng = np.random.default_rng(4)
    told = drift.warning(watched(lambda look: (rng.random(100) < 0.05 + 0.03 * np.sin(look / 10)) * 1.0))
    assert told is not None
    assert told.startswith("the baseline itself moves: between 0.0")


def test_moving_numbers_are_found_and_stay_told():
    rng = np.random.default_rng(5)
    state = watched(lambda look: rng.lognormal(0.3 * (look > 50), 0.5, 40))
    assert drift.warning(state)
    for _ in range(100):
        state = drift.absorb(state, 40, 40.0, 50.0)
    assert drift.warning(state)


def test_the_state_is_bounded_json_and_never_changed_in_place():
    rng = np.random.default_rng(6)
    state = watched(lambda _: rng.random(5), looks=1000)
    assert len(state["bins"]) <= drift.MOST_BINS
    assert sum(one[0] for one in state["bins"]) == 5_000
    assert state["checks"] < 30
    before = json.dumps(state)
    drift.absorb(json.loads(before), 5, 1.0, 1.0)
    drift.absorb(state, 5, 1.0, 1.0)
    assert json.dumps(state) == before


def test_bins_that_differ_without_any_spread_within_are_a_move():
    p, ratio, count = drift.between([[50, 50.0 * level, 50.0 * level**2] for level in (1.0, 1.0, 2.0, 2.0)])
    assert (p, ratio, count) == (0.0, float("inf"), 4)
    assert drift.between([[50, 50.0, 50.0]] * 2) == (1.0, 1.0, 0)


@pytest.mark.parametrize(("value", "freedom", "p"), [(10.83, 1, 0.001), (18.47, 4, 0.001), (61.1, 30, 0.0007)])
def test_the_tail_of_chi_square(value: float, freedom: int, p: float):
    assert drift.chi_square_tail(value, freedom) == pytest.approx(p, rel=0.2)
