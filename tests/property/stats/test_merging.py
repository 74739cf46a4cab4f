"""What does not depend on how data are cut into looks, or on the order in which looks come."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gatekeeper import registry
from gatekeeper.decide.evidence import Evidence, Track
from gatekeeper.stats import Question
from gatekeeper.stats._rows import Rows

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gatekeeper.stats import State, Test

N = 60
MERGED_WHOLE = ("minprod", "paired_minprod", "quantile_limit", "asymptotic_mean", "paired_mean", "mean_limit")
NAMES = registry.names("stats")
CUTS = st.lists(st.integers(0, N), max_size=4).map(sorted)


def is_rate(name: str) -> bool:
    return not any(word in name for word in ("minprod", "quantile", "mean"))


def question(name: str) -> Question:
    return Question(
        margin=0.1,
        proof_margin=0.1,
        relative=not is_rate(name),
        detect=0.1,
        quantile=0.9 if "quantile" in name or "minprod" in name else None,
        limit=(0.3 if is_rate(name) else 100.0) if name.endswith("_limit") else None,
    )


def values(name: str, seed: int, copies: int = 1) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    draw = (lambda: rng.random(N) < rng.random()) if is_rate(name) else (lambda: np.round(rng.lognormal(4, 1, N), 2))
    a, b = (np.tile(draw().astype(float), copies) for _ in range(2))
    return a, b


def look(test: Test, a: np.ndarray, b: np.ndarray) -> Rows:
    at = 2 * np.arange(len(a))
    return Rows(a=a[:, None], b=b[:, None], a_at=at, b_at=at + 1, paired=test.PAIRED)


def absorbed(test: Test, asked: Question, looks: Sequence[Rows]) -> State:
    state = test.begin(asked)
    for one in looks:
        state = test.absorb([asked], [state], [one])[0]
    return state


@pytest.mark.parametrize("name", MERGED_WHOLE)
@settings(max_examples=10)
@given(seed=st.integers(0, 10_000), cuts=CUTS)
def test_looks_merge_exactly_in_any_order(name: str, seed: int, cuts: list[int]):
    test, asked = registry.load("stats", name), question(name)
    a, b = values(name, seed, copies=3 if "mean" in name else 1)
    whole = absorbed(test, asked, [look(test, a, b)])
    parts = np.split(np.arange(len(a)), cuts)
    parted = absorbed(test, asked, [look(test, a[part], b[part]) for part in reversed(parts)])
    one, other = test.weigh(asked, parted), test.weigh(asked, whole)
    assert one.rollback == pytest.approx(other.rollback, rel=1e-9, abs=1e-9)
    assert one.promotion == pytest.approx(other.promotion, rel=1e-9, abs=1e-9)


@settings(max_examples=20)
@given(seed=st.integers(0, 10_000), cuts=CUTS)
def test_what_a_rate_limit_promotes_by_merges_exactly(seed: int, cuts: list[int]):
    test, asked = registry.load("stats", "rate_limit"), question("rate_limit")
    a, b = values("rate_limit", seed)
    parts = np.split(np.arange(N), cuts)
    parted = absorbed(test, asked, [look(test, a[part], b[part]) for part in reversed(parts)])
    whole = absorbed(test, asked, [look(test, a, b)])
    assert test.weigh(asked, parted).promotion == test.weigh(asked, whole).promotion


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=10)
@given(seed=st.integers(0, 10_000), cuts=CUTS, data=st.data())
def test_totals_do_not_depend_on_the_order_of_looks(name: str, seed: int, cuts: list[int], data: st.DataObject):
    test, asked = registry.load("stats", name), question(name)
    a, b = values(name, seed)
    parts = np.split(np.arange(N), cuts)
    shown = []
    for order in (parts, data.draw(st.permutations(parts))):
        state = absorbed(test, asked, [look(test, a[part], b[part]) for part in order])
        shown.append(test.picture(asked, state))
    one, other = shown
    assert (one.a_n, one.b_n) == (other.a_n, other.b_n) == (N, N)
    assert one.a_value == pytest.approx(other.a_value)
    assert one.b_value == pytest.approx(other.b_value)


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=6)
@given(seed=st.integers(0, 10_000), cuts=CUTS)
def test_evidence_that_was_stored_goes_on_where_it_was(name: str, seed: int, cuts: list[int]):
    test, asked = registry.load("stats", name), question(name)
    a, b = values(name, seed, copies=3)
    looks = [look(test, a[part], b[part]) for part in np.split(np.arange(len(a)), cuts)]
    straight = absorbed(test, asked, looks)
    state = test.begin(asked)
    for one in looks:
        text = json.dumps(Evidence(tracks={"m": {"": Track(state=state)}}).to_json(), allow_nan=False)
        state = Evidence.from_json(json.loads(text)).tracks["m"][""].state
        state = test.absorb([asked], [state], [one])[0]
    assert test.weigh(asked, state) == test.weigh(asked, straight)
    assert test.picture(asked, state) == test.picture(asked, straight)
    assert not math.isnan(test.weigh(asked, state).rollback)
