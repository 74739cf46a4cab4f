"""`plan`, `backtest` and `calibrate` from outside: forms, exit codes, bad input, and a rollout out of the database."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from gatekeeper.adapters.store.unit import SqlStore
from gatekeeper.cli.main import main
from gatekeeper.model.arm import Arm
from gatekeeper.model.audit import AuditEntry
from gatekeeper.model.exchange import Exchange
from gatekeeper.model.rollout import Rollout, RolloutState
from gatekeeper.model.sample import Sample
from gatekeeper.model.split import Endpoint, Split

if TYPE_CHECKING:
    from pathlib import Path

POLICY = """\
policy: support-bot
metrics:
  refusal_rate: {max_increase: 5pp}
stages:
  - canary: {weight: 50%, max_wait: 1h}
"""

Streams = pytest.CaptureFixture[str]


@pytest.fixture
def policy(tmp_path: Path) -> str:
    path = tmp_path / "p.yaml"
    path.write_text(POLICY)
    return str(path)


@pytest.fixture
def samples(tmp_path: Path) -> str:
    rows = [
        {"ts": i, "request_id": str(i), "arm": arm, "refused": arm == "candidate" and i % 10 < 4}
        for i in range(400)
        for arm in ("baseline", "candidate")
    ]
    rows[0]["refused"] = True
    path = tmp_path / "s|x.jsonl"
    path.write_text("\n".join(map(json.dumps, rows)))
    return str(path)


@pytest.mark.parametrize("form", ["text", "json", "markdown"])
@pytest.mark.parametrize("command", ["plan", "simulate", "backtest", "calibrate"])
def test_every_form_goes_to_stdout_and_nothing_else_does(
    command: str, form: str, policy: str, samples: str, tmp_path: Path, capsys: Streams
):
    args = {
        "plan": ["plan", "--baseline", samples],
        "simulate": ["plan", "--simulate", "--replicates", "10", "--rps", "1", "--rates", "refusal_rate=2%"],
        "backtest": ["backtest", samples],
        "calibrate": ["calibrate", samples, "--replicates", "2", "--seed", "3"],
    }[command]
    assert main([*args, "--policy", policy, "--format", form, "-o", str(tmp_path / "out")]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    assert (tmp_path / "out").read_text() == out
    if form == "json":
        assert isinstance(json.loads(out), dict)
    elif form == "markdown":
        assert "s|x" not in out
    else:
        assert {"plan": "refusal_rate", "simulate": "Simulated", "backtest": "Why", "calibrate": "within"}[
            command
        ] in out


def test_a_backtest_says_what_when_and_why(policy: str, samples: str, capsys: Streams):
    assert main(["backtest", "--policy", policy, samples, "--format", "json", "--look-every", "40"]) == 0
    (replay,) = json.loads(capsys.readouterr().out)["replays"]
    assert replay["verdict"] == "rollback"
    assert replay["samples"] % 40 == 0
    assert "worse than the margin" in replay["reason"]


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["plan", "--rps", "0"], "rps is 0; expected more than 0"),
        (["plan", "--rates", "refusal=1%"], "no metric 'refusal'"),
        (["plan", "--rates", "refusal_rate=150%"], "refusal_rate is 1.5; expected more than 0 and less than 1"),
        (["plan", "--simulate", "--stage", "7", "--replicates", "10"], "stage is 7"),
        (["plan", "--simulate", "--replicates", "1"], "--replicates"),
        (["plan", "--baseline", "nope.jsonl"], "nope.jsonl"),
        (["backtest"], "nothing to replay"),
        (["backtest", "nope.jsonl"], "nope.jsonl"),
        (["calibrate", "nope.jsonl"], "nope.jsonl"),
        (["calibrate", "nope.jsonl", "--look-every", "0"], "--look-every"),
    ],
)
def test_bad_input_exits_2_with_name_value_and_bound(args: list[str], words: str, policy: str, capsys: Streams):
    assert main([*args, "--policy", policy]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert words in err


def stored(url: str) -> None:
    """Keep an ended rollout `r1` whose candidate refused four in ten."""
    store = SqlStore(url)
    store.upgrade()
    split = Split(service="chat", epoch=1, version=0, baseline=Endpoint(url="http://b", model="m"))
    fields: dict[str, Any] = {"policy_name": "p", "policy_digest": "d", "baseline_id": "b", "candidate_id": "c"}
    rollout = Rollout(
        id="r1",
        service="chat",
        policy_text=POLICY,
        salt="s",
        state=RolloutState.PROMOTED,
        reason="was fine then",
        split_wanted=split,
        created_at=1.0,
        **fields,
    )
    exchanges = [
        Exchange(id=f"{arm}{i}", ts=float(i), arm=arm, rollout_id="r1", stage=0, epoch=1)
        for i in range(400)
        for arm in (Arm.BASELINE, Arm.CANDIDATE)
    ]
    with store.unit() as unit:
        unit.rollouts.add(rollout, AuditEntry(rollout_id="r1", version=0, ts=1.0, actor="test", event="begun"))
        rows = unit.exchanges.add(exchanges)
        refused = [x.arm is Arm.CANDIDATE and int(x.ts) % 10 < 4 for x in exchanges]
        unit.samples.add(
            [
                (row, x, Sample(request_id=x.id, ts=x.ts, arm=x.arm, refused=no), {})
                for row, x, no in zip(rows, exchanges, refused, strict=True)
            ]
        )
    store.dispose()


def test_a_stored_rollout_is_replayed(policy: str, tmp_path: Path, capsys: Streams, monkeypatch: pytest.MonkeyPatch):
    url = f"sqlite:///{tmp_path / 'gatekeeper.db'}"
    monkeypatch.setenv("GATEKEEPER_DATABASE_URL", url)
    for name in ("URL", "KEY", "KEY_FILE"):
        monkeypatch.delenv(f"GATEKEEPER_API_{name}", raising=False)
    args = ["backtest", "--policy", policy, "--rollout", "r1", "--format", "json"]
    assert main(args) == 2
    assert "no such file" in capsys.readouterr().err
    assert not (tmp_path / "gatekeeper.db").exists()
    stored(url)
    assert main(args) == 0
    (replay,) = json.loads(capsys.readouterr().out)["replays"]
    assert (replay["name"], replay["was"], replay["was_reason"]) == ("r1", "promoted", "was fine then")
    assert (replay["verdict"], replay["stage"], replay["of"]) == ("rollback", "1 (canary 50 %)", 800)
    assert main([*args[:-3], "r2"]) == 2
    assert "r2" in capsys.readouterr().err
