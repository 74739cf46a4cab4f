"""A rollout's life over the store in memory: begun, acted on, stepped, overridden, ended."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from gatekeeper.adapters.actuators.gateway import GatewayActuator
from gatekeeper.adapters.clock import HandClock
from gatekeeper.adapters.memory import MemoryStore
from gatekeeper.adapters.spool import DiskSpool, SpoolReader
from gatekeeper.errors import ConflictError, InputError, NotFoundError, PolicyError
from gatekeeper.flow import intake, override, stored
from gatekeeper.flow.control import turn
from gatekeeper.flow.grade import grade
from gatekeeper.flow.rollouts import create
from gatekeeper.model.arm import Arm
from gatekeeper.model.exchange import Exchange, Place
from gatekeeper.model.release import Deployment, Service
from gatekeeper.model.rollout import Rollout, RolloutState
from gatekeeper.model.sample import Sample

if TYPE_CHECKING:
    from pathlib import Path

POLICY = """\
policy: p
metrics:
  refusal_rate: {max_increase: 5pp}
stages:
  - warmup: {requests: 2}
  - shadow: {mirror: 100%}
  - canary: {weight: 50%, needs_approval: true}
"""


class World:
    """Hold a store with two deployments of a service, and a gateway that follows at once when told to."""

    def __init__(self) -> None:
        """Fill the store."""
        self.clock = HandClock()
        self.store = MemoryStore(self.clock)
        self.actuator = GatewayActuator(self.store.unit)
        self._sent = 0
        with self.store.unit() as unit:
            for name in ("old", "new"):
                url = f"http://{name}.example"
                unit.catalog.put(Deployment(id=name, service="s", release_digest=name, url=url, model="m"))
            unit.catalog.put(Service(name="s", deployment_id="old"))

    def begin(self, policy: str = POLICY, **changes: str) -> Rollout:
        """Create a rollout of `new`."""
        asked = {"service": "s", "policy_text": policy, "candidate": "new", "actor": "ann", **changes}
        with self.store.unit() as unit:
            return create(unit, **asked)

    def follow(self) -> None:
        """Let the gateway apply what is published, and the control loop see it."""
        turn(self.store.unit, self.actuator)
        with self.store.unit() as unit:
            unit.splits.report_seen("gateway", {split.service: split.order for split in unit.splits.all()})
        turn(self.store.unit, self.actuator)

    def send(self, rollout: Rollout, count: int, *, refused: bool = False, paired: bool = True) -> None:
        """Store scored samples of the current stage, one of each arm, the candidate's refused when asked."""
        rows = []
        for number in range(self._sent, self._sent + count):
            for arm in (Arm.BASELINE, Arm.CANDIDATE):
                name, pair = f"{number}-{arm}", f"{number}" if paired else None
                exchange = Exchange(
                    id=name, ts=self.clock.now(), arm=arm, pair_id=pair, rollout_id=rollout.id, stage=rollout.stage,
                    epoch=rollout.epoch, response={},
                )  # fmt: skip
                sample = Sample(
                    request_id=name,
                    ts=self.clock.now(),
                    arm=arm,
                    pair_id=pair,
                    refused=refused and arm is Arm.CANDIDATE,
                )
                rows.append((exchange, sample))
        self._sent += count
        with self.store.unit() as unit:
            stored = unit.exchanges.add([exchange for exchange, _ in rows])
            unit.samples.add(
                [(row, exchange, sample, {}) for row, (exchange, sample) in zip(stored, rows, strict=True)]
            )
        turn(self.store.unit, self.actuator)

    def now(self, rollout: Rollout) -> Rollout:
        """Return the rollout as it stands."""
        with self.store.unit() as unit:
            return unit.rollouts.get(rollout.id)


