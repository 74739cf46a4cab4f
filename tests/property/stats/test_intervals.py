"""The interval drawn and the decision never disagree."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gatekeeper import registry
from gatekeeper.stats import Picture, Question
from gatekeeper.stats._rows import Rows

NAMES = registry.names("stats")
INVERTED = [name for name in NAMES if name != "paired_minprod"]
"""Tests whose interval is their own e-value's; `paired_minprod` draws the wider one of `minprod`."""


def is_rate(name: str) -> bool:
    return not any(word in name for word in ("minprod", "quantile", "mean"))


def question(name: str, margin: float, *, increase: bool, relative: bool) -> Question:
    limited = name.endswith("_limit")
    return Question(
        margin=None if limited else margin,
        proof_margin=None if limited else margin,
        relative=relative and not limited,
        increase=increase,
        detect=max(margin, 0.02),
        quantile=0.8 if "quantile" in name or "minprod" in name else None,
        limit=((margin if increase else 1 - margin) if is_rate(name) else 100 * (1 + margin)) if limited else None,
    )


def ends(asked: Question, picture: Picture) -> tuple[float, float]:
    """Return the interval of harm."""
    lower = -math.inf if picture.lower is None else picture.lower
    upper = math.inf if picture.upper is None else picture.upper
    return (lower, upper) if asked.increase else (-upper, -lower)


@pytest.mark.parametrize("name", INVERTED)
@settings(max_examples=25)
@example(margin=0.1, increase=False, relative=False, seed=0, harms=[0.0, 0.0, 0.3], n=600)  # harm that begins late
@given(
    margin=st.sampled_from([0.02, 0.1]),
    increase=st.booleans(),
    relative=st.booleans(),
    seed=st.integers(0, 10_000),
    harms=st.lists(st.sampled_from([0.0, 0.0, 0.05, 0.3]), min_size=1, max_size=3),
    n=st.sampled_from([5, 120, 600]),
)
def test_a_decision_lies_on_its_side_of_the_margin(
    *, name: str, margin: float, increase: bool, relative: bool, seed: int, harms: list[float], n: int
):
    test = registry.load("stats", name)
    asked = question(name, margin, increase=increase, relative=relative or not is_rate(name))
    rng = np.random.default_rng(seed)
    state = test.begin(asked)
    for harm in harms:
        if is_rate(name):
            a, b = rng.random(n) < 0.1, rng.random(n) < 0.1 + harm
            a, b = (values.astype(float) if increase else 1.0 - values for values in (a, b))
        else:
            a, b = rng.lognormal(4.5, 0.3, (2, n))
            b = b * (1 + harm) if increase else b / (1 + harm)
        at = 2 * np.arange(n)
        data = Rows(a=a[:, None], b=b[:, None], a_at=at, b_at=at + 1, paired=test.PAIRED)
        state = test.absorb([asked], [state], [data])[0]
    weight, picture = test.weigh(asked, state), test.picture(asked, state)
    lower, upper = ends(asked, picture)
    edge = margin if asked.limit is None else asked.limit if increase else -asked.limit
    failed = weight.rollback >= -math.log(asked.alpha_rollback)
    passed = weight.promotion >= -math.log(asked.alpha_promotion)
    near = (1e-9 if is_rate(name) else 2e-3) * max(1.0, abs(edge))
    assert lower >= edge - near if failed else lower <= edge + near
    if not failed:
        assert upper <= edge + near if passed else upper >= edge - near
    if len(harms) == 1 and picture.estimate is not None:
        assert lower - near <= (picture.estimate if increase else -picture.estimate) <= upper + near
    assert lower <= upper + near


@pytest.mark.parametrize("name", NAMES)
def test_no_data_has_no_interval(name: str):
    test = registry.load("stats", name)
    asked = question(name, 0.1, increase=True, relative=not is_rate(name))
    picture = test.picture(asked, test.begin(asked))
    assert (picture.lower, picture.upper, picture.estimate) == (None, None, None)
    assert picture.note
