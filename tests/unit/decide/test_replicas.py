"""An arm of one replica is told where times are judged, and nowhere else."""

from __future__ import annotations

import pytest

from gatekeeper.decide._replicas import single, timed
from gatekeeper.decide.compile import whole
from gatekeeper.decide.policyfile import policy_from_mapping
from gatekeeper.model.finding import Ruling

NAMES = ("ttft_ms.p95", "tpot_ms")


def test_judged_times_are_named_once_each():
    metrics = {
        "refusal_rate": {"max_increase": "1pp"},
        "ttft_ms.p95": {"max_increase": "10%", "limit": 1500},
        "latency_ms": {"watch": True},
        "tpot_ms": {"max_increase": "10%"},
        "cost_usd": {"max_increase": "10%"},
    }
    (layout,) = whole(policy_from_mapping({"metrics": metrics}), paired=False).stages
    assert timed(layout) == NAMES


@pytest.mark.parametrize(
    ("baseline", "candidate", "words"),
    [
        (1, 1, "ttft_ms.p95, tpot_ms are judged while both arms run one replica each"),
        (1, 4, "the baseline runs one replica"),
        (None, 1, "the candidate runs one replica"),
    ],
)
def test_an_arm_of_one_replica_is_told(baseline: int | None, candidate: int | None, words: str):
    check = single(NAMES, baseline, candidate)
    assert check is not None
    assert (check.name, check.ruling) == ("replicas", Ruling.INCONCLUSIVE)
    assert words in check.reason
    assert "is judged" in (single(NAMES[:1], baseline, candidate) or check).reason


@pytest.mark.parametrize(("baseline", "candidate"), [(None, None), (2, 3), (None, 2)])
def test_several_replicas_or_none_told_say_nothing(baseline: int | None, candidate: int | None):
    assert single(NAMES, baseline, candidate) is None
    assert single((), 1, 1) is None
