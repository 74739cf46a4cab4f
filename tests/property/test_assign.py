"""What a cohort promises: sticky, monotone in the share, of the size asked for, the same in every language."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections import Counter
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chi2

from gatekeeper.decide import assign
from gatekeeper.decide.assign import arm, bucket, mirrored
from gatekeeper.model.arm import Arm
from gatekeeper.model.cohort import Cohorts
from gatekeeper.model.split import Endpoint, Split

KEYS = 20_000
MANY_KEYS = 1_000_000
DOCS = Path(__file__).parents[2] / "docs" / "reference"
SHARES = st.integers(0, 10_000)
KEY = st.text(max_size=6) | st.integers(0, 500).map("user-{}".format)
COHORTS = st.builds(
    Cohorts,
    candidate=st.lists(KEY, max_size=8).map(tuple),
    baseline=st.lists(KEY, max_size=8).map(tuple),
    holdout_bp=SHARES,
)


def split(
    candidate_bp: int,
    control_bp: int = 0,
    mirror_bp: int = 0,
    salt: str = "s",
    cohorts: Cohorts | None = None,
    service: str = "x",
) -> Split:
    here, there = Endpoint(url="http://b", model="b"), Endpoint(url="http://c", model="c")
    return Split(
        service=service,
        epoch=1,
        version=1,
        baseline=here,
        candidate=there,
        candidate_bp=candidate_bp,
        control_bp=control_bp,
        mirror_bp=mirror_bp,
        salt=salt,
        cohorts=cohorts,
    )


def served(one: Split, key: str) -> tuple[Arm, bool]:
    """Return the arm as a gateway gives it, and whether it was drawn."""
    fixed = assign.given(one, one.cohorts, key) if one.cohorts is not None else None
    return fixed or arm(one, key), fixed is None


@given(st.text(), st.text())
def test_a_bucket_is_in_range_and_the_same_every_time(salt: str, key: str):
    assert bucket(salt, key) == bucket(salt, key)
    assert 0 <= bucket(salt, key) < 10_000


@given(st.text(), SHARES, SHARES)
def test_raising_the_share_moves_nobody_out(key: str, one: int, other: int):
    low, high = sorted((one, other))
    if arm(split(low), key) is Arm.CANDIDATE:
        assert arm(split(high), key) is Arm.CANDIDATE
    if arm(split(0, low), key) is Arm.CONTROL:
        assert arm(split(0, high), key) is Arm.CONTROL


@given(st.text(), SHARES, SHARES)
def test_control_never_takes_from_the_candidate(key: str, candidate_bp: int, control_bp: int):
    without, with_control = arm(split(candidate_bp), key), arm(split(candidate_bp, control_bp), key)
    assert (without is Arm.CANDIDATE) == (with_control is Arm.CANDIDATE)


@given(st.text())
def test_the_ends_are_exact_and_no_candidate_means_baseline(key: str):
    assert arm(split(0), key) is Arm.BASELINE
    assert arm(split(10_000), key) is Arm.CANDIDATE
    assert mirrored(split(0, mirror_bp=10_000), key)
    assert not mirrored(split(0), key)
    lone = Split(service="x", epoch=1, version=1, baseline=Endpoint(url="u", model="m"), candidate_bp=10_000)
    assert arm(lone, key) is Arm.BASELINE
    assert not mirrored(lone, key)


@given(st.text(max_size=8), st.sampled_from([100, 500, 1_000, 5_000]))
def test_shares_are_met_within_five_standard_errors(salt: str, share_bp: int):
    expected = share_bp / 10_000
    seen = sum(bucket(salt, f"user-{i}") < share_bp for i in range(2_000)) / 2_000
    assert abs(seen - expected) < 5 * (expected * (1 - expected) / 2_000) ** 0.5


@pytest.fixture(scope="module")
def buckets() -> Counter[int]:
    """Count a million keys by bucket."""
    return Counter(bucket("chi", f"user-{i}") for i in range(MANY_KEYS))


def test_a_million_keys_are_uniform_over_the_buckets(buckets: Counter[int]):
    expected = MANY_KEYS / 10_000
    statistic = sum((buckets[place] - expected) ** 2 / expected for place in range(10_000))
    assert 0.001 < chi2.sf(statistic, 9_999) < 0.999


@pytest.mark.parametrize("share_bp", [100, 500, 1_000, 5_000])
def test_a_million_keys_meet_the_share(buckets: Counter[int], share_bp: int):
    seen = sum(count for place, count in buckets.items() if place < share_bp)
    expected = MANY_KEYS * share_bp / 10_000
    statistic = (seen - expected) ** 2 * (1 / expected + 1 / (MANY_KEYS - expected))
    assert chi2.sf(statistic, 1) > 0.001


@given(KEY, SHARES, SHARES, COHORTS)
def test_raising_the_share_moves_nobody_out_with_lists_and_holdout_too(key: str, one: int, other: int, who: Cohorts):
    low, high = sorted((one, other))
    if served(split(low, cohorts=who), key)[0] is Arm.CANDIDATE:
        assert served(split(high, cohorts=who), key)[0] is Arm.CANDIDATE


@given(KEY, SHARES, SHARES, COHORTS)
def test_lists_and_holdout_do_what_they_say(key: str, candidate_bp: int, control_bp: int, who: Cohorts):
    got, drawn = served(split(candidate_bp, control_bp, cohorts=who), key)
    if key in who.baseline:
        assert (got, drawn) == (Arm.BASELINE, False)
    elif key in who.candidate and candidate_bp:
        assert (got, drawn) == (Arm.CANDIDATE, False)
    elif bucket("x/holdout", key) < who.holdout_bp:
        assert (got, drawn) == (Arm.BASELINE, False)
    else:
        assert (got, drawn) == (arm(split(candidate_bp, control_bp), key), True)


@given(KEY, st.text(max_size=4), st.text(max_size=4), SHARES, SHARES)
def test_the_holdout_is_the_same_in_every_rollout_and_only_grows(
    key: str, one: str, other: str, small: int, large: int
):
    small, large = sorted((small, large))
    here, there = (
        served(split(10_000, salt=salt, cohorts=Cohorts(holdout_bp=share_bp)), key)[1]
        for salt, share_bp in ((one, small), (other, large))
    )
    if not here:
        assert not there


def test_the_holdout_is_drawn_apart_from_the_arms():
    who = Cohorts(holdout_bp=1_000)
    takes_part = [key for i in range(KEYS) if served(split(1_000, cohorts=who), key := f"user-{i}")[1]]
    assert abs(len(takes_part) / KEYS - 0.9) < 0.01
    assert abs(sum(arm(split(1_000), key) is Arm.CANDIDATE for key in takes_part) / len(takes_part) - 0.1) < 0.01


@given(st.text())
def test_without_a_candidate_nobody_is_served_by_one(key: str):
    lone = Split(service="x", epoch=1, version=1, baseline=Endpoint(url="u", model="m"), candidate_bp=10_000)
    assert assign.given(lone, Cohorts(candidate=(key,)), key) is None
    assert assign.given(split(0), Cohorts(candidate=(key,)), key) is None


def test_mirroring_is_drawn_apart_from_the_arms():
    of_candidate = [f"k{i}" for i in range(KEYS) if bucket("s", f"k{i}") < 1_000]
    both = sum(mirrored(split(1_000, mirror_bp=5_000), key) for key in of_candidate)
    assert abs(both / len(of_candidate) - 0.5) < 0.06


@pytest.fixture(scope="module")
def vectors() -> dict[str, Any]:
    """Read the published vectors."""
    read: dict[str, Any] = json.loads((DOCS / "cohorts.json").read_text(encoding="utf-8"))
    return read


def test_vectors_of_buckets_and_copies(vectors: dict[str, Any]):
    assert [bucket(one["salt"], one["key"]) for one in vectors["buckets"]] == [
        one["bucket"] for one in vectors["buckets"]
    ]
    copied = [
        mirrored(split(0, mirror_bp=one["mirror_bp"], salt=one["salt"]), one["request_id"])
        for one in vectors["mirrored"]
    ]
    assert copied == [one["mirrored"] for one in vectors["mirrored"]]
    assert len(set(copied)) == 2


def test_vectors_of_arms(vectors: dict[str, Any]):
    seen = set()
    for one in vectors["arms"]:
        fields = dict(one["split"])
        cohorts = fields.pop("cohorts", None)
        made = split(**fields, cohorts=Cohorts(**cohorts) if cohorts else None)
        for key, wanted in one["keys"].items():
            got, drawn = served(made, key)
            assert {"arm": got.value, "drawn": drawn} == wanted, (one["split"], key)
            seen.add((got, drawn))
    assert len(seen) == 5  # three arms drawn, two given


def test_the_page_shows_the_vectors_of_buckets(vectors: dict[str, Any]):
    page = (DOCS / "cohorts.md").read_text(encoding="utf-8")
    for one in vectors["buckets"]:
        assert f"| {one['bucket']} |" in page


@pytest.mark.skipif(shutil.which("node") is None, reason="there is no node here")
def test_javascript_computes_the_same_vectors(tmp_path: Path):
    script = DOCS / "cohorts.js"
    told = subprocess.run(["node", script, DOCS / "cohorts.json"], check=True, capture_output=True, text=True).stdout
    assert json.loads(told) == []
    changed = tmp_path / "changed.json"
    changed.write_text((DOCS / "cohorts.json").read_text(encoding="utf-8").replace("7016", "7017"), encoding="utf-8")
    told = subprocess.run(["node", script, changed], check=True, capture_output=True, text=True).stdout
    assert json.loads(told) == [{"salt": "gatekeeper", "key": "user-1", "bucket": 7017}]


def test_neighbouring_salts_draw_other_cohorts():
    cohorts = [{i for i in range(2_000) if bucket(f"salt-{n}", str(i)) < 1_000} for n in range(4)]
    assert all(len(one & two) < 60 for one, two in pairwise(cohorts))
