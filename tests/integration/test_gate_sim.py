"""`gatekeeper gate` as a pipeline runs it, against simulated engines: verdict, exit code, and the report's forms."""

from __future__ import annotations

import html
import json
import os
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from gatekeeper.adapters.engines import sim
from gatekeeper.adapters.evalsets import bless
from gatekeeper.demo.sim_answers import flags

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    Endpoints = Mapping[str, str]

EVALSET = Path(__file__).parents[2] / "evalsets" / "demo-chat"
DEAD = "http://127.0.0.1:9"
TOO_MANY = 60


@pytest.fixture(scope="module")
def endpoints(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Endpoints]:
    logs = tmp_path_factory.mktemp("sims")
    servers = {
        name: sim.start(name, served_name="demo", flags=flags(name), log_path=logs / f"{name}.log")
        for name in ("baseline", "good", "over-refuses", "breaks-json")
    }
    try:
        for server in servers.values():
            server.ready()
        yield {name: server.url for name, server in servers.items()}
    finally:
        for server in servers.values():
            server.stop()


@pytest.fixture(autouse=True)
def _data_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GATEKEEPER_DATA_DIR", str(tmp_path / "data"))


def _gatekeeper(*args: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "COLUMNS": "200"}
    return subprocess.run(
        [sys.executable, "-m", "gatekeeper", *args],
        capture_output=True, text=True, timeout=TOO_MANY, check=False, env=environment,
    )  # fmt: skip


def _gate(baseline: str, candidate: str, *args: str, evalset: Path = EVALSET) -> subprocess.CompletedProcess[str]:
    policy = str(EVALSET / "policy.yaml")
    return _gatekeeper(
        "gate", "--policy", policy, "--evalset", str(evalset), "--baseline", baseline, "--candidate", candidate, *args
    )


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("evalsets") / "small"
    folder.mkdir()
    lines = (EVALSET / "samples.jsonl").read_text().splitlines()
    (folder / "samples.jsonl").write_text("\n".join(lines[::25]))
    (folder / "manifest.yaml").write_text("format: 1\nlicence: Apache-2.0\nsource: a part of demo-chat\n")
    bless(folder)
    return folder


def test_an_equal_candidate_passes_and_every_form_says_so(endpoints: Endpoints, tmp_path: Path):
    junit, output, record = tmp_path / "out" / "junit.xml", tmp_path / "report.json", tmp_path / "record.jsonl"
    ran = _gate(
        endpoints["baseline"], f"{endpoints['good']}/v1",
        "--model", "demo", "--format", "json", "--output", str(output), "--junit", str(junit), "--record", str(record),
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    report = json.loads(ran.stdout)
    assert report == json.loads(output.read_text())
    assert report["verdict"] == "promote"
    assert {finding["ruling"] for finding in report["findings"] if finding["margin"] is not None} == {"pass"}
    assert all(finding["paired"] for finding in report["findings"])
    assert not list(ET.parse(junit).getroot().iter("failure"))  # noqa: S314  # our own file
    assert len(record.read_text().splitlines()) == 1190
    assert ran.stderr == ""
    scored = _gatekeeper("score", str(record), "-o", str(tmp_path / "samples.jsonl"))
    assert scored.returncode == 0, scored.stderr
    again = _gatekeeper(
        "analyze", "--policy", str(EVALSET / "policy.yaml"), "--format", "json", str(tmp_path / "samples.jsonl")
    )
    assert again.returncode == 0, again.stderr
    assert json.loads(again.stdout)["findings"] == report["findings"]


@pytest.mark.parametrize(
    ("candidate", "metric", "form"),
    [("over-refuses", "refusal_rate", "text"), ("breaks-json", "json_validity", "markdown")],
)
def test_a_regression_fails_and_every_form_names_it(
    endpoints: Endpoints, tmp_path: Path, candidate: str, metric: str, form: str
):
    junit = tmp_path / "junit.xml"
    ran = _gate(endpoints["baseline"], endpoints[candidate], "--format", form, "--junit", str(junit))
    assert ran.returncode == 1, ran.stderr
    verdict = next(line for line in html.unescape(ran.stdout).splitlines() if "rollback" in line.lower())
    assert metric in verdict
    cases = ET.parse(junit).getroot().iter("testcase")  # noqa: S314  # our own file
    assert any(metric in case.get("name", "") for case in cases if case.find("failure") is not None)


def test_too_few_samples_are_inconclusive_unless_said_otherwise(endpoints: Endpoints, small: Path):
    arms = endpoints["baseline"], endpoints["good"]
    assert _gate(*arms, evalset=small).returncode == 3
    assert _gate(*arms, "--on-inconclusive", "pass", evalset=small).returncode == 0
    assert _gate(*arms, "--on-inconclusive", "fail", evalset=small).returncode == 1


def test_a_dead_endpoint_is_infrastructure(endpoints: Endpoints):
    for arms in ((endpoints["baseline"], DEAD), (DEAD, endpoints["good"])):
        ran = _gate(*arms)
        assert ran.returncode == 4
        assert ran.stdout.startswith("Hold: nothing was judged: ")
        assert "does not answer" in ran.stderr


def test_engines_are_started_for_the_run_and_stopped_after(small: Path):
    ran = _gate("sim:baseline", "sim:good", "--format", "json", "--on-inconclusive", "pass", evalset=small)
    assert ran.returncode == 0, ran.stderr
    assert "starting candidate: sim serving good" in ran.stderr
    checks = {check["name"]: check["reason"] for check in json.loads(ran.stdout)["checks"]}
    assert checks["evalset"].endswith("0 requests failed")


@pytest.mark.parametrize(
    ("candidate", "words"),
    [
        ("simm:good", "unknown engine 'simm'; known: sim, vllm"),
        ("sim:terrible", "unknown demo model 'terrible'"),
        ("good", "expected http(s)://HOST or ENGINE:MODEL"),
    ],
)
def test_a_place_that_is_none_is_a_usage_error(endpoints: Endpoints, candidate: str, words: str):
    ran = _gate(endpoints["baseline"], candidate)
    assert ran.returncode == 2
    assert words in ran.stderr


def test_a_broken_policy_and_a_changed_evalset_stop_before_anything_is_asked(tmp_path: Path):
    policy = tmp_path / "policy.yaml"
    policy.write_text("metrics:\n  refusal_rat: {max_increase: 1pp}\n  error_rate: {max_increase: 1 furlong}\n")
    arms = ("--baseline", DEAD, "--candidate", DEAD)
    ran = _gatekeeper("gate", "--policy", str(policy), "--evalset", str(EVALSET), *arms)
    assert ran.returncode == 2
    assert f"{policy}:2:3" in ran.stderr
    assert f"{policy}:3:" in ran.stderr
    changed = tmp_path / "changed"
    changed.mkdir()
    for name in ("manifest.yaml", "samples.jsonl"):
        (changed / name).write_text((EVALSET / name).read_text().replace("Oslo", "Bergen"))
    ran = _gate(DEAD, DEAD, evalset=changed)
    assert ran.returncode == 2
    assert "gatekeeper evalset bless" in ran.stderr


def test_an_evalset_must_be_named_somewhere():
    ran = _gatekeeper("gate", "--policy", str(EVALSET / "policy.yaml"), "--baseline", DEAD, "--candidate", DEAD)
    assert ran.returncode == 2
    assert "--evalset" in ran.stderr
