"""Every exact test's e-values have mean at most 1 under its nulls, by summing over all outcomes."""

from __future__ import annotations

import itertools
import math
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from gatekeeper.stats import (
    Batch,
    Question,
    minprod,
    paired_betting,
    paired_minprod,
    quantile_limit,
    rate_limit,
    two_proportion_ripr,
)

if TYPE_CHECKING:
    from gatekeeper.stats import Test

SHARES = st.floats(1e-4, 1 - 1e-4)
MARGINS = st.sampled_from([0.0, 0.005, 0.03, 0.1])
SLACK = 1 + 1e-9


def batch(a: object, b: object) -> Batch:
    a, b = np.asarray(a, float)[:, None], np.asarray(b, float)[:, None]
    return Batch(a=a, b=b, a_at=2 * np.arange(len(a)), b_at=2 * np.arange(len(b)) + 1)


def question(margin: float, *, relative: bool = False, increase: bool = True, **more: float) -> Question:
    proof = margin or 0.02
    return Question(
        margin=margin, relative=relative, increase=increase, detect=max(margin, 0.01), proof_margin=proof, **more
    )


def worst_b(asked: Question, a: float, harm: float) -> float:
    """Return the candidate's rate that is worse by exactly `harm`."""
    if asked.relative:
        return a * (1 + harm) if asked.increase else a * (1 - harm)
    return a + harm if asked.increase else a - harm


def rates(asked: Question, a: float, inside: float, *, worse: bool) -> float | None:
    """Return a candidate's rate in the null: on its edge (inside = 0) or within."""
    edge = worst_b(asked, a, asked.margin if worse else asked.proof_margin)
    toward = 0.0 if worse is asked.increase else 1.0
    b = edge + inside * (toward - edge)
    return b if 0 <= edge <= 1 and 0 <= b <= 1 else None


@settings(max_examples=25, deadline=None)
@given(
    a=SHARES,
    inside=st.sampled_from([0.0, 0.0, 0.3]),
    margin=MARGINS,
    relative=st.booleans(),
    increase=st.booleans(),
    worse=st.booleans(),
    first=st.tuples(st.integers(1, 5), st.integers(1, 4)),
    second=st.tuples(st.integers(1, 9), st.integers(1, 3)),
)
def test_ripr_over_two_windows(
    *,
    a: float,
    inside: float,
    margin: float,
    relative: bool,
    increase: bool,
    worse: bool,
    first: tuple[int, int],
    second: tuple[int, int],
):
    asked = question(margin, relative=relative, increase=increase)
    b = rates(asked, a, inside, worse=worse)
    if b is None:
        return
    sizes = [*first, *second]
    outcomes = list(itertools.product(*(range(n + 1) for n in sizes)))
    fresh = [two_proportion_ripr.begin(asked) for _ in outcomes]
    states = fresh
    for window in (0, 2):
        batches = [
            batch(np.arange(sizes[window]) < outcome[window], np.arange(sizes[window + 1]) < outcome[window + 1])
            for outcome in outcomes
        ]
        states = two_proportion_ripr.absorb([asked] * len(outcomes), states, batches)
    mean = 0.0
    for outcome, state in zip(outcomes, states, strict=True):
        chance = math.prod(stats.binom.pmf(outcome, sizes, [a, b, a, b]))
        weight = two_proportion_ripr.weigh(asked, state)
        mean += chance * math.exp(weight.rollback if worse else weight.promotion)
    assert mean <= SLACK


