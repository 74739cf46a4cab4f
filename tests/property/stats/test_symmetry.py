"""What must not change when answers are told the other way round, or the arms change places."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import gatekeeper
from gatekeeper.model.finding import VerdictKind
from gatekeeper.stats import Question, paired_betting, rate_limit, two_proportion_ripr
from gatekeeper.stats._rows import Rows

RATES = [two_proportion_ripr, paired_betting, rate_limit]


def look(a: np.ndarray, b: np.ndarray, *, paired: bool) -> Rows:
    at = 2 * np.arange(len(a))
    return Rows(a=a[:, None], b=b[:, None], a_at=at, b_at=at + 1, paired=paired)


def answers(seed: int, n: int = 300) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    p, q = rng.random(2) * 0.5
    return (rng.random(n) < p).astype(float), (rng.random(n) < q).astype(float)


@pytest.mark.parametrize("test", RATES, ids=[test.__name__.rsplit(".", 1)[-1] for test in RATES])
@settings(max_examples=20)
@given(seed=st.integers(0, 10_000), margin=st.sampled_from([0.0, 0.03]), limit=st.floats(0.01, 0.9))
def test_counting_failures_or_successes_is_the_same(test: object, seed: int, margin: float, limit: float):
    a, b = answers(seed)
    asked = Question(margin=margin, detect=0.03, proof_margin=0.03, limit=limit)
    mirrored = replace(asked, increase=False, limit=1 - limit)
    found = []
    for question, values in ((asked, (a, b)), (mirrored, (1 - a, 1 - b))):
        state = test.absorb([question], [test.begin(question)], [look(*values, paired=test.PAIRED)])[0]
        weight, picture = test.weigh(question, state), test.picture(question, state)
        ends = (picture.lower, picture.upper, picture.estimate)
        if not question.increase:
            turn = (lambda x: 1 - x) if test is rate_limit else (lambda x: -x)
            ends = (turn(ends[1]), turn(ends[0]), turn(ends[2]))
        found.append((weight.rollback, weight.promotion, *ends))
    assert found[0] == pytest.approx(found[1], rel=1e-6, abs=1e-9)


@settings(max_examples=30)
@given(seed=st.integers(0, 10_000), margin=st.sampled_from([0.0, 0.03]), looks=st.integers(1, 3))
def test_pairs_whose_arms_and_direction_change_places(seed: int, margin: float, looks: int):
    """That the candidate has more, and that the baseline in its place has fewer, is the same at any absolute margin."""
    asked = Question(margin=margin, detect=0.03, proof_margin=0.03)
    a, b = answers(seed)
    found = []
    for question, arms in ((asked, (a, b)), (replace(asked, increase=False), (b, a))):
        state = paired_betting.begin(question)
        for one, other in zip(*(np.array_split(arm, looks) for arm in arms), strict=True):
            state = paired_betting.absorb([question], [state], [look(one, other, paired=True)])[0]
        weight = paired_betting.weigh(question, state)
        found.append((weight.rollback, weight.promotion))
    assert found[0] == pytest.approx(found[1], rel=1e-9, abs=1e-9)


@pytest.mark.parametrize("paired", [True, False])
@settings(max_examples=8)
@given(seed=st.integers(0, 10_000), more=st.sampled_from([0.0, 0.1, 0.3]))
def test_a_regression_seen_from_the_other_arm_is_none(seed: int, more: float, *, paired: bool):
    """At margin 0: what rolls the candidate back would not roll the baseline back in its place.

    Told as successes the ruling stands; with arms and direction both exchanged it stands for pairs.
    """
    rng = np.random.default_rng(seed)
    refused = {"baseline": rng.random(400) < 0.1, "candidate": rng.random(400) < 0.1 + more}

    def verdict(*, swap: bool, direction: str) -> VerdictKind:
        arms = {"baseline": "candidate", "candidate": "baseline"} if swap else {arm: arm for arm in refused}
        samples = [
            {"arm": arms[arm], "ts": float(i), "refused": bool(refused[arm][i])}
            | {"json_valid": bool(refused[arm][i])}
            | ({"pair_id": str(i)} if paired else {})
            for i in range(400)
            for arm in refused
        ]
        metric = (
            {"refusal_rate": {"max_increase": "0pp", "detect": "5pp"}}
            if direction == "refusals"
            else {"json_validity": {"max_decrease": "0pp", "detect": "5pp"}}
        )
        return gatekeeper.analyze(samples, {"metrics": metric}, look_every=100).verdict

    told = verdict(swap=False, direction="refusals")
    mirrored = verdict(swap=True, direction="refusals")
    if VerdictKind.ROLLBACK in {told, mirrored}:
        assert told is not mirrored
    if paired:
        assert verdict(swap=True, direction="validity") is told
