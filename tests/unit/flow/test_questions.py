"""An evalset asked by jobs and judged as its answers come: a rollout's gate stage, and a gate of its own."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from gatekeeper.adapters.actuators.gateway import GatewayActuator
from gatekeeper.adapters.clock import HandClock
from gatekeeper.adapters.memory import MemoryStore
from gatekeeper.adapters.memory_evalsets import MemoryEndpoints, MemoryEvalsets
from gatekeeper.errors import InputError, NotFoundError, PolicyError
from gatekeeper.flow import override, trials
from gatekeeper.flow.control import turn
from gatekeeper.flow.grade import grade
from gatekeeper.flow.intake import SCORE
from gatekeeper.flow.questions import ASK, ask
from gatekeeper.flow.rollouts import create
from gatekeeper.flow.work import Outside
from gatekeeper.model.arm import Arm
from gatekeeper.model.evalset import EvalSample, Evalset
from gatekeeper.model.exchange import Failure
from gatekeeper.model.release import Deployment, Service
from gatekeeper.model.reply import Reply
from gatekeeper.model.rollout import Rollout, RolloutState
from gatekeeper.model.trial import Trial, TrialState
from gatekeeper.worker.tasks import Runner

if TYPE_CHECKING:
    from collections.abc import Callable

    Answer = Callable[[Arm, dict[str, Any]], Reply]

POLICY = """\
policy: p
metrics:
  refusal_rate: {max_increase: 5pp, detect: 20pp}
stages:
  - gate: {evalset: words, on_undecided: ON_UNDECIDED}
  - canary: {weight: 50%}