@settings(max_examples=60, deadline=None)
@given(
    cells=st.lists(st.floats(0, 1), min_size=4, max_size=4).filter(lambda c: sum(c) > 0.01),
    margin=MARGINS,
    relative=st.booleans(),
    increase=st.booleans(),
    worse=st.booleans(),
    n=st.integers(1, 5),
)
def test_betting_on_pairs(*, cells: list[float], margin: float, relative: bool, increase: bool, worse: bool, n: int):
    asked = question(margin, relative=relative, increase=increase)
    table = np.array(cells) / sum(cells)  # (a, b) = 00, 01, 10, 11
    rate_a, rate_b = table[2] + table[3], table[1] + table[3]
    edge = worst_b(asked, rate_a, asked.margin if worse else asked.proof_margin)
    within = rate_b <= edge if worse is increase else rate_b >= edge
    if not within:
        return
    mean = 0.0
    for outcome in itertools.product(range(n + 1), repeat=4):
        if sum(outcome) != n:
            continue
        a = np.repeat([0, 0, 1, 1], outcome)
        b = np.repeat([0, 1, 0, 1], outcome)
        state = paired_betting.absorb([asked], [paired_betting.begin(asked)], [batch(a, b)])[0]
        weight = paired_betting.weigh(asked, state)
        chance = float(stats.multinomial.pmf(outcome, n, table))
        mean += chance * math.exp(weight.rollback if worse else weight.promotion)
    assert mean <= SLACK


VALUES = np.array([100.0, 107.0, 180.0])
WEIGHTS = st.lists(st.floats(0, 1), min_size=3, max_size=3).filter(lambda w: sum(w) > 0.01)


def is_quantile_null(pa: np.ndarray, pb: np.ndarray, asked: Question, *, worse: bool) -> bool:
    """Tell whether b's quantile is within (worse) or beyond the margin: some threshold separates them so."""
    t = 1 - asked.quantile
    moved = VALUES * (1 + (asked.margin if worse else asked.proof_margin))
    low, low_p, high, high_p = (moved, pa, VALUES, pb) if worse else (VALUES, pb, moved, pa)
    return any(
        high_p[high > c].sum() <= t + 1e-12 and low_p[low >= c].sum() >= t - 1e-12 for c in np.concatenate([low, high])
    )


@settings(max_examples=40, deadline=None)
@given(
    pa=WEIGHTS,
    pb=WEIGHTS,
    p=st.sampled_from([0.5, 0.9]),
    margin=st.sampled_from([0.0, 0.05, 0.5]),
    worse=st.booleans(),
    sizes=st.tuples(st.integers(1, 4), st.integers(1, 4)),
)
def test_minprod(*, pa: list[float], pb: list[float], p: float, margin: float, worse: bool, sizes: tuple[int, int]):
    asked = question(margin, relative=True, quantile=p)
    pa, pb = np.array(pa) / sum(pa), np.array(pb) / sum(pb)
    if not is_quantile_null(pa, pb, asked, worse=worse):
        return
    mean = 0.0
    for in_a in itertools.product(range(sizes[0] + 1), repeat=3):
        for in_b in itertools.product(range(sizes[1] + 1), repeat=3):
            if (sum(in_a), sum(in_b)) != sizes:
                continue
            data = batch(np.repeat(VALUES, in_a), np.repeat(VALUES, in_b))
            state = minprod.absorb([asked], [minprod.begin(asked)], [data])[0]
            weight = minprod.weigh(asked, state)
            chance = stats.multinomial.pmf(in_a, sizes[0], pa) * stats.multinomial.pmf(in_b, sizes[1], pb)
            mean += float(chance) * math.exp(weight.rollback if worse else weight.promotion)
    assert mean <= SLACK


@settings(max_examples=30, deadline=None)
@given(
    joint=st.lists(st.floats(0, 1), min_size=9, max_size=9).filter(lambda w: sum(w) > 0.01),
    p=st.sampled_from([0.5, 0.9]),
    margin=st.sampled_from([0.0, 0.05, 0.5]),
    worse=st.booleans(),
    n=st.integers(1, 3),
)
def test_minprod_on_pairs_whatever_ties_them(*, joint: list[float], p: float, margin: float, worse: bool, n: int):
    asked = question(margin, relative=True, quantile=p)
    table = (np.array(joint) / sum(joint)).reshape(3, 3)
    if not is_quantile_null(table.sum(axis=1), table.sum(axis=0), asked, worse=worse):
        return
    mean = 0.0
    for pairs in itertools.product(range(9), repeat=n):
        rows, columns = np.divmod(np.array(pairs), 3)
        state = paired_minprod.absorb([asked], [paired_minprod.begin(asked)], [batch(VALUES[rows], VALUES[columns])])[0]
        weight = paired_minprod.weigh(asked, state)
        mean += float(np.prod(table[rows, columns])) * math.exp(weight.rollback if worse else weight.promotion)
    assert mean <= SLACK


