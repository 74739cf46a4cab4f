"""Every file of `stats/` is a test: it keeps its state as JSON can, and says nothing on no data."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING

import numpy as np
import pytest

from gatekeeper import registry
from gatekeeper.decide.evidence import Evidence, Track
from gatekeeper.stats import Question
from gatekeeper.stats._rows import Rows

if TYPE_CHECKING:
    from gatekeeper.stats import Test

NAMES = registry.names("stats")


def question(name: str) -> Question:
    return Question(
        margin=0.1,
        proof_margin=0.1,
        relative="quantile" in name or "minprod" in name or "mean" in name,
        quantile=0.9 if "quantile" in name or "minprod" in name else None,
        limit=0.5 if name.endswith("_limit") else None,
    )


def window(n: int, seed: int, *, paired: bool) -> Rows:
    rng = np.random.default_rng(seed)
    values = rng.integers(0, 2, (2, n, 1)).astype(float)
    return Rows(a=values[0], b=values[1], a_at=2 * np.arange(n), b_at=2 * np.arange(n) + 1, paired=paired)


@pytest.mark.parametrize("name", NAMES)
def test_a_test_says_what_it_is(name: str):
    test: Test = registry.load("stats", name)
    assert test.__doc__
    assert isinstance(test.PAIRED, bool)
    assert isinstance(test.EXACT, bool)


@pytest.mark.parametrize("name", NAMES)
def test_no_data_proves_nothing(name: str):
    test: Test = registry.load("stats", name)
    asked = question(name)
    weight = test.weigh(asked, test.begin(asked))
    assert max(weight.rollback, weight.promotion) <= 1e-9
    assert test.picture(asked, test.begin(asked)).note


@pytest.mark.parametrize("name", NAMES)
def test_a_stored_state_goes_on_where_it_was(name: str):
    test: Test = registry.load("stats", name)
    asked = question(name)
    state = test.absorb([asked], [test.begin(asked)], [window(150, 1, paired=test.PAIRED)])[0]
    text = json.dumps(Evidence(tracks={"m": {"": Track(state=state)}}).to_json(), allow_nan=False)
    stored = Evidence.from_json(json.loads(text)).tracks["m"][""].state
    for kept in (state, stored):
        assert not math.isnan(test.weigh(asked, kept).rollback)
    further = [test.absorb([asked], [kept], [window(150, 2, paired=test.PAIRED)])[0] for kept in (state, stored)]
    assert test.weigh(asked, further[0]) == test.weigh(asked, further[1])
    assert test.picture(asked, further[0]) == test.picture(asked, further[1])