"""
REFUSAL = "I'm sorry, but I can't help with that."


def evalset(samples: int, repeats: int = 1) -> Evalset:
    made = tuple(
        EvalSample(id=f"s{number:03d}", input=({"role": "user", "content": f"What is word {number}?"},))
        for number in range(samples)
    )
    return Evalset(name="words", digest=f"digest-{samples}", samples=made, repeats=repeats, sampling={"seed": 1})


def said(text: str) -> Reply:
    message = {"role": "assistant", "content": text}
    usage = {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}
    return Reply(response={"choices": [{"index": 0, "message": message, "finish_reason": "stop"}], "usage": usage})


def fine(_: Arm, body: dict[str, Any]) -> Reply:
    return said(f"It is {body['messages'][0]['content'].split()[-1]}, as everybody knows.")


def refuses(arm: Arm, body: dict[str, Any]) -> Reply:
    return said(REFUSAL) if arm is Arm.CANDIDATE else fine(arm, body)


class World:
    """Hold a store with two deployments, a gateway that follows at once, an evalset, and a worker."""

    def __init__(self, answer: Answer, asked: Evalset) -> None:
        """Fill the store."""
        self.clock = HandClock()
        self.store = MemoryStore(self.clock)
        self.actuator = GatewayActuator(self.store.unit)
        self.evalsets = MemoryEvalsets({"words": asked})
        self.endpoints = MemoryEndpoints(answer)
        work = partial(ask, evalsets=self.evalsets, endpoints=self.endpoints, clock=self.clock)
        self.runner = Runner(self.store.unit, {ASK: Outside(work), SCORE: grade})
        with self.store.unit() as unit:
            for name in ("old", "new"):
                url = f"http://{name}.example"
                made = Deployment(id=name, service="s", release_digest=name, url=url, model="m", completion_usd=2.0)
                unit.catalog.put(made)
            unit.catalog.put(Service(name="s", deployment_id="old"))

    def begin(self, on_undecided: str = "hold") -> str:
        """Create a rollout and let the gateway show its first stage; return its id."""
        text = POLICY.replace("ON_UNDECIDED", on_undecided)
        with self.store.unit() as unit:
            made = create(unit, service="s", policy_text=text, candidate="new", actor="ann", evalsets=self.evalsets)
        self.turn()
        self.turn()
        return made.id

    def turn(self) -> None:
        """Do a turn of the control loop, and let the gateway follow."""
        turn(self.store.unit, self.actuator, self.evalsets)
        with self.store.unit() as unit:
            unit.splits.report_seen("gateway", {split.service: split.order for split in unit.splits.all()})

    def work(self, most: int = 1_000) -> int:
        """Run jobs that wait; return how many were done."""
        done = 0
        with self.store.unit() as unit:
            waiting = unit.jobs.due(most)
        for job in waiting:
            done += self.runner.run(job.id, 10.0)
        return done

    def walk(self) -> None:
        """Ask everything, score it and look."""
        self.work()
        self.work()
        self.turn()
        self.turn()

    def now(self, rollout_id: str) -> Rollout:
        """Return the rollout as it stands."""
        with self.store.unit() as unit:
            return unit.rollouts.get(rollout_id)


def test_an_equal_candidate_passes_the_gate_and_meets_users() -> None:
    world = World(fine, evalset(150, repeats=2))
    rollout = world.begin()
    assert world.now(rollout).split_wanted.candidate_bp == 0, "no user meets the candidate yet"
    world.walk()
    stands = world.now(rollout)
    assert (stands.stage, stands.split_wanted.candidate_bp) == (1, 5_000)
    with world.store.unit() as unit:
        assert unit.samples.counts(rollout)["stages"][0]["candidate"]["folded"] == 300
        (entry,) = [one for one in unit.audit.entries(rollout) if one.event == "rollout.created"]
    assert entry.body["evalsets"] == {"words": "digest-150"}


def test_a_candidate_that_refuses_is_rolled_back_before_all_is_asked_and_the_rest_is_not() -> None:
    world = World(refuses, evalset(150))
    rollout = world.begin()
    assert world.work(8) == 8
    world.work()
    world.turn()
    ended = world.now(rollout)
    assert ended.state is RolloutState.ROLLED_BACK
    assert "refusal_rate" in ended.reason
    asked = world.endpoints.asked
    world.clock.advance(60.0)
    world.work()
    assert world.endpoints.asked == asked


@pytest.mark.parametrize(
    ("on_undecided", "state"), [("hold", RolloutState.RUNNING), ("rollback", RolloutState.ROLLED_BACK)]
)
def test_an_evalset_too_small_to_prove_anything_does_what_the_stage_says(
    on_undecided: str, state: RolloutState
) -> None:
    world = World(fine, evalset(10))
    rollout = world.begin(on_undecided)
    world.work(1)
    world.work(1)
    world.turn()
    assert world.now(rollout).state is RolloutState.RUNNING, "while answers are to come it waits"
    world.clock.advance(60.0)
    world.walk()
    stands = world.now(rollout)
    assert (stands.state, stands.stage) == (state, 0)
    if state is RolloutState.RUNNING:
        with world.store.unit() as unit:
            override.skip(unit, rollout, actor="bob")
        assert world.now(rollout).stage == 1


def test_an_arm_out_of_order_is_no_verdict_and_is_asked_again() -> None:
    away = [True]

    def answer(arm: Arm, body: dict[str, Any]) -> Reply:
        if away[0] and arm is Arm.CANDIDATE:
            return Reply(error=Failure(kind="connect", message="refused"))
        return fine(arm, body)

    world = World(answer, evalset(150))
    rollout = world.begin()
    assert world.work() == 0
    world.turn()
    assert world.now(rollout).state is RolloutState.RUNNING
    with world.store.unit() as unit:
        assert not unit.samples.counts(rollout)["stages"]
    away[0] = False
    world.clock.advance(60.0)
    world.walk()
    assert world.now(rollout).stage == 1


def test_what_is_asked_first_is_like_the_whole_and_nothing_passes_before_all_is_answered() -> None:
    def late(arm: Arm, body: dict[str, Any]) -> Reply:
        number = int(body["messages"][0]["content"].split()[-1].rstrip("?"))
        return refuses(arm, body) if number >= 450 else fine(arm, body)

    world = World(late, evalset(600))
    rollout = world.begin()
    world.work(20)
    with world.store.unit() as unit:
        rows = [row for job in unit.jobs.due(100) if job.kind == SCORE for row in job.payload["rows"]]
        asked = [exchange.pair_id or "" for exchange in unit.exchanges.get(rows)]
    shares = sum(int(pair[-3:]) >= 450 for pair in asked) / len(asked)
    assert 0.1 < shares < 0.4, "a quarter of what is asked first is of the last quarter"
    world.clock.advance(60.0)
    world.walk()
    assert world.now(rollout).state is RolloutState.ROLLED_BACK


def test_an_evalset_that_changed_meanwhile_is_not_asked() -> None:
    world = World(fine, evalset(150))
    rollout = world.begin()
    world.evalsets.held["words"] = replace(evalset(150), digest="another")
    assert world.work() == 0
    assert world.endpoints.asked == 0
    assert world.now(rollout).stage == 0


def test_answers_cost_what_their_deployment_says() -> None:
    world = World(fine, evalset(8))
    rollout = world.begin()
    world.work()
    with world.store.unit() as unit:
        (job,) = unit.jobs.due(10)
        found = unit.exchanges.get(job.payload["rows"])
    assert {exchange.cost_usd for exchange in found} == {5 * 2.0 / 1e6}
    assert {(exchange.rollout_id, exchange.stage) for exchange in found} == {(rollout, 0)}


def test_an_unknown_evalset_is_a_fault_of_the_policy() -> None:
    world = World(fine, evalset(8))
    del world.evalsets.held["words"]
    with pytest.raises(PolicyError, match=r"stages\[0\].gate.evalset: no evalset 'words'"):
        world.begin()


def begin_trial(world: World, policy: str = POLICY.replace("ON_UNDECIDED", "hold"), **given: Any) -> str:  # noqa: ANN401 - as `trials.begin` takes them
    asked = {"service": "s", "policy_text": policy, "candidate": "new", "actor": "ci", "evalsets": world.evalsets}
    with world.store.unit() as unit:
        return trials.begin(unit, **asked, **given).id


def trial_of(world: World, trial_id: str) -> Trial:
    with world.store.unit() as unit:
        return unit.trials.get(trial_id)


@pytest.mark.parametrize(
    ("answer", "size", "state", "code"),
    [
        (fine, 150, TrialState.PASSED, 0),
        (refuses, 150, TrialState.FAILED, 1),
        (fine, 10, TrialState.UNDECIDED, 3),
    ],
)
def test_a_gate_of_its_own_ends_by_its_verdict(answer: Answer, size: int, state: TrialState, code: int) -> None:
    world = World(answer, evalset(size))
    trial = begin_trial(world)
    assert trial_of(world, trial).state.exit_code is None
    world.walk()
    ended = trial_of(world, trial)
    assert (ended.state, ended.state.exit_code, ended.answered) == (state, code, 2 * size)
    assert ended.report is not None
    assert ended.report["findings"][0]["metric"] == "refusal_rate"
    with world.store.unit() as unit:
        assert unit.catalog.service("s").deployment_id == "old", "a gate promotes nothing"


def test_a_gate_runs_beside_a_rollout_of_the_same_service() -> None:
    world = World(fine, evalset(150))
    rollout = world.begin()
    trial = begin_trial(world)
    world.walk()
    assert trial_of(world, trial).state is TrialState.PASSED
    assert world.now(rollout).stage == 1


def test_a_gate_whose_endpoints_are_away_is_broken_at_its_deadline_and_asks_no_more() -> None:
    world = World(lambda _arm, _body: Reply(error=Failure(kind="connect", message="refused")), evalset(10))
    trial = begin_trial(world, patience_s=30.0)
    world.walk()
    assert trial_of(world, trial).state is TrialState.RUNNING
    world.clock.advance(31.0)
    world.turn()
    ended = trial_of(world, trial)
    assert ended.state is TrialState.BROKEN
    assert ended.reason.startswith("0 of 20 answers in 30 s")
    asked = world.endpoints.asked
    world.clock.advance(60.0)
    world.work()
    assert world.endpoints.asked == asked


def test_a_gate_needs_an_evalset_and_metrics() -> None:
    world = World(fine, evalset(10))
    with pytest.raises(InputError, match="names an evalset"):
        begin_trial(world, "metrics: {refusal_rate: {max_increase: 1pp}}")
    with pytest.raises(NotFoundError, match="no evalset 'others'"):
        begin_trial(world, evalset="others")
    with world.store.unit() as unit:
        assert not unit.trials.list()
        assert not unit.jobs.due(10)