@settings(max_examples=40, deadline=None)
@given(limit=st.floats(0.01, 0.5), factor=st.floats(0, 1), n=st.integers(1, 60), worse=st.booleans())
def test_a_limit_on_a_rate(*, limit: float, factor: float, n: int, worse: bool):
    asked = Question(margin=None, limit=limit)
    rate = limit * factor if worse else limit + (1 - limit) * factor
    logs = [rate_limit.weigh(asked, {"a": [0, 0], "b": [n, yes]}) for yes in range(n + 1)]
    chances = stats.binom.pmf(np.arange(n + 1), n, rate)
    assert sum(c * math.exp(w.rollback if worse else w.promotion) for c, w in zip(chances, logs, strict=True)) <= SLACK


MERGEABLE = [
    (paired_betting, question(0.01)),
    (minprod, question(0.1, relative=True, quantile=0.9)),
    (paired_minprod, question(0.1, relative=True, quantile=0.9)),
    (rate_limit, Question(margin=None, limit=0.2)),
    (quantile_limit, Question(margin=None, limit=100.0, quantile=0.9)),
]


@pytest.mark.parametrize(("test", "asked"), MERGEABLE, ids=[test.__name__.rsplit(".", 1)[-1] for test, _ in MERGEABLE])
@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10_000), cuts=st.lists(st.integers(0, 40), max_size=4))
def test_windows_merge_exactly_in_any_order(test: Test, asked: Question, seed: int, cuts: list[int]):
    rng = np.random.default_rng(seed)
    kind = (lambda: rng.integers(0, 2, 40)) if asked.quantile is None else (lambda: rng.lognormal(4, 1, 40))
    a, b = kind(), kind()
    whole = test.absorb([asked], [test.begin(asked)], [batch(a, b)])[0]
    state = test.begin(asked)
    for part in reversed(np.split(np.arange(40), sorted(cuts))):
        state = test.absorb([asked], [state], [batch(a[part], b[part])])[0]
    assert test.weigh(asked, state) == test.weigh(asked, whole)


@settings(max_examples=30, deadline=None)
@given(cells=st.lists(st.integers(0, 60), min_size=4, max_size=4))
def test_swapping_arms_swaps_the_answer_at_margin_zero(cells: list[float]):
    asked = question(0.0)
    table = np.array(cells, float).reshape(2, 2)
    worse = paired_betting._log_e(asked, table, 0.0, worse=True)  # noqa: SLF001 - both directions at the same margin
    better = paired_betting._log_e(asked, table.T, 0.0, worse=False)  # noqa: SLF001 - as above
    assert worse == pytest.approx(better, abs=1e-9)


@settings(max_examples=25, deadline=None)
@given(
    test=st.sampled_from([two_proportion_ripr, paired_betting, minprod]),
    margin=st.sampled_from([0.01, 0.05]),
    seed=st.integers(0, 10_000),
    harm=st.sampled_from([0.0, 0.05, 0.3]),
)
def test_the_interval_and_the_decision_agree(test: Test, margin: float, seed: int, harm: float):
    """A proven regression lies beyond the margin in the picture, a proven pass within it."""
    rng = np.random.default_rng(seed)
    relative = test is minprod
    asked = question(margin, relative=relative, **({"quantile": 0.5} if relative else {}))
    if relative:
        data = batch(rng.lognormal(0, 0.3, 400), (1 + harm) * rng.lognormal(0, 0.3, 400))
    else:
        data = batch(rng.random(400) < 0.1, rng.random(400) < 0.1 + harm)
    state = test.absorb([asked], [test.begin(asked)], [data])[0]
    weight, picture = test.weigh(asked, state), test.picture(asked, state)
    near = 2e-3
    lower = -math.inf if picture.lower is None else picture.lower
    upper = math.inf if picture.upper is None else picture.upper
    assert (weight.rollback >= -math.log(asked.alpha_rollback)) <= (lower >= margin - near)
    assert (weight.promotion >= -math.log(asked.alpha_promotion)) <= (upper <= margin + near)
    assert lower <= picture.estimate + near
    assert upper >= picture.estimate - near
