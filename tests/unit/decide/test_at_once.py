"""Streams of one test at once."""

from __future__ import annotations

import numpy as np
import pytest

from gatekeeper import registry
from gatekeeper.decide import _at_once
from gatekeeper.stats import Question
from gatekeeper.stats._rows import Rows

ASKED = [
    Question(margin=margin, proof_margin=0.1, relative=True, quantile=0.9, alpha_rollback=alpha)
    for margin, alpha in ((0.1, 0.01), (0.3, 0.001))
]


@pytest.mark.parametrize("name", ["minprod", "paired_minprod", "asymptotic_mean"])
def test_at_once_is_as_one_by_one(name: str):
    test = registry.load("stats", name)
    rng = np.random.default_rng(0)
    values = rng.lognormal(4, 0.5, (2, 2, 300, 1))
    rows = [Rows(a=a, b=b, a_at=np.arange(300), b_at=np.arange(300), paired=test.PAIRED) for a, b in values]
    states = test.absorb(ASKED, [test.begin(question) for question in ASKED], rows)
    one_by_one = list(zip(ASKED, states, strict=True))
    assert _at_once.weights(test, ASKED, states) == [test.weigh(*one) for one in one_by_one]
    assert _at_once.pictures(test, ASKED, states) == [test.picture(*one) for one in one_by_one]


@pytest.mark.parametrize("name", registry.names("stats"))
def test_of_nothing_is_nothing(name: str):
    test = registry.load("stats", name)
    assert _at_once.weights(test, [], []) == _at_once.pictures(test, [], []) == []
