"""Looks that are quick about what crosses nothing: what crosses, and when, is the same; once settled, all is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from gatekeeper.decide.columns import Columns
from gatekeeper.decide.compile import compile_policy
from gatekeeper.decide.fold import ALL, begin, fold_columns, settled
from gatekeeper.decide.policyfile import policy_from_mapping

if TYPE_CHECKING:
    from gatekeeper.decide.plan import Plan

ROWS, LOOKS = 1_600, 8


def plan_of(margin: str, *, paired: bool) -> Plan:
    stage = {"shadow": {"mirror": "100%"}} if paired else {"canary": {"weight": "50%"}}
    policy = {
        "segments": ["segment"],
        "metrics": {"ttft_ms.p90": {"max_increase": margin}, "tpot_ms.p50": {"max_increase": margin}},
        "stages": [stage],
    }
    return compile_policy(policy_from_mapping(policy))


@st.composite
def datas(draw: st.DrawFn) -> tuple[Columns, bool]:
    paired, slower = draw(st.booleans()), draw(st.sampled_from([0.8, 1.0, 1.15, 1.6]))
    later = np.where(np.arange(ROWS) < ROWS // 2, 1.0, draw(st.sampled_from([1.0, 2.5])))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    arm = np.arange(ROWS, dtype=np.int8) % 2
    pair = np.arange(ROWS) // 2
    own = rng.standard_normal(ROWS // 2).repeat(2) if paired else rng.standard_normal(ROWS)
    times = 100.0 * np.exp(0.5 * own + 0.1 * rng.standard_normal(ROWS)) * np.where(arm, slower * later, 1.0)
    columns = Columns(
        ts=np.arange(ROWS, dtype=float),
        arm=arm,
        pair=pair if paired else np.full(ROWS, -1),
        cluster=np.full(ROWS, -1),
        errored=np.zeros(ROWS, np.bool_),
        values={"ttft_ms": times, "tpot_ms": np.round(times, -1)},
        segments={"segment": ((pair % 3).astype(np.int64), ["a", "b", "c"])},
    )
    return columns, paired


@settings(max_examples=25)
@given(datas(), st.sampled_from(["5%", "20%"]))
def test_rough_looks_cross_where_exact_ones_do(data: tuple[Columns, bool], margin: str):
    columns, paired = data
    plan = plan_of(margin, paired=paired)
    exact = rough = begin(plan, 0)
    for rows in np.array_split(np.arange(ROWS), LOOKS):
        exact = fold_columns(plan, 0, exact, columns.take(rows))
        rough = fold_columns(plan, 0, rough, columns.take(rows), rough=True)
        for name, tracks in exact.tracks.items():
            for label, track in tracks.items():
                other = rough.tracks[name][label]
                assert (track.failed, track.passed, track.withdrawn) == (other.failed, other.passed, other.withdrawn)
                assert other.log_rollback >= track.log_rollback
                assert other.log_promotion >= track.log_promotion
    whole = settled(plan, 0, rough, segments=False)
    for name, tracks in exact.tracks.items():
        assert (whole.tracks[name][ALL].log_rollback, whole.tracks[name][ALL].log_promotion) == (
            tracks[ALL].log_rollback,
            tracks[ALL].log_promotion,
        )
    assert settled(plan, 0, rough).to_json() == exact.to_json()
