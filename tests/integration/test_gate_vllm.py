"""`gatekeeper gate` on real vLLM servers that it starts itself, both at once."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from gatekeeper.demo import models

if TYPE_CHECKING:
    from collections.abc import Mapping

pytestmark = [pytest.mark.vllm, pytest.mark.serial, pytest.mark.timeout(900)]
EVALSET = Path(__file__).parents[2] / "evalsets" / "demo-chat"
SIZE = 595
BAD = [
    ("over-refuses", "refusal_rate"),
    pytest.param("breaks-json", "json_validity", marks=pytest.mark.long),
    pytest.param("wrong-answers", "task_success", marks=pytest.mark.long),
]


@pytest.fixture(scope="module")
def places() -> Mapping[str, Path]:
    return models.ensure(["baseline", "good"], models.default_cache_dir())


def place(name: str) -> Path:
    """Return where a model is, after making it."""
    return models.ensure([name], models.default_cache_dir())[name]


@pytest.fixture(autouse=True)
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("GATEKEEPER_DATA_DIR", str(tmp_path / "data"))
    return tmp_path / "data" / "gate"


def _command(baseline: str | None, candidate: str, *args: str, policy: Path = EVALSET / "policy.yaml") -> list[str]:
    return [
        sys.executable, "-m", "gatekeeper", "gate", "--format", "json", "--policy", str(policy),
        "--evalset", str(EVALSET), "--candidate", candidate, *(("--baseline", baseline) if baseline else ()), *args,
    ]  # fmt: skip


def _gate(
    baseline: str | None, candidate: str, *args: str, policy: Path = EVALSET / "policy.yaml"
) -> tuple[int, dict[str, Any], str]:
    ran = subprocess.run(
        _command(baseline, candidate, *args, policy=policy), capture_output=True, text=True, timeout=600, check=False
    )
    return ran.returncode, json.loads(ran.stdout or "{}"), ran.stderr


@pytest.fixture(scope="module")
def equal(
    places: Mapping[str, Path], tmp_path_factory: pytest.TempPathFactory
) -> tuple[int, dict[str, Any], str, Path]:
    """Run an equally good model against the baseline; return what came of it, and the record of both arms' answers."""
    folder = tmp_path_factory.mktemp("equal")
    arms = f"vllm:{places['baseline']}", f"vllm:{places['good']}"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GATEKEEPER_DATA_DIR", str(folder / "data"))
        return *_gate(*arms, "--load", "1,8", "--record", str(folder / "record.jsonl")), folder / "record.jsonl"


def test_an_equally_good_model_passes_and_bears_the_same_load(equal: tuple[int, dict[str, Any], str, Path]):
    code, report, errors, _ = equal
    assert (code, report.get("verdict")) == (0, "promote"), f"{errors}\n{json.dumps(report, indent=1)}"
    steps = [(step["concurrency"], step["arm"], step["failed"]) for step in report["profile"]]
    assert steps == [(each, arm, {}) for each in (1, 8) for arm in ("baseline", "candidate")]
    assert all(step["tokens_per_s"] > 0 and step["tpot_p50_ms"] > 0 for step in report["profile"])


@pytest.mark.parametrize(("bad", "metric"), BAD)
def test_a_bad_model_fails_for_what_is_bad_about_it(
    equal: tuple[int, dict[str, Any], str, Path], bad: str, metric: str
):
    code, report, errors = _gate(None, f"vllm:{place(bad)}", "--against", str(equal[3]))
    assert (code, report.get("verdict")) == (1, "rollback"), f"{errors}\n{json.dumps(report, indent=1)}"
    assert metric in report["reasons"][0]
    assert metric in {pair["metric"] for pair in report["pairs"]}


@pytest.mark.long
def test_a_slow_model_fails_where_times_have_a_margin(places: Mapping[str, Path], tmp_path: Path):
    policy = tmp_path / "policy.yaml"
    policy.write_text("metrics:\n  tpot_ms: {max_increase: 50%}\n")
    code, report, errors = _gate(f"vllm:{places['baseline']}", f"vllm:{place('slow')}", policy=policy)
    assert (code, report.get("verdict")) == (1, "rollback"), f"{errors}\n{json.dumps(report, indent=1)}"
    assert "tpot_ms" in report["reasons"][0]


@pytest.mark.long
def test_a_killed_run_goes_on_with_servers_started_anew(places: Mapping[str, Path], data: Path, tmp_path: Path):
    arms = f"vllm:{places['baseline']}", f"vllm:{places['good']}"
    process = subprocess.Popen(_command(*arms), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 300
    try:
        while _finished(data) < SIZE:
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.05)
    finally:
        process.kill()
        process.wait()
    finished = _finished(data)
    record = tmp_path / "record.jsonl"
    code, report, errors = _gate(*arms, "--record", str(record))
    assert code == 0, errors
    checks = {check["name"]: check["reason"] for check in report["checks"]}
    assert checks["resumed"].startswith(f"{finished:,} requests had been finished")
    assert len({json.loads(line)["id"] for line in record.read_text().splitlines()}) == 2 * SIZE


def _finished(data: Path) -> int:
    return sum(path.read_bytes().count(b"\n") for path in data.glob("*.jsonl"))


def test_a_dead_endpoint_is_found_before_a_server_is_started(places: Mapping[str, Path]):
    code, report, errors = _gate(f"vllm:{places['baseline']}", "http://127.0.0.1:9")
    assert (code, report["verdict"], report["findings"]) == (4, "hold", [])
    assert "does not answer" in errors
    assert "starting" not in errors
