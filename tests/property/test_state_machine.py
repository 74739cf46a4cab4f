"""Whatever happens in whatever order: splits only grow, an end is an end, and a rollback is never undone."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gatekeeper.decide.advance import Ends, Move, Sight, advance, back, forward, promoted
from gatekeeper.errors import ConflictError
from gatekeeper.model.finding import VerdictKind
from gatekeeper.model.policy import OnUndecided, Policy, Stage, StageKind
from gatekeeper.model.rollout import Rollout, RolloutState
from gatekeeper.model.split import WHOLE_BP, Endpoint, Split

ENDS = Ends(baseline=Endpoint(url="http://b", model="m"), candidate=Endpoint(url="http://c", model="m"))

stages = st.lists(
    st.builds(
        Stage,
        kind=st.sampled_from([StageKind.WARMUP, StageKind.SHADOW, StageKind.CANARY, StageKind.BAKE]),
        weight_bp=st.integers(1, WHOLE_BP),
        mirror_bp=st.integers(1, WHOLE_BP),
        requests=st.integers(0, 5),
        max_wait_s=st.none() | st.floats(1, 100),
        max_samples=st.none() | st.integers(1, 50),
        wait_s=st.floats(0, 50),
        on_undecided=st.sampled_from(OnUndecided),
        control=st.booleans(),
        needs_approval=st.booleans(),
    ),
    min_size=1,
    max_size=5,
)
events = st.lists(
    st.one_of(
        st.tuples(st.just("look"), st.none() | st.sampled_from(VerdictKind), st.integers(0, 60), st.floats(0, 40)),
        st.sampled_from([("rollback",), ("abort",), ("promote",), ("skip",)]),
    ),
    max_size=25,
)


def happen(event: tuple, rollout: Rollout, policy: Policy, now_s: float) -> Move | None:
    """Let one event happen to a rollout."""
    if event[0] == "look":
        return advance(rollout, policy, Sight(verdict=event[1], samples=event[2], warm=event[2]), ENDS, now_s)
    if event[0] == "skip":
        return forward(rollout, policy, ENDS, "r", now_s)
    if event[0] == "promote":
        return promoted(rollout, ENDS, "r", now_s)
    state = RolloutState.ROLLED_BACK if event[0] == "rollback" else RolloutState.ABORTED
    return back(rollout, ENDS, state, "r", now_s)


@given(stages=stages, events=events)
def test_invariants_hold_over_any_history(stages: list[Stage], events: list[tuple]) -> None:
    policy = Policy(name="p", metrics=(), stages=tuple(stages))
    split = Split(service="s", epoch=1, version=0, baseline=ENDS.baseline)
    rollout = Rollout(
        id="r", service="s", policy_name="p", policy_digest="", policy_text="", baseline_id="b", candidate_id="c",
        salt="r", split_wanted=split, split_seen=split, stage_started_at=0.0, created_at=0.0,
    )  # fmt: skip
    now_s = 0.0
    for event in events:
        before = rollout
        move = None
        now_s += event[3] if event[0] == "look" else 0.0
        try:
            move = happen(event, rollout, policy, now_s)
        except ConflictError:
            assert before.state.ended
        if move is None:
            continue
        rollout = move.rollout
        assert not before.state.ended
        assert rollout.version == before.version + 1
        assert rollout.split_wanted.order > before.split_wanted.order
        shares = rollout.split_wanted
        assert 0 <= shares.candidate_bp + shares.control_bp <= WHOLE_BP
        if rollout.rollback_requested:
            assert rollout.state in {RolloutState.ROLLED_BACK, RolloutState.ABORTED}
            assert rollout.epoch == before.epoch + 1
        if rollout.state.ended:
            assert (shares.candidate, shares.candidate_bp, shares.mirror_bp) == (None, 0, 0)
        elif event[0] == "look" and event[1] is VerdictKind.ROLLBACK:
            raise AssertionError("harm was seen and the rollout goes on")
        if rollout.stage_started_at is None:
            rollout = Rollout(
                **{name: getattr(rollout, name) for name in Rollout.__slots__} | {"stage_started_at": now_s}
            )