@pytest.mark.parametrize(("metric", "told"), [("ttft_ms.p95", True), ("refusal_rate", False)])
def test_a_single_replica_is_told_where_times_are_judged_and_rules_nothing(metric: str, told: bool) -> None:  # noqa: FBT001 - a case
    world = World()
    with world.store.unit() as unit:
        unit.catalog.put(replace(unit.catalog.deployment("new"), replicas=1))
    margin = "10%" if told else "5pp"
    rollout = world.begin(f"metrics:\n  {metric}: {{max_increase: {margin}}}\nstages:\n  - shadow: {{mirror: 100%}}\n")
    world.follow()
    world.send(rollout, 20)
    with world.store.unit() as unit:
        (look,) = unit.tallies.reports(rollout.id)
    found = [check for check in look["report"]["checks"] if check["name"] == "replicas"]
    assert [check["ruling"] for check in found] == (["inconclusive"] if told else [])
    assert world.now(rollout).state is RolloutState.RUNNING


def test_a_healthy_candidate_walks_all_the_way() -> None:
    world = World()
    rollout = world.begin()
    world.send(rollout, 5)
    assert world.now(rollout).stage == 0, "nothing is ruled before a gateway shows the split"
    world.follow()
    assert world.now(rollout).stage == 1
    world.follow()
    world.send(world.now(rollout), 400)
    assert world.now(rollout).stage == 2
    world.follow()
    world.send(world.now(rollout), 1_500, paired=False)
    assert "waits for an approval" in world.now(rollout).reason
    with world.store.unit() as unit:
        override.approve(unit, rollout.id, actor="bob")
    world.follow()
    ended = world.now(rollout)
    assert (ended.state, ended.settled) == (RolloutState.PROMOTED, True)
    with world.store.unit() as unit:
        assert unit.catalog.service("s").deployment_id == "new"
        assert [entry.version for entry in unit.audit.entries(rollout.id)] == list(range(ended.version + 1))


def test_harm_ends_it_and_takes_the_traffic_away() -> None:
    world = World()
    rollout = world.begin()
    world.follow()
    world.send(rollout, 5)
    world.follow()
    world.send(world.now(rollout), 100, refused=True)
    ended = world.now(rollout)
    assert (ended.state, ended.epoch) == (RolloutState.ROLLED_BACK, rollout.epoch + 1)
    assert "refusal_rate" in ended.reason
    world.follow()
    assert world.now(rollout).settled
    again = world.begin()
    assert again.epoch > ended.epoch, "the next rollout's splits must win over this one's"


def test_evidence_of_another_epoch_does_not_count() -> None:
    world = World()
    rollout = world.begin()
    world.follow()
    world.send(replace(rollout, epoch=rollout.epoch + 7), 50)
    assert world.now(rollout).stage == 0


@pytest.mark.parametrize(
    ("changes", "error", "says"),
    [
        ({"policy": "policy: p\nmetrics: {refusal_rate: {max_increase: 1pp}}\n"}, PolicyError, "needs stages"),
        (
            {"policy": POLICY.replace("  - warmup: {requests: 2}", "  - gate: {evalset: e}")},
            PolicyError,
            "gatekeeper gate",
        ),
        ({"policy": "policy: p\nmetrics: {nonsense: {max_increase: 1pp}}\nstages: []\n"}, PolicyError, "nonsense"),
        ({"candidate": "nobody"}, NotFoundError, "nobody"),
        ({"candidate": "old"}, InputError, "baseline already"),
        ({"service": "other", "baseline": "old"}, InputError, "serves 's'"),
    ],
)
def test_what_cannot_begin_is_refused_and_nothing_is_stored(
    changes: dict[str, str], error: type[Exception], says: str
) -> None:
    world = World()
    with pytest.raises(error, match=says):
        world.begin(**changes)
    with world.store.unit() as unit:
        assert not unit.rollouts.list()


def test_one_rollout_a_service_at_a_time() -> None:
    world = World()
    world.begin()
    with pytest.raises(ConflictError, match="running"):
        world.begin()


def test_a_rollback_wins_over_a_stale_promotion_and_says_so() -> None:
    world = World()
    rollout = world.begin()
    with world.store.unit() as unit:
        override.rollback(unit, rollout.id, actor="bob", reason="errors")
    with world.store.unit() as unit, pytest.raises(ConflictError, match="has ended"):
        override.promote(unit, rollout.id, actor="ann")
    with world.store.unit() as unit:
        assert override.rollback(unit, rollout.id, actor="eve").version == rollout.version + 1


