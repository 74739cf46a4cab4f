"""E-values of a rate against a bound, and of the checks of the experiment itself, have mean at most 1."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from gatekeeper.stats import Question, _onset, _sample_ratio, _segment_mix, rate_limit

SLACK = 1 + 1e-9


@dataclass(frozen=True)
class Counts:
    """Windows of the candidate's [n, yes]."""

    counts: np.ndarray

    def windows(self, past: float) -> np.ndarray:
        """Return the counts whatever the past."""
        del past
        return np.concatenate([np.zeros_like(self.counts), self.counts], axis=1)[:, None, :]


LIMITS = st.one_of(st.floats(0.001, 0.5), st.sampled_from([1e-4, 0.001]))


@settings(max_examples=40)
@given(
    limit=LIMITS,
    factor=st.one_of(st.just(1.0), st.floats(0, 1)),
    sizes=st.lists(st.integers(1, 12), min_size=1, max_size=3),
    increase=st.booleans(),
    worse=st.booleans(),
    cut=st.booleans(),
)
def test_a_limit_on_a_rate(*, limit: float, factor: float, sizes: list[int], increase: bool, worse: bool, cut: bool):
    """In windows of one look, or in looks; on the bound or within it."""
    asked = Question(margin=None, limit=limit, increase=increase)
    rate = limit * factor if worse is increase else 1 - (1 - limit) * factor
    mean = 0.0
    for yes in itertools.product(*(range(n + 1) for n in sizes)):
        windows = np.stack([sizes, yes], axis=1).astype(float)
        state = rate_limit.begin(asked)
        for batch in np.split(windows, len(sizes)) if cut else [windows]:
            state = rate_limit.absorb([asked], [state], [Counts(batch)])[0]
        weight = rate_limit.weigh(asked, state)
        chance = float(np.prod(stats.binom.pmf(yes, sizes, rate)))
        mean += chance * math.exp(weight.rollback if worse else weight.promotion)
    assert mean <= SLACK


@settings(max_examples=20)
@given(limit=LIMITS, before=st.integers(10, 5000), n=st.integers(1, 20), increase=st.booleans())
def test_a_limit_after_a_long_good_time(*, limit: float, before: int, n: int, increase: bool):
    """Given the past the mean grows by no more than what is kept for a late start."""
    asked = Question(margin=None, limit=limit, increase=increase)
    past = np.array([[before, before * (limit if increase else 1 - limit) // 2]], float)
    start = rate_limit.absorb([asked], [rate_limit.begin(asked)], [Counts(past)])
    logs = []
    for yes in range(n + 1):
        state = rate_limit.absorb([asked], start, [Counts(np.array([[n, yes]], float))])[0]
        logs.append(rate_limit.weigh(asked, state).rollback)
    mean = stats.binom.pmf(np.arange(n + 1), n, limit) @ np.exp(logs)
    bound = math.exp(rate_limit.weigh(asked, start[0]).rollback) + 1 - _onset.FROM_THE_START
    assert mean <= bound * SLACK


@settings(max_examples=40)
@given(share=st.floats(0.001, 0.999), n=st.integers(1, 60))
def test_the_sample_ratio(share: float, n: int):
    counts = np.arange(n + 1)
    values = [math.exp(_sample_ratio.log_e([n - k, k], [1 - share, share])) for k in counts.tolist()]
    assert stats.binom.pmf(counts, n, share) @ values <= SLACK


@settings(max_examples=40)
@given(share=st.floats(0.001, 0.999), sizes=st.lists(st.integers(0, 7), min_size=2, max_size=3))
def test_the_mix_of_segments_whatever_the_candidates_share(share: float, sizes: list[int]):
    mean = 0.0
    for taken in itertools.product(*(range(n + 1) for n in sizes)):
        chance = float(np.prod(stats.binom.pmf(taken, sizes, share)))
        counts = [(n - k, k) for n, k in zip(sizes, taken, strict=True)]
        mean += chance * math.exp(_segment_mix.log_e(counts))
    assert mean <= SLACK
