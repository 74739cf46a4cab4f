"""Whatever text stands in a policy file: a policy, or faults with places; never anything else."""

from __future__ import annotations

import json
import math
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from gatekeeper.decide import _units
from gatekeeper.decide.policyfile import parse_policy, policy_from_mapping
from gatekeeper.errors import PolicyError
from gatekeeper.model.policy import MarginUnit, Policy

GOOD = (Path(__file__).parents[1] / "golden" / "policies" / "support_bot.yaml").read_text(encoding="utf-8")
NAMES = [
    "metrics",
    "stages",
    "policy",
    "error_rate",
    "ttft_ms.p95",
    "extra.x",
    "max_increase",
    "limit",
    "canary",
    "gate",
    "weight",
]
SCALARS = ["10%", "1pp", "2h", "true", "null", "~", "1e999", ".nan", "0o7", "\\ud800"]
MARKS = ["-", ":", "{", "}", "[", "]", "'", '"', "#", "<<", "&a", "*a", "!!str", "%YAML", "---", "..."]
SPACES = ("\n", "  ", "\t", "|\n", ">\n", "? ", "%YAML 1.1\n")
WORDS = st.sampled_from((*NAMES, *SCALARS, *MARKS, *SPACES))
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | WORDS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(WORDS | st.text(max_size=8), inner, max_size=4),
    max_leaves=20,
)
PATIENT = settings(suppress_health_check=[HealthCheck.too_slow])


def outcome(text: str) -> Policy | PolicyError:
    try:
        return parse_policy(text, file="p.yaml")
    except PolicyError as error:
        return error


def outcome_of_value(value: object) -> Policy | PolicyError:
    try:
        return policy_from_mapping(value)  # type: ignore[arg-type]  # whatever a caller may send
    except PolicyError as error:
        return error


@PATIENT
@given(st.text(max_size=200) | st.lists(WORDS, max_size=30).map("".join))
@example("[" * 5000)
@example("\ufeffmetrics: {error_rate: {limit: 2%}}")
@example("a: !<\n")
@example("%YAML 9.9\n---\na: 1")
@example("%TAG ! x\n---\n!a b")
@example("- " * 2000)
@example("1" * 5000)
def test_any_text_is_a_policy_or_faults_with_places(text: str) -> None:
    found = outcome(text)
    if isinstance(found, PolicyError):
        assert found.faults
        assert all(fault.line and fault.column and fault.message for fault in found.faults)


@PATIENT
@given(st.data())
def test_a_policy_with_a_piece_changed_is_a_policy_or_faults_with_places(data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(GOOD)))
    end = data.draw(st.integers(start, min(len(GOOD), start + 20)))
    found = outcome(GOOD[:start] + data.draw(WORDS | st.text(max_size=5)) + GOOD[end:])
    if isinstance(found, PolicyError):
        assert all(fault.line and fault.column for fault in found.faults)


@PATIENT
@given(VALUES | st.builds(lambda rules, steps: {"metrics": rules, "stages": steps}, VALUES, VALUES))
def test_any_value_is_a_policy_or_faults(value: object) -> None:
    found = outcome_of_value(value)
    assert isinstance(found, Policy) or found.faults


@PATIENT
@given(VALUES)
def test_json_text_and_its_value_have_the_same_faults(value: object) -> None:
    try:
        text = json.dumps(value, allow_nan=False)
        value = json.loads(text)
    except ValueError:
        return
    assert isinstance(outcome(text), PolicyError) == isinstance(outcome_of_value(value), PolicyError)


@given(st.integers(0, 10**6), st.sampled_from(["s", "m", "h", "d"]))
def test_durations_are_exact(number: int, unit: str) -> None:
    assert _units.duration_s(f"{number}{unit}") == number * {"s": 1, "m": 60, "h": 3600, "d": 86400}[unit]


@given(st.integers(1, 10_000))
def test_every_basis_point_can_be_written(bp: int) -> None:
    assert _units.share_bp(f"{Decimal(bp) / 100}%") == bp


@given(st.decimals(0, 99, places=4), st.booleans())
def test_points_and_percent_are_the_nearest_float(percent: Decimal, increase: bool) -> None:  # noqa: FBT001 - drawn
    points = _units.margin(f"{percent:f}pp", increase=increase)
    share = _units.margin(f"{percent:f}%", increase=increase)
    assert points.value == share.value == float(percent / 100)
    assert (points.unit, share.unit) == (MarginUnit.ABSOLUTE, MarginUnit.RELATIVE)


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_bare_margins_are_absolute_and_never_negative(value: float) -> None:
    if value < 0:
        with pytest.raises(ValueError, match="zero or more"):
            _units.margin(value, increase=True)
    else:
        found = _units.margin(value, increase=True)
        assert (found.value, found.unit) == (value, MarginUnit.ABSOLUTE)


@given(st.text(max_size=12))
def test_units_read_or_refuse_any_text(text: str) -> None:
    for read in (_units.duration_s, _units.share_bp, _units.limit):
        try:
            number = read(text)
        except ValueError:
            continue
        assert math.isfinite(number)
