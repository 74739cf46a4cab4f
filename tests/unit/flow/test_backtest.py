"""Recorded samples and stored rollouts judged again."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from gatekeeper.decide.policyfile import policy_from_mapping
from gatekeeper.errors import InputError
from gatekeeper.flow.backtest import Recorded, replay_file, replay_rollout
from gatekeeper.model.arm import Arm
from gatekeeper.model.finding import VerdictKind
from gatekeeper.model.rollout import Rollout, RolloutState
from gatekeeper.model.sample import Sample
from gatekeeper.model.split import Endpoint, Split
from gatekeeper.model.wire import sample_to_dict

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

THEN = """\
metrics:
  refusal_rate: {max_increase: 10pp}
stages:
  - warmup: {requests: 5}
  - shadow: {mirror: 20%}
  - canary: {weight: 10%}
"""


def policy(margin: str):
    return policy_from_mapping({"metrics": {"refusal_rate": {"max_increase": margin}}})


def samples(n: int, refused: float, *, paired: bool = False, start: float = 1e9) -> list[Sample]:
    rng = np.random.default_rng(4)
    return [
        Sample(
            request_id=f"{arm}{i}",
            ts=start + i,
            arm=arm,
            pair_id=str(i) if paired else None,
            refused=bool(rng.random() < (refused if arm is Arm.CANDIDATE else 0.02)),
        )
        for i in range(n)
        for arm in (Arm.BASELINE, Arm.CANDIDATE)
    ]


def recorded(stored: dict[int, list[Sample]]) -> Recorded:
    rollout = Rollout(
        id="r1",
        service="chat",
        policy_name="p",
        policy_digest="d",
        policy_text=THEN,
        baseline_id="b",
        candidate_id="c",
        salt="s",
        state=RolloutState.PROMOTED,
        reason="all proven",
        split_wanted=Split(service="chat", epoch=1, version=1, baseline=Endpoint(url="http://b", model="m")),
        created_at=1e9,
    )
    counts = {stage: len(some) for stage, some in stored.items()}
    return Recorded(rollout=rollout, stored=counts, read=lambda stage: iter(stored[stage]))


def test_a_file_is_judged_by_the_new_policy(tmp_path: Path):
    path = tmp_path / "then.jsonl"
    path.write_text("\n".join(json.dumps(sample_to_dict(s)) for s in samples(2_000, 0.1)))
    strict = replay_file(str(path), policy("1pp"))
    assert (strict.name, strict.verdict, strict.was) == ("then.jsonl", VerdictKind.ROLLBACK, "")
    assert strict.samples % 100 == 0
    assert strict.after_s == pytest.approx(strict.samples / 2 - 1)
    assert "refusal_rate is up" in strict.reason
    assert replay_file(str(path), policy("30pp")).verdict is VerdictKind.PROMOTE
    few = tmp_path / "few.jsonl"
    few.write_text("\n".join(json.dumps(sample_to_dict(s)) for s in samples(20, 0.02)))
    undecided = replay_file(str(few), policy("1pp"))
    assert (undecided.verdict, undecided.after_s, undecided.samples) == (VerdictKind.HOLD, None, 40)


def test_a_rollout_walks_its_stages_until_the_new_policy_stops():
    stored = {0: samples(10, 0.9), 1: samples(2_000, 0.02, paired=True), 2: samples(3_000, 0.2, start=1e9 + 5_000)}
    strict = replay_rollout(recorded(stored), policy("5pp"))
    assert (strict.was, strict.was_reason, strict.verdict) == ("promoted", "all proven", VerdictKind.ROLLBACK)
    assert strict.stage == "3 (canary 10 %)"
    assert strict.of == 10_000
    assert strict.after_s is not None
    assert strict.after_s > 5_000
    assert replay_rollout(recorded(stored), policy("40pp")).verdict is VerdictKind.PROMOTE
    held = replay_rollout(recorded({1: samples(20, 0.02, paired=True), 2: stored[2]}), policy("2pp"))
    assert (held.verdict, held.stage) == (VerdictKind.HOLD, "2 (shadow 20 %)")


def test_stages_behind_the_decision_are_not_read():
    stored = {1: samples(20, 0.02, paired=True), 2: samples(20, 0.02)}
    asked = []

    def read(stage: int) -> Iterator[Sample]:
        asked.append(stage)
        return iter(stored[stage])

    held = replay_rollout(replace(recorded(stored), read=read), policy("2pp"))
    assert (held.verdict, held.of, asked) == (VerdictKind.HOLD, 80, [1])


def test_nothing_stored_holds_and_says_so():
    empty = replay_rollout(recorded({}), policy("2pp"))
    assert (empty.verdict, empty.samples, empty.reason) == (VerdictKind.HOLD, 0, "no samples are stored")


def test_a_file_that_is_not_there_is_named(tmp_path: Path):
    with pytest.raises(InputError, match="nope"):
        replay_file(str(tmp_path / "nope.jsonl"), policy("1pp"))
