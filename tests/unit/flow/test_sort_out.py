"""Which rows a look compares, leaves out, or lets wait."""

from __future__ import annotations

from gatekeeper.flow.observe import PAIR_PATIENCE_S, sort_out
from gatekeeper.model.arm import Arm
from gatekeeper.model.policy import Stage, StageKind
from gatekeeper.model.sample import Sample

SHADOW = Stage(kind=StageKind.SHADOW, mirror_bp=5_000)
CANARY = Stage(kind=StageKind.CANARY, weight_bp=1_000)
CONTROLLED = Stage(kind=StageKind.CANARY, weight_bp=1_000, control=True)
NOW = 1_000.0


def sample(arm: Arm, pair_id: str | None = None, ts: float = NOW) -> Sample:
    return Sample(request_id=f"{arm}-{pair_id}-{ts}", ts=ts, arm=arm, pair_id=pair_id)


def test_a_shadow_compares_whole_pairs_and_lets_young_halves_wait() -> None:
    rows = [
        (1, sample(Arm.BASELINE, "a")),
        (2, sample(Arm.BASELINE, "b")),
        (3, sample(Arm.CANDIDATE, "a")),
        (4, sample(Arm.BASELINE)),
    ]
    window = sort_out(SHADOW, rows, NOW + 1)
    assert sorted(window.folded) == [1, 3]
    assert window.dropped == [4]  # never mirrored: no pair to wait for


def test_a_half_that_waited_too_long_is_left_out() -> None:
    rows = [(1, sample(Arm.BASELINE, "a")), (2, sample(Arm.CANDIDATE, "b", ts=NOW + PAIR_PATIENCE_S))]
    window = sort_out(SHADOW, rows, NOW + PAIR_PATIENCE_S + 1)
    assert window.dropped == [1]
    assert window.folded == []


def test_a_canary_compares_everything() -> None:
    rows = [(1, sample(Arm.BASELINE)), (2, sample(Arm.CANDIDATE))]
    window = sort_out(CANARY, rows, NOW)
    assert window.folded == [1, 2]
    assert window.dropped == []


def test_a_controlled_canary_is_compared_with_its_control_alone() -> None:
    rows = [(1, sample(Arm.BASELINE)), (2, sample(Arm.CANDIDATE)), (3, sample(Arm.CONTROL))]
    window = sort_out(CONTROLLED, rows, NOW)
    assert window.dropped == [1]
    assert window.folded == [2, 3]
    assert [s.arm for s in window.samples] == [Arm.CANDIDATE, Arm.BASELINE]  # the control in the baseline's place
