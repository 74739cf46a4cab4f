"""E-values of quantile tests have mean at most 1 under every null, by summing over all outcomes."""

from __future__ import annotations

import itertools
import math

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from gatekeeper.stats import Question, minprod, paired_minprod, quantile_limit
from gatekeeper.stats._rows import Rows

SLACK = 1 + 1e-9
VALUES = np.array([100.0, 107.0, 180.0])
LAW = st.lists(st.floats(0, 1), min_size=3, max_size=3).filter(lambda w: sum(w) > 0.01)


def rows(a: np.ndarray, b: np.ndarray, *, paired: bool = False) -> Rows:
    return Rows(a=a[:, None], b=b[:, None], a_at=2 * np.arange(len(a)), b_at=2 * np.arange(len(b)) + 1, paired=paired)


def question(margin: float, p: float) -> Question:
    return Question(margin=margin, relative=True, detect=max(margin, 0.01), proof_margin=margin or 0.02, quantile=p)


def is_null(pa: np.ndarray, pb: np.ndarray, asked: Question, *, worse: bool) -> bool:
    """Tell whether b's quantile is within (worse) or beyond the margin: some threshold separates them so."""
    t = 1 - asked.quantile
    moved = VALUES * (1 + (asked.margin if worse else asked.proof_margin))
    low, low_p, high, high_p = (moved, pa, VALUES, pb) if worse else (VALUES, pb, moved, pa)
    return any(
        high_p[high > c].sum() <= t + 1e-12 and low_p[low >= c].sum() >= t - 1e-12 for c in np.concatenate([low, high])
    )


@settings(max_examples=40)
@given(
    pa=LAW,
    pb=LAW,
    p=st.sampled_from([0.5, 0.9]),
    margin=st.sampled_from([0.0, 0.05, 0.5]),
    worse=st.booleans(),
    sizes=st.tuples(st.integers(1, 4), st.integers(1, 4)),
)
def test_two_arms(*, pa: list[float], pb: list[float], p: float, margin: float, worse: bool, sizes: tuple[int, int]):
    asked = question(margin, p)
    pa, pb = np.array(pa) / sum(pa), np.array(pb) / sum(pb)
    if not is_null(pa, pb, asked, worse=worse):
        return
    mean = 0.0
    for in_a in itertools.product(range(sizes[0] + 1), repeat=3):
        for in_b in itertools.product(range(sizes[1] + 1), repeat=3):
            if (sum(in_a), sum(in_b)) != sizes:
                continue
            data = rows(np.repeat(VALUES, in_a), np.repeat(VALUES, in_b))
            weight = minprod.weigh(asked, minprod.absorb([asked], [minprod.begin(asked)], [data])[0])
            chance = stats.multinomial.pmf(in_a, sizes[0], pa) * stats.multinomial.pmf(in_b, sizes[1], pb)
            mean += float(chance) * math.exp(weight.rollback if worse else weight.promotion)
    assert mean <= SLACK


@settings(max_examples=30)
@given(
    joint=st.lists(st.floats(0, 1), min_size=9, max_size=9).filter(lambda w: sum(w) > 0.01),
    p=st.sampled_from([0.5, 0.9]),
    margin=st.sampled_from([0.0, 0.05, 0.5]),
    worse=st.booleans(),
    n=st.integers(1, 3),
)
def test_pairs_whatever_ties_them(*, joint: list[float], p: float, margin: float, worse: bool, n: int):
    asked = question(margin, p)
    table = (np.array(joint) / sum(joint)).reshape(3, 3)
    if not is_null(table.sum(axis=1), table.sum(axis=0), asked, worse=worse):
        return
    mean = 0.0
    for pairs in itertools.product(range(9), repeat=n):
        i, j = np.divmod(np.array(pairs), 3)
        data = rows(VALUES[i], VALUES[j], paired=True)
        weight = paired_minprod.weigh(asked, paired_minprod.absorb([asked], [paired_minprod.begin(asked)], [data])[0])
        mean += float(np.prod(table[i, j])) * math.exp(weight.rollback if worse else weight.promotion)
    assert mean <= SLACK


@settings(max_examples=30)
@given(
    law=LAW,
    p=st.sampled_from([0.5, 0.9]),
    limit=st.sampled_from([100.0, 110.0, 180.0]),
    increase=st.booleans(),
    n=st.integers(1, 6),
)
def test_a_limit(*, law: list[float], p: float, limit: float, increase: bool, n: int):
    asked = Question(margin=None, increase=increase, quantile=p, limit=limit)
    chances = np.array(law) / sum(law)
    over = chances[limit < VALUES].sum()
    means = {"rollback": 0.0, "promotion": 0.0}
    for counts in itertools.product(range(n + 1), repeat=3):
        if sum(counts) != n:
            continue
        data = rows(np.zeros(0), np.repeat(VALUES, counts))
        weight = quantile_limit.weigh(asked, quantile_limit.absorb([asked], [quantile_limit.begin(asked)], [data])[0])
        chance = float(stats.multinomial.pmf(counts, n, chances))
        for side in means:
            means[side] += chance * math.exp(getattr(weight, side))
    within = "rollback" if increase else "promotion"
    beyond = "promotion" if increase else "rollback"
    assert means[within] <= SLACK or over > 1 - p
    assert means[beyond] <= SLACK or over < 1 - p
