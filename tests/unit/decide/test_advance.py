"""The state machine: what each verdict, deadline, pause, approval and freeze does."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gatekeeper.decide.advance import BAKE_HOLDBACK_BP, Ends, Sight, advance, back, forward, promoted, stage_split
from gatekeeper.errors import ConflictError
from gatekeeper.model.cohort import Cohorts, SegmentRule
from gatekeeper.model.finding import VerdictKind
from gatekeeper.model.policy import OnUndecided, Policy, Stage, StageKind
from gatekeeper.model.rollout import Rollout, RolloutState
from gatekeeper.model.split import WHOLE_BP, Endpoint, Split

ENDS = Ends(baseline=Endpoint(url="http://b", model="m"), candidate=Endpoint(url="http://c", model="m"))
STAGES = (
    Stage(kind=StageKind.WARMUP, requests=5),
    Stage(kind=StageKind.SHADOW, mirror_bp=5_000, max_wait_s=60),
    Stage(kind=StageKind.CANARY, weight_bp=1_000, max_wait_s=60, on_undecided=OnUndecided.ROLLBACK),
    Stage(kind=StageKind.CANARY, weight_bp=5_000, needs_approval=True, control=True),
    Stage(kind=StageKind.BAKE, wait_s=100),
)
POLICY = Policy(name="p", metrics=(), stages=STAGES)
PROMOTE, HOLD, ROLLBACK = VerdictKind.PROMOTE, VerdictKind.HOLD, VerdictKind.ROLLBACK


def at(stage: int, **changes: object) -> Rollout:
    split = Split(service="s", epoch=3, version=7, baseline=ENDS.baseline)
    rollout = Rollout(
        id="r", service="s", policy_name="p", policy_digest="d", policy_text="", baseline_id="b", candidate_id="c",
        salt="r", stage=stage, stage_started_at=1000.0, version=7, epoch=3, split_wanted=split, split_seen=split,
        created_at=0.0,
    )  # fmt: skip
    return replace(rollout, **changes)  # type: ignore[arg-type]


def sight(verdict: VerdictKind | None, samples: int = 100, warm: int = 0) -> Sight:
    return Sight(verdict=verdict, samples=samples, warm=warm, reason="because")


def test_a_warm_up_ends_with_enough_answers() -> None:
    assert advance(at(0), POLICY, sight(None, warm=4), ENDS, 1001.0) is None
    move = advance(at(0), POLICY, sight(None, warm=5), ENDS, 1001.0)
    assert move is not None
    assert (move.rollout.stage, move.event, move.rollout.version) == (1, "rollout.stage_changed", 8)
    assert move.rollout.split_wanted.mirror_bp == 5_000
    assert move.rollout.split_wanted.candidate_bp == 0
    assert move.rollout.stage_started_at is None


def test_proof_goes_one_stage_forward_under_the_same_epoch() -> None:
    move = advance(at(1), POLICY, sight(PROMOTE), ENDS, 1001.0)
    assert move is not None
    assert move.rollout.split_wanted.candidate_bp == 1_000
    assert move.rollout.split_wanted.order == (3, 8)
    assert move.rollout.split_wanted.order > at(1).split_wanted.order


@pytest.mark.parametrize("stage", [1, 2, 3, 4])
@pytest.mark.parametrize("paused", [False, True])
def test_harm_rolls_back_everywhere_even_while_paused(stage: int, *, paused: bool) -> None:
    frozen = replace(POLICY, freeze=("Mon 00:00/Sun 23:59 UTC",))
    move = advance(at(stage, paused=paused), frozen, sight(ROLLBACK), ENDS, 1001.0)
    assert move is not None
    rollout = move.rollout
    assert (rollout.state, rollout.epoch, rollout.rollback_requested) == (RolloutState.ROLLED_BACK, 4, True)
    assert rollout.split_wanted.candidate is None
    assert rollout.split_wanted.candidate_bp == 0
    assert rollout.reason == "because"


def test_a_deadline_holds_or_rolls_back_and_never_promotes() -> None:
    assert advance(at(1), POLICY, sight(HOLD), ENDS, 1061.0) is None
    move = advance(at(2), POLICY, sight(HOLD), ENDS, 1060.0)
    assert move is not None
    assert move.rollout.state is RolloutState.ROLLED_BACK
    assert "undecided after 60 s" in move.rollout.reason


def test_enough_samples_without_a_decision_count_as_a_deadline() -> None:
    stages = (Stage(kind=StageKind.SHADOW, max_samples=50, on_undecided=OnUndecided.ROLLBACK),)
    policy = replace(POLICY, stages=stages)
    assert advance(at(0), policy, sight(HOLD, samples=49), ENDS, 1001.0) is None
    assert advance(at(0), policy, sight(HOLD, samples=50), ENDS, 1001.0) is not None


def test_an_approval_is_waited_for() -> None:
    assert advance(at(3), POLICY, sight(PROMOTE), ENDS, 1001.0) is None
    move = advance(at(3, approved_stage=3), POLICY, sight(PROMOTE), ENDS, 1001.0)
    assert move is not None
    assert move.rollout.split_wanted.candidate_bp == WHOLE_BP - BAKE_HOLDBACK_BP


def test_a_pause_and_a_freeze_keep_a_proven_rollout_where_it_is() -> None:
    assert advance(at(1, paused=True), POLICY, sight(PROMOTE), ENDS, 1001.0) is None
    frozen = replace(POLICY, freeze=("Thu 00:00/Fri 00:00 UTC",))
    assert advance(at(1), frozen, sight(PROMOTE), ENDS, 1001.0) is None  # unix time 1001 is a Thursday


def test_a_bake_promotes_by_time_alone_and_ends() -> None:
    assert advance(at(4), POLICY, sight(PROMOTE), ENDS, 1099.0) is None
    move = advance(at(4), POLICY, sight(HOLD), ENDS, 1100.0)
    assert move is not None
    assert (move.rollout.state, move.event) == (RolloutState.PROMOTED, "rollout.promoted")
    assert move.rollout.split_wanted.baseline == ENDS.candidate
    assert move.rollout.ended_at == 1100.0


def test_nothing_is_ruled_before_the_stage_has_begun() -> None:
    assert advance(at(1, stage_started_at=None), POLICY, sight(ROLLBACK), ENDS, 2000.0) is None


def test_a_control_is_as_large_as_the_canary_and_never_meets_it() -> None:
    half = stage_split(at(3), POLICY, 3, ENDS, epoch=1, version=1)
    assert (half.candidate_bp, half.control_bp) == (5_000, 5_000)
    most = Stage(kind=StageKind.CANARY, weight_bp=9_000, control=True)
    split = stage_split(at(3), replace(POLICY, stages=(*STAGES[:3], most)), 3, ENDS, epoch=1, version=1)
    assert split.candidate_bp + split.control_bp <= WHOLE_BP


def test_cohorts_and_segment_rules_go_with_every_stage_and_end_with_the_rollout() -> None:
    policy = replace(
        POLICY,
        cohorts=Cohorts(candidate=("qa",), holdout_bp=100),
        segment_rules=(SegmentRule(segment=(("tier", "gold"),), model="m"),),
    )
    for stage in range(len(STAGES)):
        split = stage_split(at(stage), policy, stage, ENDS, epoch=1, version=1)
        assert (split.cohorts, split.segment_rules) == (policy.cohorts, policy.segment_rules)
    for ended in (promoted(at(4), ENDS, "", 0.0), back(at(4), ENDS, RolloutState.ROLLED_BACK, "", 0.0)):
        assert ended.rollout.split_wanted.cohorts is None


@pytest.mark.parametrize("state", [RolloutState.PROMOTED, RolloutState.ROLLED_BACK, RolloutState.ABORTED])
def test_an_ended_rollout_moves_no_more(state: RolloutState) -> None:
    ended = at(1, state=state)
    assert advance(ended, POLICY, sight(ROLLBACK), ENDS, 1001.0) is None
    for call in (
        lambda: forward(ended, POLICY, ENDS, "", 0.0),
        lambda: promoted(ended, ENDS, "", 0.0),
        lambda: back(ended, ENDS, RolloutState.ROLLED_BACK, "", 0.0),
    ):
        with pytest.raises(ConflictError, match="has ended"):
            call()


def test_a_requested_rollback_beats_a_promotion() -> None:
    with pytest.raises(ConflictError):
        promoted(at(3, rollback_requested=True), ENDS, "", 0.0)
