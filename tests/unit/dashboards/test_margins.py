"""Findings in units of their own margins."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

if TYPE_CHECKING:
    from types import ModuleType


@pytest.fixture
def margins() -> ModuleType:
    """Give the module, once the pages' folder is on the path."""
    return importlib.import_module("margins")


def finding(**changed: Any) -> dict[str, Any]:  # noqa: ANN401 - a finding's own values
    effect = {"estimate": 0.02, "lower": 0.01, "upper": 0.03, "unit": "pp"} | changed.pop("effect", {})
    plain = {
        "metric": "refusal_rate",
        "segment": None,
        "ruling": "inconclusive",
        "test": "paired_betting",
        "margin": 0.02,
        "reason": "told",
        "increase": True,
        "effect": effect,
    }
    return plain | changed


NOTHING = {"estimate": None, "lower": None, "upper": None}


def test_an_effect_is_drawn_in_units_of_its_own_margin(margins: ModuleType):
    drawn = margins.row(finding())
    assert (drawn["estimate"], drawn["lower"], drawn["upper"]) == (1.0, 0.5, 1.5)
    assert (drawn["name"], drawn["beyond"], drawn["told"]) == ("refusal_rate", 0, "told")


def test_harm_is_to_the_right_where_less_is_worse(margins: ModuleType):
    drawn = margins.row(finding(increase=False, effect={"estimate": -0.02, "lower": -0.03, "upper": 0.01}))
    assert (drawn["estimate"], drawn["lower"], drawn["upper"]) == (1.0, -0.5, 1.5)


def test_an_end_that_cannot_be_had_reaches_the_edge_and_no_further(margins: ModuleType):
    drawn = margins.row(finding(effect={"estimate": 1.0, "lower": None, "upper": None}))
    assert (drawn["lower"], drawn["upper"]) == (-margins.CLIP, margins.CLIP)
    assert (drawn["estimate"], drawn["beyond"]) == (margins.CLIP, 1)
    less = margins.row(finding(increase=False, effect={"estimate": 1.0, "lower": -0.01, "upper": None}))
    assert (less["lower"], less["upper"], less["beyond"]) == (-margins.CLIP, 0.5, -1)


@pytest.mark.parametrize("ruling", ["pass", "inconclusive", "fail"])
def test_no_data_is_a_class_of_its_own_whatever_was_ruled(margins: ModuleType, ruling: str):
    drawn = margins.row(finding(ruling=ruling, effect=NOTHING))
    assert drawn["ruling"] == margins.NO_DATA
    assert (drawn["estimate"], drawn["lower"], drawn["upper"], drawn["beyond"]) == (None, None, None, 0)


def test_a_limit_is_drawn_against_itself_and_named(margins: ModuleType):
    limit = finding(test="rate_limit", margin=0.1, effect={"estimate": 0.05, "lower": 0.0, "upper": 0.2}, segment="eu")
    drawn = margins.row(limit)
    assert (drawn["estimate"], drawn["lower"], drawn["upper"]) == (0.5, 0.0, 2.0)
    assert drawn["name"] == "refusal_rate limit · eu"
    floor = margins.row(limit | {"increase": False, "margin": 0.8, "effect": {**NOTHING, "estimate": 0.4}})
    assert floor["estimate"] == 1.5


def test_a_margin_of_zero_stays_in_the_picture(margins: ModuleType):
    drawn = margins.row(finding(margin=0.0, effect={"estimate": 0.001, "lower": -0.01, "upper": 0.02}))
    assert (drawn["estimate"], drawn["lower"], drawn["upper"]) == (margins.CLIP, -margins.CLIP, margins.CLIP)
    same = margins.row(finding(margin=0.0, effect={"estimate": 0.0, "lower": 0.0, "upper": 0.0}))
    assert (same["estimate"], same["lower"], same["upper"], same["beyond"]) == (0.0, 0.0, 0.0, 0)


def test_worst_comes_first_and_watched_metrics_are_left_out(margins: ModuleType):
    found = [
        finding(metric="a", ruling="pass"),
        finding(metric="b", ruling="inconclusive", effect={"upper": 0.03}),
        finding(metric="c", ruling="inconclusive", effect={"upper": 0.05}),
        finding(metric="d", ruling="pass", effect=NOTHING),
        finding(metric="e", ruling="fail", effect={"lower": 0.04, "upper": 0.05}),
        finding(metric="h", ruling="fail", effect={"lower": 0.03, "upper": 0.09}),
        finding(metric="f", ruling="error"),
        finding(metric="g", margin=None),
    ]
    assert [row["name"] for row in margins.rows(found)] == ["e", "h", "f", "c", "b", "d", "a"]
    assert margins.rows([]) == []


NUMBER = st.none() | st.floats(-1e6, 1e6)


EFFECTS = st.fixed_dictionaries({"estimate": NUMBER, "lower": NUMBER, "upper": NUMBER})


@given(st.floats(0, 10), EFFECTS, st.booleans(), st.sampled_from(["rate_limit", "minprod"]))
def test_nothing_is_ever_drawn_outside_the_picture(margin: float, effect: dict[str, Any], more: bool, test: str):  # noqa: FBT001 - drawn by Hypothesis
    margins = importlib.import_module("margins")
    drawn = margins.row(finding(margin=margin, effect=effect, increase=more, test=test))
    assert all(-margins.CLIP <= drawn[end] <= margins.CLIP for end in ("lower", "upper") if drawn[end] is not None)
    assert (drawn["estimate"] is None) == (effect["estimate"] is None)