def test_human_actions_hold_to_the_version_they_saw() -> None:
    world = World()
    rollout = world.begin()
    with world.store.unit() as unit:
        override.pause(unit, rollout.id, actor="ann", if_match=rollout.version)
    with world.store.unit() as unit, pytest.raises(ConflictError, match="look again"):
        override.resume(unit, rollout.id, actor="ann", if_match=rollout.version)


def test_who_created_a_rollout_does_not_approve_it() -> None:
    world = World()
    rollout = world.begin(POLICY.replace("  - warmup: {requests: 2}\n  - shadow: {mirror: 100%}\n", ""))
    with world.store.unit() as unit, pytest.raises(ConflictError, match="somebody else"):
        override.approve(unit, rollout.id, actor="ann")


@pytest.mark.parametrize("on_undecided", ["hold", "rollback"])
def test_evidence_of_another_version_is_never_read_and_the_stage_waits_for_its_deadline(on_undecided: str) -> None:
    world = World()
    stage = f"  - shadow: {{mirror: 100%, max_wait: 1h, on_undecided: {on_undecided}}}\n"
    rollout = world.begin("metrics:\n  refusal_rate: {max_increase: 5pp}\nstages:\n" + stage)
    world.follow()
    world.send(rollout, 10)
    key = (rollout.id, 0, rollout.epoch)
    with world.store.unit() as unit:
        body = unit.tallies.get(*key)
        assert body is not None
        old = {name: value for name, value in body["evidence"].items() if name != "form"}
        unit.tallies.put(*key, body | {"evidence": old})
    world.send(rollout, 1_000)
    stands = world.now(rollout)
    assert (stands.state, stands.stage) == (RolloutState.RUNNING, 0)
    assert "abort the rollout and create it again" in stands.reason
    world.clock.advance(3_600.0)
    turn(world.store.unit, world.actuator)
    ended = {"hold": RolloutState.RUNNING, "rollback": RolloutState.ROLLED_BACK}
    assert world.now(rollout).state is ended[on_undecided]


def test_a_stage_that_lacks_exchanges_is_not_promoted_until_the_rest_outweighs_them(tmp_path: Path) -> None:
    world = World()
    rollout = world.begin("metrics:\n  refusal_rate: {max_increase: 5pp}\nstages:\n  - shadow: {mirror: 100%}\n")
    world.follow()
    place = Place(arm=Arm.CANDIDATE, service="s", rollout_id=rollout.id, stage=0, epoch=rollout.epoch)
    spool = DiskSpool(tmp_path)
    for _ in range(5):
        spool.lose(place)
    spool.close()
    (batch,) = SpoolReader(tmp_path).batches()
    with world.store.unit() as unit:
        intake.accept(unit, batch.exchanges)
        for job in unit.jobs.due(10):
            grade(unit, job.payload)
    world.send(rollout, 1_000)
    stands = world.now(rollout)
    assert stands.state is RolloutState.RUNNING
    assert "5 exchanges (0.25%) could not be recorded" in stands.reason
    assert [sample.lost for page in stored.pages(world.store.unit, rollout.id) for _, _, sample in page][:1] == [None]
    world.send(stands, 2_000)
    world.follow()
    assert world.now(rollout).state is RolloutState.PROMOTED
    with world.store.unit() as unit:
        last = unit.tallies.reports(rollout.id)[0]["report"]
    assert [check["ruling"] for check in last["checks"] if check["name"] == "recording"] == ["inconclusive"]


def test_harm_on_a_stage_that_lacks_exchanges_still_ends_it() -> None:
    world = World()
    rollout = world.begin("metrics:\n  refusal_rate: {max_increase: 5pp}\nstages:\n  - shadow: {mirror: 100%}\n")
    world.follow()
    notice = Exchange(
        id="lost/1", ts=0.0, arm=Arm.BASELINE, rollout_id=rollout.id, stage=0, epoch=rollout.epoch, lost=99
    )
    with world.store.unit() as unit:
        intake.accept(unit, [notice])
        for job in unit.jobs.due(10):
            grade(unit, job.payload)
    world.send(rollout, 100, refused=True)
    assert world.now(rollout).state is RolloutState.ROLLED_BACK
