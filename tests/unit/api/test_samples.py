"""Stored samples over HTTP: streamed, taken up again after a break, and judged by `backtest`."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from gatekeeper.cli.main import main
from gatekeeper.client import Client
from gatekeeper.errors import ForbiddenError, NotFoundError, StoreError, WorldError
from gatekeeper.flow.stored import ROWS_AT_ONCE
from gatekeeper.model.arm import Arm
from gatekeeper.model.exchange import Exchange
from gatekeeper.model.key import Scope
from gatekeeper.model.sample import Sample

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import World

    from gatekeeper.ports import Unit
    from gatekeeper.wiring import App

CANARY = 2
"""The index of the canary in the world's policy."""


def store(world: World, rollout_id: str, samples: list[Sample], stage: int) -> None:
    """Store samples of a stage."""
    exchanges = [
        Exchange(id=f"{stage}:{one.request_id}", ts=one.ts, arm=one.arm, rollout_id=rollout_id, stage=stage, epoch=1)
        for one in samples
    ]
    with world.app.unit() as unit:
        rows = unit.exchanges.add(exchanges)
        scored = zip(rows, exchanges, samples, strict=True)
        unit.samples.add([(row, exchange, sample, {}) for row, exchange, sample in scored])


def canary(n: int, refused: int) -> list[Sample]:
    """Return samples of both arms in turn; the candidate refuses so many in ten."""
    return [
        Sample(request_id=f"{arm}{i}", ts=float(i), arm=arm, refused=arm is Arm.CANDIDATE and i % 10 < refused)
        for i in range(n)
        for arm in (Arm.BASELINE, Arm.CANDIDATE)
    ]


def test_samples_come_as_they_were_stored_with_their_stage(world: World):
    rollout_id = world.rollout()
    odd = Sample(
        request_id="a",
        ts=1.5,
        arm=Arm.CANDIDATE,
        cluster_id="line\u2028end\x85ä",
        segment={"workload": "batch"},
        error="timeout",
        latency_ms=1e-9,
        extra={"score": 4.5, "cited": True},
    )
    store(world, rollout_id, [odd], 0)
    store(world, rollout_id, canary(2, 0), CANARY)
    client = world.client(Scope.VIEWER)
    found = list(client.stream_samples(rollout_id))
    assert found[0] == replace(odd, stage="0")
    assert [one.stage for one in found[1:]] == ["2"] * 4
    assert list(client.stream_samples(rollout_id, CANARY)) == found[1:]
    assert list(client.stream_samples(rollout_id, 1)) == []
    answer = world.http(Scope.VIEWER).get(f"/v1/rollouts/{rollout_id}/samples.jsonl", params={"stage": CANARY})
    assert answer.headers["content-type"] == "application/x-ndjson"
    lines = [json.loads(line) for line in answer.text.splitlines()]
    assert lines[0] == {
        "row": lines[0]["row"],
        "request_id": "baseline0",
        "ts": 0.0,
        "arm": "baseline",
        "refused": False,
        "stage": "2",
    }
    behind = {"after": lines[1]["row"]}
    rest = world.http(Scope.VIEWER).get(f"/v1/rollouts/{rollout_id}/samples.jsonl", params=behind)
    assert [json.loads(line) for line in rest.text.splitlines()] == lines[2:]


def test_who_may_not_read_rollouts_reads_no_samples(world: World):
    with pytest.raises(ForbiddenError):
        next(world.client(Scope.INGEST).stream_samples(world.rollout()))
    with pytest.raises(NotFoundError, match="nobody"):
        next(world.client(Scope.VIEWER).stream_samples("nobody"))


class Failing:
    """Be a store of which some units cannot be had: the database goes away and comes back."""

    def __init__(self, app: App, bad: set[int]) -> None:
        """Refuse the units of these numbers, counted from 1."""
        self._store, self._bad, self._units = app.store, bad, 0

    def unit(self, *, readonly: bool = False) -> Unit:
        """Return a unit, or raise StoreError."""
        self._units += 1
        if self._units in self._bad:
            raise StoreError("the database is away")
        return self._store.unit(readonly=readonly)

    def dispose(self) -> None:
        """Close nothing."""


@pytest.mark.parametrize(("bad", "whole"), [({4}, True), ({4, 8}, True), ({3}, False), ({4, 7}, False)])
def test_a_broken_stream_is_taken_up_where_it_broke(
    world: World,
    serve: Callable[[App], str],
    bad: set[int],
    whole: bool,  # noqa: FBT001 - a case of the test
):
    """Of each call the units are: the key's, the extent's, and one a page."""
    rollout_id, stored = world.rollout(), canary(3 * ROWS_AT_ONCE // 2, 1)
    store(world, rollout_id, stored, 0)
    url = serve(replace(world.app, store=Failing(world.app, bad)))
    with Client(url, world.keys[Scope.VIEWER]) as client:
        if whole:
            assert [one.request_id for one in client.stream_samples(rollout_id)] == [one.request_id for one in stored]
        else:
            with pytest.raises(WorldError):
                list(client.stream_samples(rollout_id))


@pytest.fixture
def policy(tmp_path: Path) -> str:
    """Give a policy's file."""
    path = tmp_path / "p.yaml"
    path.write_text("policy: other\nmetrics:\n  refusal_rate: {max_increase: 5pp}\n")
    return str(path)


@pytest.mark.parametrize("named", [("URL", "KEY"), ("URL", "KEY_FILE")])
def test_backtest_asks_the_control_plane_that_is_named(
    world: World,
    policy: str,
    named: tuple[str, str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
):
    rollout_id = world.rollout()
    store(world, rollout_id, canary(5, 9), 0)
    store(world, rollout_id, canary(400, 4), CANARY)
    world.client().rollback(rollout_id, "seen by hand")
    key = tmp_path / "key"
    key.write_text(world.keys[Scope.VIEWER])
    monkeypatch.setenv("GATEKEEPER_DATABASE_URL", f"sqlite:///{tmp_path}/nowhere.db")
    for name, value in {"URL": world.url, "KEY": world.keys[Scope.VIEWER], "KEY_FILE": str(key)}.items():
        monkeypatch.delenv(f"GATEKEEPER_API_{name}", raising=False)
        if name in named:
            monkeypatch.setenv(f"GATEKEEPER_API_{name}", value)
    assert main(["backtest", "--policy", policy, "--rollout", rollout_id, "--format", "json"]) == 0
    (replay,) = json.loads(capsys.readouterr().out)["replays"]
    assert (replay["name"], replay["was"]) == (rollout_id, "rolled_back")
    assert (replay["verdict"], replay["stage"], replay["of"]) == ("rollback", "3 (canary 10 %)", 800)
    assert replay["after_s"] == replay["samples"] / 2 - 1
    assert main(["backtest", "--policy", policy, "--rollout", "nobody"]) == 2
    assert "nobody" in capsys.readouterr().err
    monkeypatch.setenv("GATEKEEPER_API_URL", "http://127.0.0.1:9")
    assert main(["backtest", "--policy", policy, "--rollout", rollout_id]) == 4
    assert "does not answer" in capsys.readouterr().err
