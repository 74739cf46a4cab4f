"""Parts of many streams, looked up at once; what is worked out of a question or a histogram is found again."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from gatekeeper.stats import Question, _histogram, _thresholds
from gatekeeper.stats._thresholds import Laid


def test_places_are_those_of_one_search_after_the_other():
    rng = np.random.default_rng(3)
    parts = [np.sort(rng.integers(-20, 20, size)).astype(float) for size in (0, 1, 7, 64, 0, 33, 1000)]
    owner = rng.integers(0, len(parts), 2_000)
    wanted = rng.integers(-25, 25, len(owner)).astype(float)
    wanted[:20] = [-np.inf, np.inf] * 10
    found = Laid(parts).up_to(owner, wanted)
    assert found.tolist() == [parts[o].searchsorted(w, side="right") for o, w in zip(owner, wanted, strict=True)]


def test_nothing_is_up_to_anything_in_empty_parts():
    assert Laid([np.zeros(0), np.zeros(0)]).up_to(np.array([1, 0]), np.array([3.0, -1.0])).tolist() == [0, 0]


def test_an_arm_is_counted_once_for_one_histogram_and_anew_for_another():
    values = np.array([1.0, 2.0, 2.0, 5.0])
    one, other = (_histogram.of(some, np.ones(len(some))) for some in (values, values * 2))
    assert _thresholds.arm(one) is _thresholds.arm(one)
    assert _thresholds.arm(dict(one)) is not _thresholds.arm(one)
    assert _thresholds.arm(one).below.tolist() == [0.0, 1.0, 3.0, 4.0]
    assert _thresholds.arm(other).first.tolist() == other["at"].tolist()


def test_equal_questions_have_one_hash_and_others_differ():
    question = Question(margin=0.1, quantile=0.95)
    assert hash(replace(question, margin=0.2)) != hash(question)
    assert {replace(question, margin=0.2): 1}[Question(margin=0.2, quantile=0.95)] == 1
    assert replace(replace(question, margin=0.2), margin=0.1) == question
