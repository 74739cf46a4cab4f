"""Windows of many streams, weighed together, against each alone and against the bet written out."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

import numpy as np
import pytest

from gatekeeper.stats import Question, _ledger, two_proportion_ripr
from gatekeeper.stats._tilt import BUFFERS, Line, log_ratio

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gatekeeper.stats import Batch

ASKED = [
    Question(margin=0.0, detect=0.01, proof_margin=0.01),
    Question(margin=0.01, detect=0.02, proof_margin=0.01, increase=False),
    Question(margin=0.05, relative=True, detect=0.1, proof_margin=0.05),
]


def batch(windows: NDArray[np.float64]) -> Batch:
    return cast("Batch", SimpleNamespace(windows=lambda _: windows))


def drawn(rng: np.random.Generator, count: int, strata: int, size: int) -> NDArray[np.float64]:
    n = rng.poisson(size, (count, strata, 2)).astype(float)
    x = rng.binomial(n.astype(int), 0.1)
    return np.stack([n[..., 0], x[..., 0], n[..., 1], x[..., 1]], axis=-1)


@pytest.mark.parametrize(("streams", "count"), [(1, 1), (3, 1), (3, 30), (40, 3)])
def test_streams_side_by_side_are_as_each_alone(streams: int, count: int):
    rng = np.random.default_rng(streams)
    questions = [ASKED[i % 3] for i in range(streams)]
    states = [two_proportion_ripr.begin(question) for question in questions]
    alone = list(states)
    for size in (2, 60, 3):
        looks = [batch(drawn(rng, count, 1 + i % 2, size)) for i in range(streams)]
        states = two_proportion_ripr.absorb(questions, states, looks)
        alone = [two_proportion_ripr.absorb([q], [s], [b])[0] for q, s, b in zip(questions, alone, looks, strict=True)]
    for together, one in zip(states, alone, strict=True):
        assert together["windows"] == one["windows"]
        assert together["counts"] == pytest.approx(one["counts"])
        assert together["log_e"] == pytest.approx(one["log_e"], abs=1e-9)
        assert together["late"] == pytest.approx(one["late"], abs=1e-9)
        assert together["grid"]["log_e"] == pytest.approx(one["grid"]["log_e"], abs=1e-9)


@pytest.mark.parametrize("count", [1, 20])
def test_streams_too_many_for_one_go_are_as_each_alone(count: int, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(_ledger, "AT_ONCE", 500)
    rng = np.random.default_rng(count)
    looks = [batch(drawn(rng, count, 1, 40)) for _ in range(60)]
    begun = two_proportion_ripr.begin(ASKED[0])
    states = two_proportion_ripr.absorb([ASKED[0]] * 60, [begun] * 60, looks)
    for together, look in zip(states, looks, strict=True):
        one = two_proportion_ripr.absorb([ASKED[0]], [begun], [look])[0]
        assert together["windows"] == one["windows"]
        assert together["log_e"] == pytest.approx(one["log_e"], abs=1e-9)
        assert together["late"] == pytest.approx(one["late"], abs=1e-9)
        assert together["grid"]["log_e"] == pytest.approx(one["grid"]["log_e"], abs=1e-9)


def test_one_long_look_decides_as_many_short_ones():
    rng = np.random.default_rng(3)
    windows = drawn(rng, 60, 2, 20)
    whole = two_proportion_ripr.absorb(ASKED[:1], [two_proportion_ripr.begin(ASKED[0])], [batch(windows)])[0]
    state = two_proportion_ripr.begin(ASKED[0])
    for window in windows:
        state = two_proportion_ripr.absorb(ASKED[:1], [state], [batch(window[None])])[0]
    assert whole["log_e"] == pytest.approx(state["log_e"], abs=1e-9)
    assert whole["late"] == pytest.approx(state["late"], abs=1e-9)


def test_what_may_be_spent_does_not_change_the_bets():
    less = replace(ASKED[0], alpha_rollback=1e-4)
    states = [two_proportion_ripr.begin(question) for question in (ASKED[0], less)]
    look = batch(drawn(np.random.default_rng(4), 5, 1, 50))
    one, other = two_proportion_ripr.absorb([ASKED[0], less], states, [look, look])
    assert np.array_equal(one["log_e"], other["log_e"])


def test_within_a_look_windows_are_joined_and_none_is_left_waiting_at_its_end():
    windows = np.full((40, 1, 4), [10.0, 1.0, 10.0, 2.0])
    lines = two_proportion_ripr._grid_lines  # noqa: SLF001 - what the ledger is given
    ledger = _ledger.Ledger([ASKED[0]], [_ledger.begin((2, 21, 6))], [1], lines, (0.25, 0.05))
    ready = ledger._ready(windows)  # noqa: SLF001 - which windows are joined
    size = ready.window[:, [0, 2]].sum(axis=1)
    assert (size[:-1] >= 0.25 * ready.past[:-1]).all()
    assert len(size) < len(windows) / 2
    assert size.sum() == pytest.approx(40 * 20.0)
    assert ready.past == pytest.approx(np.cumsum(size) - size)


@pytest.mark.parametrize(("shift", "slope", "gap", "turn"), [(0.01, 1.0, 0.02, 0.0), (0.0, 1.1, 0.0, 0.3)])
def test_the_bet_is_the_likelihood_ratio_of_two_points(shift: float, slope: float, gap: float, turn: float):
    """With a guess at a point of the boundary that needs no moving, the ratio is written out by its definition."""
    n1, x1, n2, x2 = 400.0, 40.0, 300.0, 45.0
    parts = (shift, slope, shift + gap, slope + turn, 0.1)
    line = Line(*(np.array([part]) for part in parts))
    window = tuple(np.array([value]) for value in (n1, x1, n2, x2))
    pooled, past = np.array([0.1]), np.array([1e6])
    found = float(log_ratio(pooled, past, window, line, np.empty((BUFFERS, 1)))[0])
    share = n2 / (n1 + n2)
    weight = 1.0 - share + share * slope
    centre = pooled[0] - share * shift
    q1 = centre / weight
    for _ in range(3):
        q2 = shift + slope * q1
        v1, v2 = q1 * (1.0 - q1), q2 * (1.0 - q2)
        tilt = (gap + turn * q1) / (v2 / n2 + slope**2 * v1 / n1)
        p1, p2 = q1 - tilt * slope * v1 / n1, q2 + tilt * v2 / n2
        expected = (
            x1 * np.log(p1 / q1)
            + (n1 - x1) * np.log((1.0 - p1) / (1.0 - q1))
            + x2 * np.log(p2 / q2)
            + (n2 - x2) * np.log((1.0 - p2) / (1.0 - q2))
        )
        q1 = (centre - tilt * (v2 - slope * v1) / (n1 + n2)) / weight
    assert found == pytest.approx(expected, abs=1e-9)
