"""What a cohort promises: sticky, monotone in the share, of the size asked for, the same in every language."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from gatekeeper.decide.assign import arm, bucket, mirrored
from gatekeeper.model.arm import Arm
from gatekeeper.model.split import Endpoint, Split

KEYS = 20_000
VECTORS = [3203, 7016, 3511, 5208, 820, 1806]
SHARES = st.integers(0, 10_000)


def split(candidate_bp: int, control_bp: int = 0, mirror_bp: int = 0, salt: str = "s") -> Split:
    here, there = Endpoint(url="http://b", model="b"), Endpoint(url="http://c", model="c")
    return Split(
        service="x",
        epoch=1,
        version=1,
        baseline=here,
        candidate=there,
        candidate_bp=candidate_bp,
        control_bp=control_bp,
        mirror_bp=mirror_bp,
        salt=salt,
    )


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


def test_buckets_are_uniform_by_chi_square():
    counts = [0] * 100
    for i in range(KEYS):
        counts[bucket("chi", f"user-{i}") // 100] += 1
    expected = KEYS / 100
    assert sum((count - expected) ** 2 / expected for count in counts) < 160  # 99 degrees: p = .0001


def test_mirroring_is_drawn_apart_from_the_arms():
    of_candidate = [f"k{i}" for i in range(KEYS) if bucket("s", f"k{i}") < 1_000]
    both = sum(mirrored(split(1_000, mirror_bp=5_000), key) for key in of_candidate)
    assert abs(both / len(of_candidate) - 0.5) < 0.06


def test_vectors_of_the_docs():
    vectors = [
        ("", ""),
        ("gatekeeper", "user-1"),
        ("gatekeeper", "user-2"),
        ("s", "Zoë"),
        ("s", "用户"),
        ("rollout-7", "a" * 100),
    ]
    assert [bucket(salt, key) for salt, key in vectors] == VECTORS


def test_neighbouring_salts_draw_other_cohorts():
    cohorts = [{i for i in range(2_000) if bucket(f"salt-{n}", str(i)) < 1_000} for n in range(4)]
    assert all(len(one & two) < 60 for one, two in pairwise(cohorts))
